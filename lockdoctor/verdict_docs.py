"""Reads the page on the verdicts, docs/verdicts.md, section by section."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).parent
PLACES = (_PACKAGE / "verdicts.md", _PACKAGE.parent / "docs" / "verdicts.md")
"""The page's path in an installed package and in a checkout."""

_SECTION = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_MEANS = re.compile(r"\*\*Means\.\*\* (.+?\.)(?:\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The page's section on one verdict."""

    verdict: str
    text: str
    """Markdown."""

    @property
    def summary(self) -> str:
        """Return the first sentence of the meaning, on one line."""
        found = _MEANS.search(self.text)
        return " ".join(found[1].split()).replace("`", "").replace("*", "") if found else ""


def explanations() -> tuple[Explanation, ...]:
    """Return the section of each verdict, in the order of the page."""
    page = next(place for place in PLACES if place.is_file()).read_text(encoding="utf-8")
    return tuple(Explanation(name, text.strip()) for name, text in _SECTION.findall(page))
