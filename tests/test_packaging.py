"""What the package says of itself, and what is in the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.folders import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
"""The versions that are supported."""

MAX_FILES = 14
"""The maximum number of files of a folder of the package."""


def test_the_classifiers_name_what_is_supported() -> None:
    """Every supported Python from the oldest on, POSIX alone, and that it is typed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: 3."
    named = [each for each in project["classifiers"] if each.startswith(prefix)]

    assert project["requires-python"] == f">={PYTHONS[0]}"
    assert named == [f"Programming Language :: Python :: {python}" for python in PYTHONS]
    assert {"Operating System :: POSIX", "Typing :: Typed"} <= set(project["classifiers"])


def test_a_type_checker_reads_the_types_of_the_package(tmp_path: Path) -> None:
    """Where the package is installed, mypy takes its annotations from the package itself."""
    (tmp_path / "user.py").write_text("from lockdoctor import __version__\nx: int = __version__\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "user.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert 'expression has type "str", variable has type "int"' in done.stdout
    assert "Found 1 error" in done.stdout


def test_no_folder_is_a_heap() -> None:
    """At most 14 files, folders in it not counted."""
    folders = [path for path in (ROOT / "lockdoctor").rglob("*") if path.is_dir()]
    sizes = {
        path.relative_to(ROOT): sum(each.is_file() for each in path.iterdir())
        for path in folders
        if path.name != "__pycache__"
    }

    assert not {path: size for path, size in sizes.items() if size > MAX_FILES}


@pytest.mark.slow
def test_the_wheel_has_the_marker_and_the_page_of_the_verdicts(tmp_path: Path) -> None:
    """`py.typed` for type checkers, and the page that `lockdoctor explain` prints."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(ROOT)], capture_output=True, text=True, timeout=110, check=False
    )
    if "hatchling" in done.stderr and not os.environ.get("CI"):
        pytest.skip("the build backend is not to be had here")
    assert done.returncode == 0, done.stderr

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        metadata = next(name for name in names if name.endswith("/METADATA"))
        text = content.read(metadata).decode()
    shipped = {"py.typed", "verdicts.md", "domain/recipes/builtin.toml"}
    assert {f"lockdoctor/{name}" for name in shipped} <= set(names)
    assert "Classifier: Operating System :: POSIX\n" in text
