"""What a person reads is as approved; `pytest tests/approved --update` renews the pages."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.approved import health_checks, records, reports, sentences, treatments

FOLDER = Path(__file__).parent

PAGES = {
    **sentences.PAGES,
    **reports.PAGES,
    **health_checks.PAGES,
    **treatments.PAGES,
    **records.PAGES,
}
"""What renders each page, by its place below this folder without .txt."""


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_as_approved(
    name: str, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every character; the difference is a wording to be read, then approved with --update."""
    file = FOLDER / f"{name}.txt"
    page = PAGES[name]()
    approved = file.read_text(encoding="utf-8") if file.exists() else ""
    changes = difference(approved, page, name)
    if changes and pytestconfig.getoption("update"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(page, encoding="utf-8")
        with capsys.disabled():
            print(f"\n{changes}")  # noqa: T201  # what is approved is shown
    elif changes:
        pytest.fail(f"{changes}\nIf this is meant: pytest tests/approved --update", pytrace=False)


def test_no_approved_page_is_left_over(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that nothing renders any more goes with its renderer."""
    files = {str(file.relative_to(FOLDER).with_suffix("")) for file in FOLDER.rglob("*.txt")}
    for name in sorted(files - PAGES.keys()) if pytestconfig.getoption("update") else ():
        (FOLDER / f"{name}.txt").unlink()
        with capsys.disabled():
            print(f"\ndeleted {name}.txt")  # noqa: T201  # what is approved is shown
        files.remove(name)

    assert files <= PAGES.keys(), "to delete them: pytest tests/approved --update"


def difference(approved: str, page: str, name: str) -> str:
    """Return what changed, line by line; empty where nothing did."""
    old, new = approved.splitlines(), page.splitlines()
    lines = difflib.unified_diff(old, new, f"{name}, approved", f"{name}, now", lineterm="", n=1)
    return "\n".join(lines) or ("" if approved == page else f"{name}: its last line break changed")
