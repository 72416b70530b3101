"""FileJournal: a journal in a file of JSON lines that only grows, safe with several processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockdoctor.domain.journal import Entry, EntryId, Line, Outcome, entries
from lockdoctor.errors import JournalError
from lockdoctor.journal.lines import BEGINNING, Unread, decoded, encoded
from lockdoctor.state import make_folder, state_folder

LOCK_TRIES = 100
LOCK_PAUSE_S = 0.05
"""Whoever writes a line holds the lock for milliseconds; five seconds mean that it hangs."""

_WHY = {
    Unread.DAMAGED: "cannot be read and was skipped; whoever wrote it was ended, or had no room on"
    " the disk, before it went on",
    Unread.NEWER: "comes from a newer lockdoctor and was skipped; update lockdoctor to read it",
}

_NEXT_TO = "mend that, or give another file with --journal"


def default_path(environ: Mapping[str, str]) -> Path:
    """Say where the journal lies unless told otherwise."""
    return state_folder(environ) / "journal.jsonl"


class FileJournal:
    """
    A Journal (see ports) in a file, which is opened anew each time.

    A line that is cut off, because its writer was killed or the disk was full, stays as it is: the
    next line begins on a line of its own, and a reader tells of the stump and goes on.
    """

    def __init__(self, path: Path) -> None:
        """Use this file; it is made when the first line is written."""
        self.notes: list[str] = []
        self.newer = 0
        self.path = path

    def new_entry_id(self) -> EntryId:
        """Draw an ID of 48 bits."""
        return EntryId(secrets.token_hex(6))

    def write(self, line: Line) -> None:
        """Append a line, and have the disk take it."""
        raw = encoded(line)
        with self._explained("written"):
            for made in make_folder(self.path.parent):
                _sync_folder(made.parent)
            with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as file:
                size = self._size(file)
                is_stump = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                _write_all(file, b"\n" + raw if is_stump else raw)
                os.fsync(file)
                if size == 0:
                    _sync_folder(self.path.absolute().parent)

    def entries(self) -> tuple[Entry, ...]:
        """Give all entries, the oldest first; the notes tell what could not be read."""
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
        """Give one entry; None where there is none."""
        return next((e for e in self.entries() if e.intent.entry_id == entry_id), None)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """
        Keep other processes that ask for the same from what they do meanwhile.

        Raises:
            JournalError: One is at it.
        """
        beside = self.path.with_name(f"{self.path.name}.lock")
        with self._explained("locked"):
            make_folder(self.path.parent)
            lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._explained("locked"):
                is_alone = _try_lock(lock, fcntl.LOCK_EX)
            if not is_alone:
                raise JournalError(f"another run is treating with the journal {self.path}")
            yield
        finally:
            os.close(lock)

    def _lines(self) -> Iterator[Line]:
        unread: dict[Unread, list[int]] = {}
        for number, raw in enumerate(self._read().split(b"\n"), start=1):
            line = decoded(raw) if raw else None
            if isinstance(line, Unread):
                unread.setdefault(line, []).append(number)
            elif line is not None:
                yield line
        self.newer = len(unread.get(Unread.NEWER, ()))
        self.notes += [
            f"{self.path}: {_named(numbers)} {_WHY[why]}" for why, numbers in unread.items()
        ]

    def _read(self) -> bytes:
        with self._explained("read"):
            try:
                with self._opened(os.O_RDONLY, fcntl.LOCK_SH) as file:
                    self._size(file)
                    with open(file, "rb", closefd=False) as stream:
                        return stream.read()
            except FileNotFoundError:
                self.notes.append(f"there is no journal at {self.path} so far")
                return b""

    @contextlib.contextmanager
    def _opened(self, flags: int, lock: int) -> Iterator[int]:
        """Open and lock the file; not to hang where the path leads to a pipe."""
        file = os.open(self.path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise JournalError(f"{self.path} is no file for a journal; {_NEXT_TO}")
            self._lock(file, lock)
            yield file
        finally:
            os.close(file)

    def _lock(self, file: int, lock: int) -> None:
        for _ in range(LOCK_TRIES):
            if _try_lock(file, lock):
                return
            time.sleep(LOCK_PAUSE_S)
        raise JournalError(f"the journal {self.path} is in use by another run; try again")

    def _size(self, file: int) -> int:
        """Measure the file, once it is known to be ours."""
        if not _is_ours(os.pread(file, 3 * len(BEGINNING), 0)):
            raise JournalError(f"{self.path} is no journal of lockdoctor's; {_NEXT_TO}")
        return os.fstat(file).st_size

    @contextlib.contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"the journal {self.path} cannot be {done} ({error.strerror}); {_NEXT_TO}"
            ) from error


def _try_lock(file: int, lock: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, lock | fcntl.LOCK_NB)
        return True
    return False


def _is_ours(beginning: bytes) -> bool:
    """Tell whether a file begins as a journal does; its first line may be a stump."""
    lines = beginning.split(b"\n")[:2]
    return all(line.startswith(BEGINNING) or BEGINNING.startswith(line) for line in lines)


def _write_all(file: int, raw: bytes) -> None:
    """Write bytes, where a disk that fills up takes only some of them at first."""
    left = memoryview(raw)
    while left:
        left = left[os.write(file, left) :]


def _sync_folder(folder: Path) -> None:
    """Have the disk take the name of a new file."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _named(numbers: list[int]) -> str:
    """Name some lines: the first of them, and how many more."""
    more = f" (and {len(numbers) - 1} more)" if numbers[1:] else ""
    return f"line {numbers[0]}{more}"
