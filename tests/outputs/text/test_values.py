"""Words for values, and that nothing dangerous gets out."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from lockdoctor.outputs.text.values import (
    at_least,
    at_most,
    count,
    duration,
    lock_title,
    printable,
    safe,
    shortened,
    times,
)
from tests.factories.report_examples import HOSTILE
from tests.factories.reports import a_key, a_lock

_ESCAPE = re.compile(
    rb"\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([nrt]))",
)


def _unescape(text: str) -> bytes:
    def replace(found: re.Match[bytes]) -> bytes:
        backslash, byte, short, long, letter = found.groups()
        if backslash:
            return b"\\"
        if byte:
            return bytes([int(byte, 16)])
        if letter:
            return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}[letter]
        return chr(int(short or long, 16)).encode()

    return _ESCAPE.sub(replace, text.encode())


@given(st.one_of(st.binary(), st.text().map(str.encode)))
@example(b"\x85\xc2\x85")
@example(b"\\n\n")
@example(b"   ")
@example("\U000e0041\U0001f512".encode())
def test_the_bytes_can_be_told_from_the_text(raw: bytes) -> None:
    """No two keys look the same: unescaping gives the key back."""
    assert _unescape(printable(raw)) == raw


@given(st.one_of(st.binary(), st.text().map(str.encode)))
@example("\U0001f3fb\u0903\u1160".encode())
def test_every_character_shown_is_visible(raw: bytes) -> None:
    """No control character, direction mark or zero-width character gets out, nor an edge space."""
    text = printable(raw)

    assert text.isprintable()
    assert text == text.strip()
    assert all(cell_len(char) > 0 for char in text)


@pytest.mark.parametrize("raw", HOSTILE)
def test_hostile_names_become_visible_text(raw: bytes) -> None:
    """Each of the names that try something is shown in printable characters, reversibly."""
    assert printable(raw).isprintable()
    assert _unescape(printable(raw)) == raw


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"/my-lock/orders", "/my-lock/orders"),
        ("schön 日本語".encode(), "schön 日本語"),
        (b"[red]x[/red]", "[red]x[/red]"),
        (b"\x1b[31m\n", r"\x1b[31m\n"),
        ("a\u202eb".encode(), r"a\u202eb"),
        (b"\xff\\", r"\xff\\"),
        (b" x ", r"\x20x\x20"),
        (b" ", r"\x20"),
        (b"", ""),
    ],
)
def test_bytes_as_text(raw: bytes, text: str) -> None:
    """What is visible stays; the rest is escaped."""
    assert printable(raw) == text


def test_sentences_keep_their_backslashes() -> None:
    """What a server says is made safe, not reversible."""
    assert safe("C:\\etcd \x1b[31m\nend\ud800") == r"C:\etcd \x1b[31m\nend\ud800"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1.7, "1.7 s"),
        (42.4, "42 s"),
        (60, "60 s"),
        (90, "90 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h"),
        (12_000, "3 h 20 min"),
        (86_400, "1 day"),
        (187_200, "2 days 4 h"),
        (35_596_800, "412 days"),
        (9_000_000_000, "104167 days"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    """Two units at most, as fine as matters."""
    assert duration(seconds) == text


def test_bounds_are_rounded_to_the_safe_side() -> None:
    """At least is never too long, at most never too short."""
    assert [at_least(299.9), at_most(299.1)] == ["4 min 59 s", "5 min"]
    assert [at_least(59.99), at_most(59.01)] == ["59 s", "60 s"]
    assert [at_least(45.0), at_most(45.0)] == ["45 s", "45 s"]
    assert [at_least(-1.0), at_most(-1.0)] == ["0 s", "0 s"]


def test_counts_agree_with_their_noun() -> None:
    """One is singular, thousands are grouped."""
    assert [count(1, "lock"), count(0, "lock"), count(1234, "lock")] == [
        "1 lock",
        "0 locks",
        "1,234 locks",
    ]
    assert [times(1), times(2), times(3)] == ["once", "2 times", "3 times"]


def test_long_names_lose_their_middle() -> None:
    """Beginning and end tell the most; what fits stays."""
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghijk", 10) == "abcde…hijk"


def test_a_lock_without_a_name_is_called_by_its_key() -> None:
    """The mutex of the empty name has keys that begin with a slash."""
    assert lock_title(a_lock(b"", holder=a_key(b"/7f"))) == "/7f"
    assert lock_title(a_lock(b"/x")) == "/x"
    assert lock_title(dataclasses.replace(a_lock(b""), holder=None)) == "(empty name)"
