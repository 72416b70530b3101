"""Decides whether a file may be written: it is new, or lockdoctor wrote it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lockdoctor.errors import FileRefusedError
from lockdoctor.paths import state_folder

_WHAT = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """A kind of file that lockdoctor writes, with the test that recognizes it."""

    name: str
    option: str
    """The option that names such a file."""
    is_ours: Callable[[Path, bytes], bool]
    """Takes the path without links and the first bytes of a file that is not empty."""
    reads: int = 4096
    """The number of bytes that `is_ours` needs."""
    in_the_way: Callable[[Path], Path | None] = lambda _: None
    """
    Takes the path without links where the file is missing or empty.

    Returns another program's file that a write would change too, if any.
    """


def require_writable(path: Path, kind: FileKind, environ: Mapping[str, str] = os.environ) -> Path:
    """
    Return the file behind a path if it may be written.

    A file may be written if it is new, empty, or recognized as lockdoctor's and of this kind.
    Its folder must exist. Only the state folder can be missing: the writer creates it.

    Raises:
        FileRefusedError: It may not be written. It was not changed.
        OSError: The check failed, for example because the file cannot be read.
    """
    target = require_own(path, kind)
    folder = target.parent
    if not folder.is_dir() and folder != Path(os.path.realpath(state_folder(environ))):
        raise FileRefusedError(
            f"Cannot write {path}: No such file or directory: {folder}. Create this folder,"
            f" or use another file with {kind.option}."
        )
    other = None if target.exists() and target.stat().st_size else kind.in_the_way(target)
    if other is not None:
        raise FileRefusedError(
            f"Cannot write {path}: That would change {other}, which is not lockdoctor's."
            f" It was not changed. Use another file with {kind.option}."
        )
    return target


def require_own(path: Path, kind: FileKind) -> Path:
    """
    Return the file behind a path if it is lockdoctor's, empty or missing.

    Only a regular file is opened: opening a pipe or a device can disturb it.

    Raises:
        FileRefusedError: It is another file, or not a regular file. It was not changed.
        OSError: It cannot be read.
    """
    target = behind_links(path)
    try:
        _require_regular(path, kind, target.stat().st_mode)
        file = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return target
    try:
        require_own_content(path, kind, file)
    finally:
        os.close(file)
    return target


def require_own_content(path: Path, kind: FileKind, file: int) -> None:
    """
    Check an open file, since the path's target can change before the open.

    Raises:
        FileRefusedError: It is another file, or not a regular file. It was not changed.
        OSError: It cannot be read.
    """
    found = os.fstat(file)
    _require_regular(path, kind, found.st_mode)
    if found.st_size and not kind.is_ours(behind_links(path), os.pread(file, kind.reads, 0)):
        raise FileRefusedError(
            f"{path} is not a lockdoctor {kind.name}. It was not changed."
            f" Use another file with {kind.option}."
        )


def behind_links(path: Path) -> Path:
    """Return the target of a path, also where a link dangles."""
    return Path(os.path.realpath(path))  # Path.resolve differs before Python 3.13


def may_write_in(folder: Path) -> bool:
    """Return whether files can be created in a folder."""
    has_effective = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=has_effective)


def _require_regular(path: Path, kind: FileKind, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = _WHAT.get(stat.S_IFMT(mode), "special file")
        raise FileRefusedError(
            f"{path} is a {what}, not a lockdoctor {kind.name}. It was not changed."
            f" Use another file with {kind.option}."
        )
