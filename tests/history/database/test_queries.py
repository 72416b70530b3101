"""The queries of the history, each with its name and its sentence."""

from __future__ import annotations

import re
from pathlib import Path

from lockdoctor import history
from lockdoctor.history.database.queries import names, sql

FOLDER = Path(history.__file__).parent
USED = re.compile(
    r"(?:sql|_ask|_put|inserted|holds|leases|findings)\(\s*(?:connection, |self\.connection, "
    r'|self\._connection, )?"(\w+)"'
)


def test_every_query_is_used_and_every_used_one_is_there() -> None:
    """No query outlives its use, and none is called by a wrong name."""
    code = "".join(path.read_text() for path in FOLDER.rglob("*.py"))

    assert set(USED.findall(code)) == set(names())


def test_every_query_says_what_it_answers() -> None:
    """A sentence stands below each name."""
    text = (FOLDER / "database" / "queries.sql").read_text()
    sentences = re.findall(r"^-- name: (\w+)\n-- ([A-Z].*[.?])$", text, flags=re.MULTILINE)

    assert [name for name, _ in sentences] == list(names())


def test_a_query_comes_without_its_comments() -> None:
    """Python 3.10 takes a statement that begins with a comment for one that changes nothing."""
    assert sql("count_tables") == "SELECT count(*) FROM sqlite_master;"
    assert not any("--" in query for query in names().values())
