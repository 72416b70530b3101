"""From any earlier layout to the present one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.history.database.columns import prefixes_text
from lockdoctor.history.database.migrations import APPLICATION_ID, STEPS, migrate, version
from lockdoctor.history.store import open_history
from tests.factories.history import (
    BOOT,
    CLUSTER,
    HOLD,
    ORDERS,
    PREFIX,
    SINCE_BOOT_S,
    a_clock,
    a_run,
    recalled,
    stored,
)
from tests.factories.reports import NOON


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL")
    return sorted((name, sql) for name, sql in rows if not name.startswith("sqlite_"))


@pytest.mark.parametrize("taken", range(len(STEPS) + 1))
def test_every_layout_becomes_the_present_one(tmp_path: Path, taken: int) -> None:
    """Whatever steps a file has taken, the rest lead to the same layout, and it can be used."""
    old, fresh = tmp_path / "old.sqlite3", tmp_path / "fresh.sqlite3"
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as connection:
        migrate(connection, STEPS[:taken])
    for path in (old, fresh):
        stored(path, a_run())

    with (
        contextlib.closing(sqlite3.connect(old)) as one,
        contextlib.closing(sqlite3.connect(fresh)) as other,
    ):
        assert schema(one) == schema(other)
        assert version(one) == version(other) == len(STEPS)
    assert recalled(old, NOON + 300).runs == 1


def test_a_step_that_fails_leaves_the_layout_before_it() -> None:
    """The file goes from one whole layout to another, or stays."""
    steps = (("CREATE TABLE one (id)",), ("CREATE TABLE two (id)", "CREATE TABLE one (id)"))
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, steps)

        assert [name for name, _ in schema(connection)] == ["one"]
        assert version(connection) == 1
        assert not connection.in_transaction


def test_a_step_is_taken_once() -> None:
    """A second run finds nothing to do."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        migrate(connection)

        assert version(connection) == len(STEPS)


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    """Other programs can tell it from their own, and pages can be given back, one by one."""
    with open_history(tmp_path / "history.sqlite3", a_clock()) as history:
        pragmas = {
            name: history._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "auto_vacuum", "journal_mode", "synchronous")
        }

    incremental, normal = 2, 1
    assert pragmas == {
        "application_id": APPLICATION_ID,
        "auto_vacuum": incremental,
        "journal_mode": "wal",
        "synchronous": normal,
    }


def test_findings_of_an_older_layout_neither_end_nor_stand(tmp_path: Path) -> None:
    """Layout 1 did not store what a finding is about, nor by which limits it was judged."""
    path = tmp_path / "history.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, STEPS[:1])
        connection.execute("INSERT INTO clock VALUES (1, ?, ?)", (BOOT, NOON - SINCE_BOOT_S))
        connection.execute("INSERT INTO lineage VALUES (1, ?)", (f"{CLUSTER:016x}",))
        prefixes = prefixes_text((PREFIX,))
        run = (1, 1, "check", prefixes, 1, NOON, NOON + 1, 5, 99, 2, 1, 1, 1, 4)
        connection.execute("INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", run)
        finding = (1, 1, "leaked-lock", "mutex", ORDERS.name, 1, NOON, 7, 1)
        connection.execute("INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", finding)

    past = recalled(path, NOON + 300)
    assert (past.runs, past.findings, past.listings) == (1, (), ())

    leak = FindingSeen(VerdictKind.LEAKED_LOCK, ORDERS, hold=HOLD)
    stored(path, a_run(NOON + 300, findings=[leak]))
    past = recalled(path, NOON + 600)
    assert (past.runs, [found.runs for found in past.findings]) == (2, [1])
