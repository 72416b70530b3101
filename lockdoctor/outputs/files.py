"""Where an output goes when it goes into a file."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from lockdoctor.errors import FileRefusedError, OutputError
from lockdoctor.own_files import FileKind, behind_links, may_write_in, require_writable

MODE = 0o644
"""node_exporter and a web server run as others than the check does."""

_STREAMS = {Path("/dev/stdout"): 1, Path("/dev/stderr"): 2}
_MAX_LINKS = 40
"""So many links in a row Linux follows at most. Source: path_resolution(7)."""


def require_place(path: Path, kind: FileKind) -> None:
    """
    Find out whether a file can be written, before there is anything to write.

    Raises:
        FileRefusedError: It is not ours, or its folder is missing. It was not changed.
        OutputError: Its folder may not be written to.
    """
    if _stream(path) is not None:
        return
    try:
        folder = require_writable(path, kind).parent
        if not may_write_in(folder):
            raise OutputError(f"Cannot write {path}: Permission denied in {folder}")
    except OSError as error:
        raise _unwritable(path, error) from error


def write_file(
    path: Path, kind: FileKind, render: Callable[[TextIO], object], mode: int = MODE
) -> None:
    """
    Write a file whole or not at all: beside it first, then renamed over it.

    Whoever reads it meanwhile sees the old one. The name of the file beside begins with a dot and
    ends in .tmp, so that node_exporter does not take it for one of its own. Standard output,
    standard error and /dev/null are written to as they are.

    Raises:
        OutputError: It could not be written, or is not ours; what was there is still there.
    """
    try:
        stream = _stream(path)
        if stream is None:
            _write_beside(path, kind, render, mode)
            return
        sys.stdout.flush()
        opened = os.dup(stream) if isinstance(stream, int) else stream
        with open(opened, "w", encoding="utf-8", errors="backslashreplace") as out:  # noqa: PTH123  # may be open already
            render(out)
    except FileRefusedError as refused:
        raise OutputError(str(refused)) from refused
    except OSError as error:
        raise _unwritable(path, error) from error


def _stream(path: Path) -> int | str | None:
    """
    Tell what a path leads to if it is written to as it is; None where it is a file.

    That is /dev/null, what standard output and standard error lead to, and a pipe that was opened
    for this process, as `>(command)` of a shell does. A file behind them keeps what it has.
    """
    own_folders = {Path("/dev/fd"), behind_links(Path("/proc/self/fd"))}
    for _ in range(_MAX_LINKS):
        path = behind_links(path.parent) / path.name
        if path == Path(os.devnull):
            return os.devnull
        number = _STREAMS.get(path)
        if path.parent in own_folders and path.name.isdecimal():
            number = int(path.name)
        if number is not None:
            return number if number in {1, 2} or _is_pipe(number) else None
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _is_pipe(number: int) -> bool:
    return stat.S_ISFIFO(os.fstat(number).st_mode)


def _write_beside(
    path: Path, kind: FileKind, render: Callable[[TextIO], object], mode: int
) -> None:
    target = require_writable(path, kind)
    number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as out:  # noqa: PTH123  # it is open already
            os.fchmod(out.fileno(), mode)
            render(out)
        require_writable(path, kind)  # what is there now, after all that time
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"Cannot write {path}: {error.strerror or error}")
