"""Writers that are killed, that run at the same time, and whose disk fills up."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.domain.model.actions import Result
from lockdoctor.errors import JournalError
from lockdoctor.journal.file import FileJournal
from tests.factories.reports import a_key, an_intent, an_outcome

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from tests.factories.reports import a_key, an_intent, an_outcome
from lockdoctor.journal.file import FileJournal

def append(journal, said):
    while True:
        entry_id = journal.new_entry_id()
        size = random.choice((10, 10_000, 1_000_000))
        journal.write(an_intent(entry_id, keys=(a_key(value=bytes(size)),) * 3))
        os.write(said, entry_id.encode() + b"\\n")
        journal.write(an_outcome(entry_id))

for _ in range(20):
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        append(FileJournal(Path(sys.argv[1])), said)
    os.close(said)
    with open(heard) as ids:
        print(*(ids.readline() for _ in range(random.randrange(1, 4))), end="")
        time.sleep(random.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print(ids.read(), end="")
"""

TOGETHER = """
import sys
from pathlib import Path
from tests.factories.reports import an_intent, an_outcome
from lockdoctor.journal.file import FileJournal

journal = FileJournal(Path(sys.argv[1]))
for number in range(100):
    journal.write(an_intent(f"{sys.argv[2]}-{number}", locks=(b"x" * 10_000,)))
    journal.write(an_outcome(f"{sys.argv[2]}-{number}"))
"""


def test_a_writer_that_is_killed_loses_nothing_that_it_was_sure_of(tmp_path: Path) -> None:
    """
    After kill -9 at any moment, every intent whose writing had returned is there.

    All but the last of each writer are done; the last may read as unknown, never as more.
    """
    path = tmp_path / "journal.jsonl"
    command = [sys.executable, "-c", KILLED, str(path)]
    done = subprocess.run(command, check=True, timeout=100, capture_output=True, text=True)
    sure = done.stdout.split()

    found = {entry.intent.entry_id: entry for entry in FileJournal(path).entries()}

    assert len(sure) >= 20
    assert set(sure) <= set(found)
    unknown = [entry for entry in found.values() if entry.result is Result.UNKNOWN]
    assert len(unknown) <= 20
    assert {entry.result for entry in found.values()} <= {Result.DONE, Result.UNKNOWN}


def test_two_writers_at_once_keep_their_lines_apart(tmp_path: Path) -> None:
    """Every line of both is there and whole."""
    path = tmp_path / "journal.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", TOGETHER, str(path), name]) for name in ("a", "b")
    ]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0]
    journal = FileJournal(path)

    found = {entry.intent.entry_id: entry.result for entry in journal.entries()}

    assert found == {f"{name}-{number}": Result.DONE for name in "ab" for number in range(100)}
    assert journal.notes == []


def test_a_full_disk_is_told_and_damages_nothing(small_disk: Path) -> None:
    """
    A line that finds no room fails before anything is done, and stays as a stump.

    Once there is room again, what comes next is read, and so is all that was before.
    """
    journal = FileJournal(small_disk / "journal.jsonl")
    journal.write(an_intent("first"))
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
        while True:
            out.write(b"x" * 4096)

    with pytest.raises(JournalError, match=r"cannot be written: No space left on device"):
        journal.write(an_intent("none", keys=(a_key(value=bytes(100_000)),)))
    with pytest.raises(JournalError, match=r"cannot be written: No space left on device"):
        FileJournal(small_disk / "new.jsonl").write(an_intent())
    filler.unlink()
    journal.write(an_outcome("first"))

    (entry,) = journal.entries()
    assert entry.result is Result.DONE
    assert "line 2 cannot be read" in journal.notes[0]


LIMITED = """
import resource, sys
from pathlib import Path
from tests.journal.test_crashes import *

journal = FileJournal(Path(sys.argv[1]))
journal.write(an_intent("first"))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
for number in range(2):
    try:
        journal.write(an_intent("none", keys=(a_key(value=bytes(100_000)),)))
    except JournalError as full:
        print(full)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
journal.write(an_outcome("first"))
"""


def test_a_file_that_may_not_grow_is_told_and_damages_nothing(tmp_path: Path) -> None:
    """The same where the system ends the growth in the middle of a line."""
    path = tmp_path / "journal.jsonl"
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    journal = FileJournal(path)

    (entry,) = journal.entries()

    assert entry.result is Result.DONE
    assert done.stdout.count("cannot be written: File too large") == 2
    assert "line 2 cannot be read" in journal.notes[0]
    assert path.stat().st_size > 20_000
