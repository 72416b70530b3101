"""
The words of the code: error messages, docstrings, help, and the sentences of the outputs.

The test prints every place as `file:line: rule: text`. The rules are those of test_prose.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.test_prose import Line, broken_rules
from tests.folders import ROOT

PACKAGE = ROOT / "lockdoctor"
MAX_FIRST_LINE = 80
"""The maximum number of characters of the first line of a docstring."""

ENDS = (".", "?", "`", ">")
"""The ends of an error: of a sentence, a command to copy, or another error's text (`>`)."""

FRAGMENTS = {
    "ValueError": "the caller adds the flag or line, and the period",
    "PatternError": "the caller adds the key and the line, and the period",
    "BadParameter": "typer adds the option, the command the period",
    "ProtocolError": "a reason, quoted in a note",
    "ProcessReadError": "a reason, quoted after the name of the process",
    "WriteOutcomeUnknownError": "a reason, quoted in an outcome",
    "LeaseNotFoundError": "a reason, quoted in an outcome",
    "RevisionCompactedError": "read again by the caller",
    "AssertionError": "a fault of the program",
    "ImportError": "a fault of the installation",
    "PermissionError": "the text of the system",
    "BlockingIOError": "the text of the system",
    "ConnectionResetError": "a reason, quoted in a note",
    "TimeoutError": "a reason, quoted in a note",
}
"""Errors whose text is a part of a sentence, each with the reason."""

UNREVISED: set[str] = set()
"""Modules of treatments whose sentences still have old words."""

ALLOWED = {
    ("etcd/http2/calls.py", "speak HTTP/2"): "the term for a protocol",
    ("etcd/http2/calls.py", "nobody asked for"): "a reason of the protocol",
    ("etcd/http2/connection.py", "speak"): "the term for a protocol",
    ("domain/inference/deadlines.py", '"for ever"'): "a quotation",
    ("etcd/connection/connection.py", "all the same"): "no other word is as short",
    ("workflows/scan/scan.py", "witnesses"): "the name of a parameter",
    ("workflows/treatment/plan.py", "tell"): "not yet revised",
    ("outputs/table/parts/wait_graph.py", "stands for"): "the term for an abbreviation",
    ("outputs/table/show.py", "Nobody holds it"): "not yet revised",
}
"""Places (module, part of the text) that break a rule, each with its reason."""


@cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Return each module of the package, parsed."""
    return tuple(
        (path, ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


def text_of(node: ast.expr) -> str:
    """Return a text, with <> for each part that is not literal."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return "<>"


def errors() -> Iterator[tuple[str, Line]]:
    """Give the class and the text of every error that is raised with a sentence."""
    for path, module in modules():
        for node in ast.walk(module):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            text = text_of(node.args[0])
            if (name.endswith("Error") or name == "BadParameter") and " " in text:
                yield name, Line(str(path.relative_to(PACKAGE)), node.lineno, text)


def docstrings() -> Iterator[Line]:
    """Give every docstring of a module, class or function."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path, module in modules():
        for node in ast.walk(module):
            if isinstance(node, documented) and (text := ast.get_docstring(node)):
                yield Line(str(path.relative_to(PACKAGE)), getattr(node, "lineno", 1), text)


def sentences() -> Iterator[Line]:
    """Give every literal of the outputs and of the command line that has two words or more."""
    for path, module in modules():
        place = path.relative_to(PACKAGE)
        if place.parts[0] not in ("outputs", "cli") or "_pb2" in place.name:
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield Line(str(place), node.lineno, node.value)


def listed(broken: Iterator[tuple[Line, str]]) -> list[str]:
    """Return the places that break a rule, one a line."""
    return [
        f"{line.page}:{line.number}: {rule}: {' '.join(line.text.split())[:160]}"
        for line, rule in broken
        if line.page not in UNREVISED
        if not any(line.page == page and part in line.text for page, part in ALLOWED)
    ]


def test_words_of_the_errors() -> None:
    """No first person and no banned word."""
    problems = listed(broken_rules(line for _, line in errors()))

    assert not problems, "\n".join(problems)


def test_an_error_is_a_sentence() -> None:
    """It ends with a period, a question or a command; what is quoted elsewhere does not."""
    problems = [
        f"{line.page}:{line.number}: {name}: {line.text}"
        for name, line in errors()
        if not line.text.endswith(ENDS) and name not in FRAGMENTS and line.page not in UNREVISED
    ]

    assert not problems, "\n".join(problems)


def test_words_of_the_docstrings() -> None:
    """No first person and no banned word."""
    problems = listed(broken_rules(docstrings()))

    assert not problems, "\n".join(problems)


def test_words_of_the_outputs() -> None:
    """No first person and no banned word."""
    problems = listed(broken_rules(sentences()))

    assert not problems, "\n".join(problems)


def test_first_lines_of_docstrings() -> None:
    """They fit a line of a list."""
    problems = [
        f"{line.page}:{line.number}: {line.text.splitlines()[0]}"
        for line in docstrings()
        if len(line.text.splitlines()[0]) > MAX_FIRST_LINE
    ]

    assert not problems, "\n".join(problems)
