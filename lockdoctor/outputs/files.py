"""Writes an output to a file."""

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
"""File mode: node_exporter and a web server run as other users than the check."""

_STREAMS = {Path("/dev/stdout"): 1, Path("/dev/stderr"): 2}
_MAX_LINKS = 40
"""Maximum links in a row that Linux follows. Source: path_resolution(7)."""


def require_place(path: Path, kind: FileKind) -> None:
    """
    Check before the run whether a file can be written.

    Raises:
        FileRefusedError: It is not lockdoctor's, or its folder is missing. It was not changed.
        OutputError: Its folder may not be written to.
    """
    if _stream(path) is not None:
        return
    try:
        folder = require_writable(path, kind).parent
        if not may_write_in(folder):
            raise OutputError(
                f"Cannot write {path}: permission denied in {folder}. Use another folder."
            )
    except OSError as error:
        raise _unwritable(path, error) from error


def write_file(
    path: Path, kind: FileKind, render: Callable[[TextIO], object], mode: int = MODE
) -> None:
    """
    Write a file completely or not at all: to a new file, then by a rename.

    Readers see the old file until the rename. The new file's name begins with a dot and ends in
    .tmp, so that node_exporter does not read it. Standard output, standard error and /dev/null are
    written to directly.

    Raises:
        OutputError: It could not be written, or is not lockdoctor's; the old file is unchanged.
    """
    try:
        stream = _stream(path)
        if stream is None:
            _write_beside(path, kind, render, mode)
            return
        sys.stdout.flush()
        opened = os.dup(stream) if isinstance(stream, int) else stream
        with open(opened, "w", encoding="utf-8", errors="backslashreplace") as out:  # noqa: PTH123  # can be open already
            render(out)
    except FileRefusedError as refused:
        raise OutputError(str(refused)) from refused
    except OSError as error:
        raise _unwritable(path, error) from error


def _stream(path: Path) -> int | str | None:
    """
    Return the target of a path that is written to directly; None for a file.

    Such targets are /dev/null, the targets of standard output and standard error, and a pipe that
    was opened for this process, as by `>(command)` in a shell. A file behind them keeps its
    content.
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
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as out:  # noqa: PTH123  # already open
            os.fchmod(out.fileno(), mode)
            render(out)
        require_writable(path, kind)  # the file might have changed since the first check
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"Cannot write {path}: {error.strerror or error}.")
