"""Where an output goes when it goes into a file."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from lockdoctor.errors import OutputError

MODE = 0o644
"""node_exporter and a web server run as others than the check does."""


def write_file(path: Path, render: Callable[[TextIO], object], mode: int = MODE) -> None:
    """
    Write a file whole or not at all: beside it first, then renamed over it.

    Whoever reads it meanwhile sees the old one. The name of the file beside begins with a dot and
    ends in .tmp, so that node_exporter does not take it for one of its own. What is no regular
    file (a pipe, /dev/null) is written to as it is.

    Raises:
        OutputError: It could not be written; what was there is still there.
    """
    try:
        target = _behind_links(path)
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            with target.open("w", encoding="utf-8", errors="backslashreplace") as out:
                render(out)
        else:
            _write_beside(target, render, mode)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}") from error


def _behind_links(path: Path) -> Path:
    target = Path(os.path.realpath(path))  # Path.resolve does otherwise before Python 3.13
    if target.is_symlink():  # in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def _write_beside(target: Path, render: Callable[[TextIO], object], mode: int) -> None:
    number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as out:  # noqa: PTH123  # it is open already
            os.fchmod(out.fileno(), mode)
            render(out)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
