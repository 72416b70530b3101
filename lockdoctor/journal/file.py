"""
FileJournal: a journal in a file of JSON lines, safe with several processes.

Lines are only appended, never changed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockdoctor.domain.treatment.journal_entry import Entry, EntryId, Line, Outcome, entries
from lockdoctor.errors import FileRefusedError, JournalError, LockdoctorError
from lockdoctor.journal.codec import BEGINNING, UnreadableLine, decoded, encoded
from lockdoctor.own_files import (
    FileKind,
    behind_links,
    may_write_in,
    require_own,
    require_own_content,
    require_writable,
)
from lockdoctor.paths import make_state_folder, state_folder

LOCK_TRIES = 100
LOCK_PAUSE_S = 0.05
"""
The maximum time to wait for the lock, in seconds. A writer holds it for milliseconds, so a writer
that still holds it after five seconds hangs.
"""

_WHY = {
    UnreadableLine.DAMAGED: "cannot be read and was skipped. Its writer was killed, or the disk was"
    " full",
    UnreadableLine.NEWER: "comes from a newer lockdoctor and was skipped. To read it, update"
    " lockdoctor",
}

_NEXT_TO = "Correct that, or use another file with --journal."


def is_journal(_path: Path, beginning: bytes) -> bool:
    """
    Return whether a file is a journal, by its first line, which may be cut off.

    A line is cut off where its writer was killed.
    """
    first, is_whole, rest = beginning.partition(b"\n")
    if first.startswith(BEGINNING):
        return True
    is_stump = bool(first) and BEGINNING.startswith(first)
    return is_stump and (not is_whole or rest.startswith(BEGINNING))


JOURNAL = FileKind(name="journal", option="--journal", is_ours=is_journal)


def default_path(environ: Mapping[str, str]) -> Path:
    """Return the default path of the journal."""
    return state_folder(environ) / "journal.jsonl"


class FileJournal:
    """
    A Journal (see ports) in a file, which is opened again for each call.

    A line that is cut off, because its writer was killed or the disk was full, stays as it is. The
    next line begins on a line of its own. A reader reports the cut line and continues.
    """

    def __init__(self, path: Path) -> None:
        """Use this file; the first write creates it."""
        self.notes: list[str] = []
        self.newer = 0
        self.path = path
        self._target = behind_links(path)

    def new_entry_id(self) -> EntryId:
        """Return a random ID of 48 bits."""
        return EntryId(secrets.token_hex(6))

    def require_writable(self) -> None:
        """
        Raise an error if lines cannot be written, before anything depends on it.

        Raises:
            FileRefusedError: The file is not a journal, or its folder is missing.
            JournalError: The lines cannot be written for another reason.
        """
        with self._explained("written", refused=FileRefusedError):
            require_writable(self.path, JOURNAL)
            try:
                os.close(os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
            except FileNotFoundError:
                folder = next(each for each in self._target.parents if each.exists())
                if not may_write_in(folder):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None

    def write(self, line: Line) -> None:
        """Append a line, and flush it to the disk."""
        raw = encoded(line)
        with self._explained("written"):
            require_writable(self.path, JOURNAL)
            for made in make_state_folder(self.path):
                _sync_folder(made.parent)
            with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as file:
                size = os.fstat(file).st_size
                is_stump = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                _write_all(file, b"\n" + raw if is_stump else raw)
                os.fsync(file)
                if size == 0:
                    _sync_folder(self._target.parent)

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, the oldest first; the notes list unreadable lines."""
        self.notes = []
        lines = list(self._lines())
        found = entries(lines)
        known = {entry.intent.entry_id for entry in found}
        lost = {each.entry_id for each in lines if isinstance(each, Outcome)} - known
        if lost:
            self.notes.append(
                f"{self.path} has outcomes whose intents cannot be found: {', '.join(sorted(lost))}"
            )
        return found

    def find(self, entry_id: EntryId) -> Entry | None:
        """Return one entry, or None if the journal does not have it."""
        return next((e for e in self.entries() if e.intent.entry_id == entry_id), None)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """
        Keep other processes that call this method out until the block ends.

        Raises:
            JournalError: Another process is inside its block.
        """
        beside = self._target.with_name(f"{self._target.name}.lock")
        with self._explained("locked"):
            require_writable(self.path, JOURNAL)
            make_state_folder(self.path)
            lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._explained("locked"):
                is_alone = _try_lock(lock, fcntl.LOCK_EX)
            if not is_alone:
                raise JournalError(
                    f"Another run acts with the journal {self.path}. Wait until it ends."
                )
            yield
        finally:
            os.close(lock)

    def _lines(self) -> Iterator[Line]:
        unread: dict[UnreadableLine, list[int]] = {}
        for number, raw in enumerate(self._read().split(b"\n"), start=1):
            line = decoded(raw) if raw else None
            if isinstance(line, UnreadableLine):
                unread.setdefault(line, []).append(number)
            elif line is not None:
                yield line
        self.newer = len(unread.get(UnreadableLine.NEWER, ()))
        self.notes += [
            f"{self.path}: {_named(numbers)} {_WHY[why]}" for why, numbers in unread.items()
        ]

    def _read(self) -> bytes:
        with self._explained("read"):
            try:
                require_own(self.path, JOURNAL)
                with (
                    self._opened(os.O_RDONLY, fcntl.LOCK_SH) as file,
                    open(file, "rb", closefd=False) as stream,
                ):
                    return stream.read()
            except FileNotFoundError:
                self.notes.append(f"no journal at {self.path} yet")
                return b""

    @contextlib.contextmanager
    def _opened(self, flags: int, lock: int) -> Iterator[int]:
        """Open and lock the file, without blocking where the path leads to a pipe."""
        file = os.open(self._target, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            self._lock(file, lock)
            require_own_content(self.path, JOURNAL, file)
            yield file
        finally:
            os.close(file)

    def _lock(self, file: int, lock: int) -> None:
        for _ in range(LOCK_TRIES):
            if _try_lock(file, lock):
                return
            time.sleep(LOCK_PAUSE_S)
        raise JournalError(f"The journal {self.path} is in use by another run. Try again.")

    @contextlib.contextmanager
    def _explained(
        self, done: str, *, refused: type[LockdoctorError] = JournalError
    ) -> Iterator[None]:
        try:
            yield
        except FileRefusedError as error:
            raise refused(str(error)) from error
        except OSError as error:
            raise JournalError(
                f"The journal {self.path} cannot be {done}: {error.strerror}. {_NEXT_TO}"
            ) from error


def _try_lock(file: int, lock: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, lock | fcntl.LOCK_NB)
        return True
    return False


def _write_all(file: int, raw: bytes) -> None:
    """
    Write all bytes, also where one call writes only some of them.

    A disk that fills up takes only some at first.
    """
    left = memoryview(raw)
    while left:
        left = left[os.write(file, left) :]


def _sync_folder(folder: Path) -> None:
    """Flush the name of a new file to the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _named(numbers: list[int]) -> str:
    """Return some line numbers as text: the first ones, and how many more."""
    more = f" (and {len(numbers) - 1} more)" if numbers[1:] else ""
    return f"line {numbers[0]}{more}"
