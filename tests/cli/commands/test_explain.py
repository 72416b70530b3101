"""`lockdoctor explain`: every verdict, from the page of the documentation."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.verdict_docs import PLACES, explanations
from tests.docs.pages import Page
from tests.folders import ROOT

PAGE = Page(ROOT / "docs" / "verdicts.md")


def test_every_verdict_is_explained_in_the_words_of_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Means, evidence and remedy of the page come out, whatever the width."""
    monkeypatch.setenv("COLUMNS", "80")
    for kind in VerdictKind:
        assert main(["explain", kind.value]) == 0
        out = capsys.readouterr().out

        assert out.startswith(f"{kind.value}\n\nMeans.")
        assert max(map(len, out.splitlines())) <= 80
    assert {told.verdict for told in explanations()} == {kind.value for kind in VerdictKind}


def test_a_remedy_comes_with_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code that does not leak can be copied as it stands on the page, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    main(["explain", "leaked-lock"])
    out = capsys.readouterr().out

    assert "    defer session.Close() // ends lease and lock, on every path" in out
    assert "lock.refresh()" in out


def test_without_a_verdict_all_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """One short text for each: never empty, and without Markdown."""
    assert main(["explain"]) == 0
    out = capsys.readouterr().out

    assert all(kind.value in out for kind in VerdictKind)
    assert all(told.summary.endswith(".") for told in explanations())
    assert "**" not in out


def test_an_unknown_verdict_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that comes nearest is offered."""
    assert main(["explain", "leaked-locks"]) == 2
    assert capsys.readouterr().err == (
        "lockdoctor: 'leaked-locks' is not a verdict. Did you mean leaked-lock?\n"
    )


def test_the_page_is_found_in_a_package_first() -> None:
    """An installed program needs no checkout; a checkout has the page only once."""
    packaged, in_checkout = PLACES

    assert packaged.parent.name == "lockdoctor"
    assert in_checkout == ROOT / "docs" / "verdicts.md"
    assert not packaged.exists()


def test_the_python_of_the_page_is_python() -> None:
    """Every example parses."""
    examples = PAGE.blocks("python")

    assert examples
    for example in examples:
        ast.parse(example)


@pytest.mark.go
@pytest.mark.skipif(not shutil.which("gofmt"), reason="gofmt is not in PATH; install Go")
def test_the_go_of_the_page_is_go(tmp_path: Path) -> None:
    """Every example parses, and is laid out as gofmt does it."""
    examples = PAGE.blocks("go")

    assert examples
    for number, example in enumerate(examples):
        body = example if re.match(r"func ", example) else f"func f() {{\n{_indented(example)}}}\n"
        file = tmp_path / f"{number}.go"
        file.write_text(f"package p\n\n{body}")
        done = subprocess.run(["gofmt", "-l", file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _indented(code: str) -> str:
    return "".join(f"\t{line}\n" if line else "\n" for line in code.splitlines())
