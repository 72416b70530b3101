"""What stands in the pages of the documentation: commands, links, headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from tests.folders import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
OPERATING = ROOT / "docs" / "operating"

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BETWEEN_COMMANDS = set("();<>|&")


@dataclass(frozen=True)
class Page:
    """One page, its code blocks apart from its prose."""

    path: Path

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return FENCED.sub("", self.path.read_text(encoding="utf-8"))

    def blocks(self, language: str) -> list[str]:
        """Give the code blocks that are marked with a language."""
        found = FENCED.findall(self.path.read_text(encoding="utf-8"))
        return [block for marked, block in found if marked == language]

    def commands(self) -> list[list[str]]:
        """Give what stands behind `lockdoctor` on each command line of the page."""
        spans = [" ".join(span.split()) for span in SPAN.findall(self.prose)]
        typed = [line[2:] for line in _lines(self.blocks("console")) if line.startswith("$ ")]
        lines = [s for s in spans if s.startswith("lockdoctor ")] + typed
        return [words for line in lines + _lines(self.blocks("sh")) for words in arguments(line)]

    def links(self) -> list[str]:
        """Give the links that lead to a file of ours, or to a heading."""
        found = LINK.findall(SPAN.sub("", self.prose))
        return [link for link in found if not link.startswith(("http://", "https://"))]

    def anchors(self) -> set[str]:
        """Give the headings as a link names them."""
        return {anchor(heading) for heading in HEADING.findall(self.prose)}


def arguments(line: str) -> Iterator[list[str]]:
    """Give the words behind `lockdoctor` for each time that a line of shell runs it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in (*lexer, ";"):
        if not set(word) <= BETWEEN_COMMANDS:
            command.append(word)
            continue
        yield from _of_lockdoctor(command)
        command = []


def anchor(heading: str) -> str:
    """Name a heading as GitHub's links do: lower case, no punctuation, hyphens for blanks."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _of_lockdoctor(command: list[str]) -> Iterator[list[str]]:
    words = [PurePath(word).name for word in command if "=" not in word or word.startswith("-")]
    if words and words[0] in {"lockdoctor", "sudo"}:
        program = len(command) - 1 - [PurePath(w).name for w in command][::-1].index("lockdoctor")
        yield command[program + 1 :]


def _lines(blocks: list[str]) -> list[str]:
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
