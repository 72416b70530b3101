"""`show --explain-kind` without an etcd: by the name of the key alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockdoctor.cli.main import main

NOBODY = ("--endpoints", "127.0.0.1:1", "--dial-timeout", "100ms")
KEY = "/jobs/mail/694d7aef9c2b3a01"


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["show", KEY, "--explain-kind", "--format", "json", *NOBODY, *words]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_name_alone_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Which recipes match it, and what must hold for each."""
    found = document(capsys)
    assert isinstance(found["recipes"], list)
    recipes = {each["name"]: each for each in found["recipes"]}

    assert (found["is_in_etcd"], found["kind"], found["taken_by"]) == (False, None, None)
    assert "connection refused" in str(found["not_read"])
    assert recipes["mutex"]["outcome"] == "if"
    assert recipes["mutex"]["conditions"][0] == "the key has a lease"
    assert recipes["vitess"]["outcome"] == "pattern"


def test_a_recipe_of_ones_own_comes_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One without conditions takes the key, whatever etcd has."""
    file = tmp_path / "lockdoctor.toml"
    file.write_text('[[recipe]]\nname = "jobs"\nmatch = "/jobs/{rest}"\nkind = "election"\n')
    found = document(capsys, "--config", str(file))
    assert isinstance(found["recipes"], list)

    assert found["taken_by"] == "jobs"
    assert found["recipes"][0]["kind_basis"] == "own-recipe"
    assert main(["show", KEY, "--explain-kind", *NOBODY, "--config", str(file)]) == 0
    assert "Takes the key." in capsys.readouterr().out


def test_it_writes_no_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """--html and --svg are for the page of a lock."""
    assert main(["show", KEY, "--explain-kind", "--html", str(tmp_path / "x.html")]) == 2
    assert "leave out --html" in capsys.readouterr().err
