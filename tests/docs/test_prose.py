"""
The words of the documentation: what a machine can check of the rules in CONTRIBUTING.md.

The test prints every place as `file:line: rule: text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest

from tests.folders import ROOT

PAGES = (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))

FIRST_PERSON = re.compile(r"\b(?:[Ww]e|[Oo]ur|[Oo]urs|[Oo]urselves|us|I(?!/))\b")

BANNED = {
    r"nobody|somebody|anybody|whoever|whom|those who": "name the lease, client or user",
    r"nothing (?:is|was|but|else|proves|burns|of it)": "name the thing",
    r"so (?:many|long|often|much)(?! as\b)": "N, or the metavar",
    r"stands?|stood|standing": "is; lasts; has existed",
    r"(?<!cannot )(?:tells?|told)(?! apart)": "reports, shows",
    r"hears?|heard|heeds?|speaks?|spoke": "reads, answers, uses",
    r"(?:never )?lets? go|in vain|by chance": "is not released; without success",
    r"ails|dies|died|burns|moods?|patient|surgeon|mends?|mended": "no metaphor: fails, ends, fixes",
    r"anew|(?:time and|again and) again|all the same": "again; repeatedly; anyway",
    r"liv(?:es?|ed|ing) on": "is still renewed",
    r"for ever": "forever; without end",
    r"(?:sets?|put) aside": "renames",
    r"gives? way|lies? (?:below|among|beside)": "is below",
    r"phantoms?": "abandoned key",
    r"witness(?:es)?": "process, data source",
    r"contenders?": "waiter; holder and waiters",
    r"observations?": "reading",
    r"keyless": "without keys",
    r"circles?": "cycle",
    r"dangers?": "safety override",
    r"refresh(?:e[sd])?": "renew",
    r"runs? out|ran out": "expires",
    r"(?:colou|behaviou|favou)r\w*|licence|recognis\w+|cancelled|grey": "American spelling",
}
"""Patterns of words, and what to write instead. They match whole words, in lower case or upper."""

ALLOWED = {
    ("docs/glossary.md", "|"): "the table names the words that are not used",
}
"""Places (page, part of the line) that break a rule, each with its reason."""


class Line(NamedTuple):
    """One line of a page, without code."""

    page: str
    number: int
    text: str


def lines() -> Iterator[Line]:
    """Give the lines of the documentation, without code, links and short quotations."""
    for page in sorted(PAGES):
        is_code = False
        for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if text.startswith("```"):
                is_code = not is_code
            elif not is_code:
                bare = re.sub(r"`[^`]*`|\]\([^)]*\)|\"[\w /-]{1,12}\"", "", text)
                yield Line(str(page.relative_to(ROOT)), number, bare)


def broken_rules(texts: Iterable[Line]) -> Iterator[tuple[Line, str]]:
    """Find the first person and the banned words."""
    banned = {re.compile(rf"\b(?:{p})\b", re.IGNORECASE): hint for p, hint in BANNED.items()}
    for line in texts:
        if found := FIRST_PERSON.search(line.text):
            yield line, f"first person, {found[0]!r}"
        for pattern, hint in banned.items():
            if found := pattern.search(line.text):
                yield line, f"{found[0]!r} ({hint})"


def test_words_of_the_documentation() -> None:
    """README, docs and the other pages have no first person and no banned word."""
    problems = [
        f"{line.page}:{line.number}: {rule}: {' '.join(line.text.split())[:160]}"
        for line, rule in broken_rules(lines())
        if not any(line.page == page and part in line.text for page, part in ALLOWED)
    ]

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We hold it.", 1),
        ("Nobody waits, and its session lives on.", 2),
        ("Read by us", 1),
        ("I/O in the US, a standard", 0),
        ("The hold has stood for 3 s", 1),
    ],
)
def test_words_are_found(text: str, count: int) -> None:
    """Whole words are found, in either case."""
    assert len(list(broken_rules([Line("page", 1, text)]))) == count


def test_every_exception_is_needed() -> None:
    """Each allowed place breaks a rule; else its entry is deleted."""
    broken = [line for line, _ in broken_rules(lines())]
    unused = [
        (page, part)
        for page, part in ALLOWED
        if not any(line.page == page and part in line.text for line in broken)
    ]

    assert unused == []
