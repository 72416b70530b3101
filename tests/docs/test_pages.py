"""README.md and docs/*.md: every command is accepted, every link leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.cli import main
from lockdoctor.domain.evidence.verdicts import VerdictKind
from tests.docs.pages import PAGES, Page, anchor, arguments
from tests.folders import ROOT

COMMANDS = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}")
    for page in PAGES
    for words in Page(page).commands()
]
LINKS = [
    pytest.param(page, link, id=f"{page.name}: {link}")
    for page in PAGES
    for link in Page(page).links()
]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_line_is_accepted(words: list[str]) -> None:
    """The parser knows the command and all the options that the documentation gives it."""
    main._parse(words)


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_every_link_leads_to_a_file_and_a_heading(page: Path, link: str) -> None:
    """A relative link names a file that is there, and a heading that it has."""
    name, _, heading = link.partition("#")
    target = (page.parent / name).resolve() if name else page

    assert target.exists()
    assert target.is_relative_to(ROOT)
    assert not heading or heading in Page(target).anchors()


@pytest.mark.parametrize("kind", VerdictKind, ids=lambda kind: str(kind.value))
def test_every_verdict_is_described(kind: VerdictKind) -> None:
    """docs/verdicts.md has a section for each verdict, which says what it means."""
    _, _, section = (ROOT / "docs" / "verdicts.md").read_text().partition(f"\n## {kind.value}\n")

    assert section.lstrip().startswith("**Means.**")


@pytest.mark.parametrize("kind", VerdictKind, ids=lambda kind: str(kind.value))
def test_every_verdict_has_a_runbook(kind: VerdictKind) -> None:
    """docs/operating.md has a section for each verdict, which begins with what it means."""
    _, _, section = (ROOT / "docs" / "operating.md").read_text().partition(f"\n### {kind.value}\n")

    assert section.lstrip().startswith(f"[What it means](verdicts.md#{kind.value}).")


def test_the_commands_of_a_line_are_found() -> None:
    """Pipes, comments, assignments, quotes and other programs are told from what is ours."""
    line = (
        "A=1 lockdoctor scan --prefix '/a b/' | jq . && sudo -u lockdoctor /x/lockdoctor demo  # x"
    )

    assert list(arguments(line)) == [["scan", "--prefix", "/a b/"], ["demo"]]
    assert list(arguments("useradd --system lockdoctor")) == []


def test_headings_are_named_as_github_names_them() -> None:
    """Punctuation goes, blanks become hyphens."""
    assert anchor("What to rely on: `--format json`") == "what-to-rely-on---format-json"
