"""
Record goroutine profiles of a leaking program, built with several versions of Go.

Usage: python -m tests.processes.profiles.record

Go loads each toolchain from its module proxy. README.md in this folder describes the files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.find_etcd import find_etcd

HERE = Path(__file__).parent
PROGRAM = HERE.parent / "profiled"
NEWER_CLIENT = HERE.parent / "lockclient" / "go.mod"
"""Of etcd 3.6; it needs a newer Go than the program's own client of 3.5.1."""

BUILDS = (
    ("go1.17.13", "3.5", None),
    ("go1.18.10", "3.5", None),
    ("go1.19.13", "3.5", None),
    ("go1.21.13", "3.5", None),
    ("go1.22.12", "3.5", None),
    ("local", "3.5", None),
    ("local", "3.6", NEWER_CLIENT),
)
"""Toolchain, release line of etcd's client, and the go.mod that names the client."""

KEPT = re.compile(
    r"(?:# (?:HELP|TYPE) )?(?:etcd_debugging_(?:server_)?lease_(?!ttl_total_b)|process_"
    r"|etcd_server_\w*leader|grpc_server_(?:started|handled)_total)"
)
UNCALLED = re.compile(r"grpc_server_.* 0$")
"""Lines of a member's page that stay, and those of them that do not; all of it takes 150 kB."""


def main() -> None:
    """Record all of them, on one etcd each."""
    leases = {}
    for toolchain, client, module in BUILDS:
        with tempfile.TemporaryDirectory() as folder:
            binary = build(toolchain, module, Path(folder))
            with EtcdServer(Path(folder) / "etcd", binary=find_etcd()) as server:
                subprocess.run([binary, server.endpoint, folder], check=True)
                with urllib.request.urlopen(f"{server.endpoint}/metrics") as answer:  # noqa: S310  # our own etcd
                    page = answer.read().decode()
            found = json.loads((Path(folder) / "leases.json").read_text())
            name = f"{re.sub(r'[.][0-9]+$', '', found['go'])}-etcd-{client}"
            leases[name] = found
            each = (Path(folder) / "debug2.txt").read_text()
            (HERE / f"{name}.debug2.txt").write_text(clients_alone(each))
            summed = (Path(folder) / "debug1.txt").read_text()
    (HERE / "leases.json").write_text(json.dumps(leases, indent=2) + "\n")
    (HERE / f"{name}.debug1.txt").write_text(summed)
    (HERE / "etcd.metrics.txt").write_text("".join(trimmed(page)))


def build(toolchain: str, module: Path | None, folder: Path) -> Path:
    """Build the program; the toolchain `local` is the one that is installed."""
    binary = folder / "profiled"
    options = [f"-modfile={module}"] if module else []
    subprocess.run(
        ["go", "build", "-trimpath", *options, "-o", str(binary), "."],
        cwd=PROGRAM,
        env=os.environ | {"GOTOOLCHAIN": toolchain, "GOFLAGS": "-mod=readonly"},
        check=True,
    )
    return binary


def clients_alone(each: str) -> str:
    """Leave out the goroutines that run neither etcd's client nor the program's own code."""
    goroutines = each.rstrip("\n").split("\n\n")
    return "\n\n".join(g for g in goroutines if "etcd/client" in g or "\nmain." in g) + "\n"


def trimmed(page: str) -> Iterator[str]:
    """Leave what lockdoctor reads, and some lines around it."""
    lines = page.splitlines(keepends=True)
    return (line for line in lines if KEPT.match(line) and not UNCALLED.match(line))


if __name__ == "__main__":
    main()
