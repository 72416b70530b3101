"""The page on the verdicts, docs/verdicts.md, as it comes with the program, section by section."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).parent
PLACES = (_PACKAGE / "verdicts.md", _PACKAGE.parent / "docs" / "verdicts.md")
"""Where the page is: in an installed package, in a checkout."""

_SECTION = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_MEANS = re.compile(r"\*\*Means\.\*\* (.+?\.)(?:\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the page says of one verdict."""

    verdict: str
    text: str
    """Markdown."""

    @property
    def summary(self) -> str:
        """The first sentence of what it means, on one line."""
        found = _MEANS.search(self.text)
        return " ".join(found[1].split()).replace("`", "").replace("*", "") if found else ""


def explanations() -> tuple[Explanation, ...]:
    """Give the section of each verdict, in the order of the page."""
    page = next(place for place in PLACES if place.is_file()).read_text(encoding="utf-8")
    return tuple(Explanation(name, text.strip()) for name, text in _SECTION.findall(page))
