"""Real pages with something wrong in them: bytes, words and whole lines changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

_TOKENS = re.compile(rb"[A-Za-z_]+|[0-9]+|\s|[^A-Za-z_0-9\s]")

ODD = (
    b"",
    b"0",
    b"-1",
    b"1e308",
    b"-1e308",
    b"1e-400",
    b"NaN",
    b"+Inf",
    b"-Inf",
    b"9" * 400,
    b"0x" + b"f" * 40,
    b"0x8000000000000000",
    b"1_000",
    "\u0663\u00b2".encode(),
    b"?",
    b"\n",
    b"\r\n",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"(",
    b")",
    b"[",
    b"\x1f\x8b",
    b"\t" * 50,
    b" minutes",
    b"goroutine ",
    b"created by ",
)
"""Words that a page might hold where another one belongs."""


@st.composite
def mutated(draw: st.DrawFn, pages: Sequence[bytes]) -> bytes:
    """One of the pages, with up to eight changes."""
    page = draw(st.sampled_from(pages))
    for _ in range(draw(st.integers(1, 8))):
        page = draw(st.sampled_from([_bytes_changed, _word_changed, _lines_changed]))(draw, page)
    return page


def _bytes_changed(draw: st.DrawFn, page: bytes) -> bytes:
    at = draw(st.integers(0, len(page)))
    until = min(len(page), at + draw(st.integers(0, 40)))
    return page[:at] + draw(st.binary(max_size=20)) + page[until:]


def _word_changed(draw: st.DrawFn, page: bytes) -> bytes:
    """Put an odd word, or one from elsewhere on the page, in the place of another."""
    words = list(_TOKENS.finditer(page))
    if not words:
        return page
    word = draw(st.sampled_from(words))
    other = draw(st.one_of(st.sampled_from(ODD), st.sampled_from(words).map(lambda w: w[0])))
    return page[: word.start()] + other + page[word.end() :]


def _lines_changed(draw: st.DrawFn, page: bytes) -> bytes:
    """Leave some lines out, or give them once more somewhere else."""
    lines = page.splitlines(keepends=True)
    if not lines:
        return page
    at = draw(st.integers(0, len(lines) - 1))
    some = lines[at : at + draw(st.integers(1, 5))]
    if draw(st.booleans()):
        return b"".join(lines[:at] + lines[at + len(some) :])
    to = draw(st.integers(0, len(lines)))
    return b"".join(lines[:to] + some + lines[to:])
