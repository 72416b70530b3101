"""A journal that an earlier lockdoctor wrote; fixtures/README.md says how it was made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.journal.codec import encoded
from lockdoctor.journal.file import FileJournal
from tests.factories.reports import an_intent, an_outcome
from tests.folders import TESTS

FILE = TESTS / "journal" / "fixtures" / "journal.jsonl"
KEY = "/my-lock/orders/6b93a228bbd8b505"
LEASE, OWN_LEASE = 0x6B93A228BBD8B505, 0x6B93A228BBD8B516


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of the file."""
    return Path(shutil.copy(FILE, tmp_path / "journal.jsonl"))


def test_every_entry_is_read(path: Path) -> None:
    """The quarantine and its undo, each with its outcome, and no line is damaged."""
    journal = FileJournal(path)
    quarantine, undo = journal.entries()

    assert journal.notes == []
    assert (quarantine.intent.action, undo.intent.action) == (Action.QUARANTINE, Action.UNDO)
    assert undo.intent.of == quarantine.intent.entry_id
    assert (quarantine.intent.lease_id, quarantine.intent.new_lease_id) == (LEASE, OWN_LEASE)
    assert (undo.intent.lease_id, undo.intent.new_lease_id) == (OWN_LEASE, LEASE)
    for entry in (quarantine, undo):
        assert entry.outcome is not None
        assert entry.outcome.result is Result.DONE
        assert entry.intent.why.verdict == VerdictKind.LEAKED_LOCK.value
        assert [key.key for key in entry.intent.keys] == [KEY.encode()]


def test_its_lines_are_written_the_same_way_today(path: Path) -> None:
    """Every field of the earlier lines is in today's, with the same value."""
    lines = [
        line for entry in FileJournal(path).entries() for line in (entry.intent, entry.outcome)
    ]

    for line, text in zip(lines, path.read_text().splitlines(), strict=True):
        assert line is not None
        earlier, today = json.loads(text), json.loads(encoded(line))
        assert {name: today.get(name) for name in earlier} == earlier


def test_the_journal_goes_on_in_the_same_file(path: Path) -> None:
    """A line of today comes after them."""
    FileJournal(path).write(an_intent("aaaa1111"))
    FileJournal(path).write(an_outcome("aaaa1111"))

    assert path.read_bytes().startswith(FILE.read_bytes())
    assert [entry.intent.entry_id for entry in FileJournal(path).entries()] == [
        "90d6741cccf8",
        "23277eb7ec88",
        "aaaa1111",
    ]


def test_the_commands_of_the_journal_show_it(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """List, and one entry by the beginning of its ID."""
    assert main(["journal", "list", "--journal", str(path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["entry"] for each in document["entries"]] == ["23277eb7ec88", "90d6741cccf8"]
    assert {each["result"] for each in document["entries"]} == {"done"}

    assert main(["journal", "show", "90d", "--journal", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("quarantine /my-lock/orders: done\n")
    assert KEY in out
