"""Lines of a journal: what is written reads back the same, and nothing else reads as a line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.treatment.journal_entry import MAX_VALUE_BYTES, Intent, Line, is_cut
from lockdoctor.journal.codec import BEGINNING, VERSION, UnreadableLine, decoded, encoded
from tests.factories.journal import LINES
from tests.factories.reports import a_key, an_intent, an_outcome


@given(LINES)
def test_a_line_reads_back_as_it_was(line: Line) -> None:
    """Whatever keys, names and sentences hold: the same comes back."""
    assert decoded(encoded(line)) == line


@given(LINES)
def test_a_line_is_one_line_of_ascii(line: Line) -> None:
    """No byte of a key, a value or a name can end the line, or reach a terminal as it is."""
    raw = encoded(line)

    assert raw.startswith(BEGINNING)
    assert raw.endswith(b"}\n")
    assert all(0x20 <= byte < 0x7F for byte in raw[:-1])


@given(LINES, st.data())
def test_no_stump_of_a_line_is_a_line(line: Line, data: st.DataObject) -> None:
    """Cut anywhere before its last brace, it reads as damaged and as nothing else."""
    whole = encoded(line).rstrip(b"\n")

    assert decoded(whole[: data.draw(st.integers(0, len(whole) - 1))]) is UnreadableLine.DAMAGED


@given(st.binary(max_size=50) | st.from_regex(rb'\{"lockdoctor_journal":.*', fullmatch=True))
def test_other_bytes_are_no_line(raw: bytes) -> None:
    """Whatever stands in the file: no traceback."""
    assert decoded(raw) is UnreadableLine.DAMAGED


@pytest.mark.parametrize(
    "change",
    [
        {"lockdoctor_journal": VERSION + 1},
        {"line": "remark"},
        {"action": "transfer"},
        {"lockdoctor_journal": VERSION + 1, "who": "laid out otherwise"},
    ],
)
def test_what_a_newer_version_wrote_is_known_as_such(change: dict[str, object]) -> None:
    """A later layout, another kind of line, an action that is not known yet."""
    content = json.loads(encoded(an_intent())) | change

    assert decoded(json.dumps(content).encode()) is UnreadableLine.NEWER


def test_fields_of_a_newer_version_are_passed_over() -> None:
    """A field more changes nothing of what the others say."""
    content = json.loads(encoded(an_outcome())) | {"colour": "blue"}

    assert decoded(json.dumps(content).encode()) == an_outcome()


@pytest.mark.parametrize("field", json.loads(encoded(an_intent())))
@pytest.mark.parametrize("wrong", [None, [], {}, -1.5, "x"])
def test_a_field_of_another_type_breaks_nothing(field: str, wrong: object) -> None:
    """A line that somebody edited is a line or not; it is never a traceback."""
    content = json.loads(encoded(an_intent())) | {field: wrong}

    assert isinstance(decoded(json.dumps(content).encode()), (Intent, UnreadableLine))


def test_long_values_are_cut_and_said_to_be() -> None:
    """A line holds no more of a value than the journal keeps, and the reader can tell."""
    line = decoded(encoded(an_intent(keys=(a_key(value=b"v" * (MAX_VALUE_BYTES + 1)),))))

    assert isinstance(line, Intent)
    assert len(line.keys[0].value) == MAX_VALUE_BYTES
    assert is_cut(line.keys[0])
