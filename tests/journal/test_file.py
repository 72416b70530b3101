"""The journal in a file: what it keeps, for whom, and what it makes of damage."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.journal_entry import MAX_VALUE_BYTES, Entry, Line, entries
from lockdoctor.errors import FileRefusedError, JournalError
from lockdoctor.journal import file
from lockdoctor.journal.codec import encoded
from lockdoctor.journal.file import FileJournal, default_path
from tests.factories.journal import LINES
from tests.factories.reports import a_key, an_intent, an_outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def a_journal(path: Path, *lines: Line) -> FileJournal:
    journal = FileJournal(path)
    for line in lines:
        journal.write(line)
    return journal


def test_what_is_written_is_found(path: Path) -> None:
    """Intents with their outcomes, in order, by whoever opens the file next; and each by its ID."""
    a_journal(path, an_intent("e1"), an_intent("e2"), an_outcome("e1"))

    journal = FileJournal(path)

    assert journal.entries() == (
        Entry(an_intent("e1"), an_outcome("e1")),
        Entry(an_intent("e2"), None),
    )
    assert journal.find(an_intent("e2").entry_id) == Entry(an_intent("e2"), None)
    assert journal.find(an_intent("e3").entry_id) is None
    assert journal.notes == []


def test_nobody_else_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file has mode 0600, a new folder above it 0700: it holds values of keys."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "state" / "lockdoctor" / "journal.jsonl"
    before = os.umask(0)
    try:
        a_journal(path, an_intent())
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_it_lies_beside_the_history() -> None:
    """Unless told otherwise it is in the XDG state folder."""
    environ = {"XDG_STATE_HOME": "/var/state"}

    assert default_path(environ) == Path("/var/state/lockdoctor/journal.jsonl")


def test_no_file_is_an_empty_journal(path: Path) -> None:
    """Nothing was written so far: no entries, it says so, and reading makes no file."""
    journal = FileJournal(path)

    assert journal.entries() == ()
    assert journal.notes == [f"no journal at {path} yet"]
    assert not path.exists()


def test_ids_differ() -> None:
    """Two runs that start at the same time, and two entries of one run, do not meet."""
    ids = {FileJournal(Path("x")).new_entry_id() for _ in range(1000)}

    assert len(ids) == 1000


def test_each_line_is_on_the_disk_before_it_counts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is flushed once per line, the folder with the first; both before write returns."""
    flushed: list[str] = []
    real = os.fsync

    def fsync(opened: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        flushed.append("folder" if is_folder else f"file of {path.read_bytes().count(b'}')}")
        real(opened)

    monkeypatch.setattr(os, "fsync", fsync)
    line = an_outcome()
    a_journal(path, line, line)

    assert flushed == ["file of 1", "folder", "file of 2"]


@given(st.lists(LINES, max_size=4), st.data())
def test_any_beginning_reads_as_the_lines_that_were_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line], data: st.DataObject
) -> None:
    """
    Cut anywhere, as a crash does: what was whole is read, and the stump is told of.

    What is written afterwards is read as well, whatever the stump was.
    """
    path = tmp_path_factory.mktemp("cut") / "journal.jsonl"
    raws = [encoded(line) for line in lines]
    whole = b"".join(raws)
    end = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:end])
    kept = [line for line, until in zip(lines, _ends(raws), strict=True) if end >= until - 1]
    is_cut = whole[:end].rstrip(b"\n") != b"\n".join(encoded(line)[:-1] for line in kept)
    journal = FileJournal(path)

    found, notes = journal.entries(), list(journal.notes)
    journal.write(an_intent("next"))

    assert found == entries(kept)
    assert any("cannot be read and was skipped" in note for note in notes) == is_cut
    assert journal.entries() == (*entries(kept), Entry(an_intent("next"), None))
    assert path.read_bytes().startswith(whole[:end])


def _ends(raws: list[bytes]) -> Iterator[int]:
    end = 0
    for raw in raws:
        end += len(raw)
        yield end


def test_damage_in_the_middle_is_told_by_its_line(path: Path) -> None:
    """Lines that cannot be read are skipped and counted; they stay as they are."""
    journal = a_journal(path, an_intent("e1"))
    with path.open("ab") as out:
        out.write(b"\x00\x1b[31m\xff\n{}\n")
    journal.write(an_outcome("e1"))

    (entry,) = journal.entries()

    assert entry.result is Result.DONE
    (note,) = journal.notes
    assert note.startswith(f"{path}: line 2 (and 1 more) cannot be read and was skipped")


def test_lines_of_a_newer_version_are_told_and_skipped(path: Path) -> None:
    """The rest is read, and the file is not touched."""
    journal = a_journal(path, an_intent("e1"))
    with path.open("ab") as out:
        out.write(encoded(an_outcome("e1")).replace(b'journal":1', b'journal":2'))
    before = path.read_bytes()

    (entry,) = journal.entries()

    assert entry.result is Result.UNKNOWN
    (note,) = journal.notes
    assert "line 2 comes from a newer lockdoctor and was skipped" in note
    assert journal.newer == 1
    assert path.read_bytes() == before


def test_an_outcome_without_its_intent_is_told(path: Path) -> None:
    """What cannot be an entry is not dropped in silence."""
    journal = a_journal(path, an_outcome("e7"))

    assert journal.entries() == ()
    assert journal.notes == [f"{path} has outcomes whose intents cannot be found: e7"]


def test_a_large_binary_value_comes_back_whole(path: Path) -> None:
    """A mebibyte of any bytes, and a key that no terminal should see."""
    value = bytes(range(256)) * (MAX_VALUE_BYTES // 256)
    key = a_key(b"/\x1b]0;owned\x07\n\xff\x00[red]|", value=value)

    (entry,) = a_journal(path, an_intent(keys=(key,))).entries()

    assert entry.intent.keys == (key,)


@pytest.mark.parametrize(
    "content",
    [b"SQLite format 3\0", b'{\n "schema_version": 1', b"\nx", b"\n\nmy notes\n", b"{\n}\n", b"\0"],
)
def test_another_file_is_not_taken_for_a_journal(path: Path, content: bytes) -> None:
    """A path that was mistyped: nothing is added to what lies there, and nothing is read of it."""
    path.write_bytes(content)
    journal = FileJournal(path)

    with pytest.raises(JournalError, match=r"is not a lockdoctor journal\. It was not"):
        journal.write(an_intent())
    with pytest.raises(JournalError, match=r"is not a lockdoctor journal\. It was not"):
        journal.entries()
    assert path.read_bytes() == content


def test_a_pipe_or_device_is_not_taken_for_a_file(path: Path) -> None:
    """It says so, and does not hang."""
    os.mkfifo(path)

    for place, what in ((path, "pipe"), (Path(os.devnull), "device")):
        with pytest.raises(JournalError, match=f"is a {what}, not a lockdoctor journal"):
            FileJournal(place).write(an_intent())
        with pytest.raises(JournalError, match=f"is a {what}, not a lockdoctor journal"):
            FileJournal(place).entries()


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """No folder, a folder in place of the file: what failed, why, and what to try."""
    (tmp_path / "file").touch()

    for place, why in (
        (tmp_path, "is a folder, not a lockdoctor journal"),
        (tmp_path / "file" / "x", "No such file or directory"),
        (tmp_path / "typo" / "x", "No such file or directory"),
        (tmp_path / ("n" * 300), r"cannot be written: File name too long"),
    ):
        journal = FileJournal(place)
        for use in (lambda file: file.write(an_intent()), FileJournal.require_writable):
            with pytest.raises((JournalError, FileRefusedError), match=rf"{why}.* with --journal"):
                use(journal)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_lock_that_nobody_lets_go_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that hangs keeps nobody else for ever."""
    monkeypatch.setattr(file, "LOCK_PAUSE_S", 0.001)
    journal = a_journal(path, an_intent())

    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match=r"is in use by another run\. Try again"):
            journal.write(an_outcome())
        with pytest.raises(JournalError, match=r"is in use by another run\. Try again"):
            journal.entries()


def test_one_process_at_a_time_may_ask_to_be_alone(path: Path) -> None:
    """Two unattended runs must not both count the same day's treatments; writing goes on."""
    journal = FileJournal(path)

    with journal.alone():
        with pytest.raises(JournalError, match="Another run acts with the journal"):
            FileJournal(path).alone().__enter__()
        journal.write(an_intent())
    with FileJournal(path).alone():
        assert len(journal.entries()) == 1
