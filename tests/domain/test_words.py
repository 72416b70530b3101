"""No sentence in the domain: what a person reads is worded in outputs/text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import lockdoctor.domain

ROOT = Path(lockdoctor.domain.__file__).parent

ERRORS = {
    "check/ranges.py",
    "model/leases.py",
    "policy/durations.py",
    "recipes/declaration.py",
    "recipes/pattern.py",
}
"""Messages of errors, which are written where they are raised."""

NAMES = {"selfcheck/etcd_versions.py"}
"""The numbers of etcd's issues, as etcd's users write them."""

UNTIL_WORDED = {"treatment/restore_plan.py", "treatment/unattended.py"}
"""Reasons that are still values of enums."""

EXCEPTIONS = {
    "the run ended before it was read": "a field of evidence that JSON shows as it is",
    "etcd does not show this user every key on the lease": "a field of a refusal in JSON",
    "the last recipe takes every key": "an assertion",
    "created at": "the name of a field that a client wrote",
    "network card": "the name of a field that a client wrote",
}


def test_no_sentence_stands_in_the_domain() -> None:
    """Two words in a row are a sentence."""
    assert sorted(sentences()) == []


def sentences() -> Iterator[str]:
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name in ERRORS | NAMES | UNTIL_WORDED:
            continue
        for text in literals(ast.parse(file.read_text())):
            if re.search(r"[^\W\d]{2,}[,;]? [^\W\d]{2,}", text) and text not in EXCEPTIONS:
                yield f"{name}: {text}"


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield every text that is neither a docstring nor a type."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for node in constants:
        if isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
