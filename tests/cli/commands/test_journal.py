"""`lockdoctor journal` from the outside."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.domain.treatment.journal_entry import Line
from lockdoctor.journal.file import FileJournal
from tests.factories.reports import a_key, an_intent, an_outcome

VALUE = bytes(range(256))


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal in the XDG state folder: two entries that are done, and one that was begun."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "lockdoctor" / "journal.jsonl"
    journal = FileJournal(path)
    lines: list[Line] = [
        an_intent("aaaa1111", keys=(a_key(b"/\x1b[31m", value=VALUE),)),
        an_outcome("aaaa1111"),
        an_intent("aaaa2222"),
        an_outcome("aaaa2222"),
        an_intent("bbbb3333"),
    ]
    for line in lines:
        journal.write(line)
    return path


def test_without_a_command_it_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """The last entry first, with or without the word list."""
    assert main(["journal"]) == 0
    bare = capsys.readouterr().out
    assert main(["journal", "list"]) == 0

    assert capsys.readouterr().out == bare
    first, *_ = bare.splitlines()
    assert first == "3 entries, 1 of unknown outcome: lockdoctor journal show bbbb3333"
    assert bare.index("bbbb3333  ") < bare.index("aaaa2222") < bare.index("aaaa1111")


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """As many as asked for, options without the word list, no values."""
    assert main(["journal", "--format", "json", "--limit", "2"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["notes"] == []
    assert [e["entry"] for e in document["entries"]] == ["bbbb3333", "aaaa2222"]
    begun, done = document["entries"]
    assert (begun["result"], begun["outcome"]) == ("unknown", None)
    assert done["outcome"]["detail"] == "The lease is gone."
    assert done["lease"] == done["keys"][0]["lease"] == "32698f1c0a1b2c3d"
    assert "value" not in done["keys"][0]


def test_one_entry_by_the_beginning_of_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    """As few letters as no other entry begins with; its values in JSON, exact."""
    assert main(["journal", "show", "b"]) == 0
    assert "bbbb3333" in capsys.readouterr().out

    assert main(["journal", "show", "aaaa1", "--format", "json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    (key,) = entry["keys"]
    assert key["key"] == r"/\x1b[31m"
    assert base64.b64decode(key["value_base64"]) == VALUE


@pytest.mark.parametrize(
    ("argv", "status", "sentence"),
    [
        (["show", "cccc"], 2, "has no entry 'cccc'. See `lockdoctor journal list`"),
        (["show", "aaaa"], 2, "2 entries begin with 'aaaa'. Give more of the ID"),
        (["shwo", "aaaa"], 2, "No such command 'shwo'"),
        (["--limit", "0"], 2, "is not a whole number, 1 or more"),
        (["--journal", "/dev/null"], 3, "/dev/null is a device, not a lockdoctor journal"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    argv: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The right status, and nothing on standard output."""
    assert main(["journal", *argv]) == status

    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_the_environment_names_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """LOCKDOCTOR_JOURNAL beats the XDG state folder, and the flag beats both."""
    monkeypatch.setenv("LOCKDOCTOR_JOURNAL", str(path.parent / "other.jsonl"))

    assert main(["journal"]) == 0
    assert "no journal at" in capsys.readouterr().out
    assert main(["journal", "--journal", str(path)]) == 0
    assert "3 entries" in capsys.readouterr().out


def test_the_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the group's own help, not that of the list."""
    assert main(["journal", "--help"]) == 0

    text = capsys.readouterr().out
    assert "lockdoctor journal show 5f0c" in text
    assert max(map(len, text.splitlines())) <= 90
