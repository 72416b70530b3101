"""
Migrate a history file to the present layout in numbered steps.

Each step is one transaction. A step that was released is never changed: add another. PRAGMA
user_version counts the steps taken.

Times are POSIX seconds on the clock named beside them (clocks.py). Cluster and member IDs are
unsigned numbers of 64 bits, which SQLite does not have, so they are stored as hexadecimal text. The
last run that saw a row is stored with it (last_run_id).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x6C6B6472
"""`lkdr`: distinguishes a history from other programs' databases."""

Step = Sequence[str]

_FIRST = (
    """
    CREATE TABLE clock (
        id INTEGER PRIMARY KEY,
        boot_id TEXT,
        offset_s REAL NOT NULL  -- from the boot's steady clock to POSIX seconds
    )
    """,
    """
    CREATE TABLE lineage (  -- a cluster, from one restored snapshot to the next
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster_id TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        lineage_id INTEGER NOT NULL REFERENCES lineage (id),
        command TEXT NOT NULL,
        prefixes TEXT NOT NULL,  -- a JSON list, each in hexadecimal digits
        clock_id INTEGER NOT NULL REFERENCES clock (id),
        started_at REAL NOT NULL,
        ended_at REAL NOT NULL,
        first_revision INTEGER NOT NULL,  -- no later than when any of its prefixes was read
        revision INTEGER NOT NULL,
        raft_term INTEGER NOT NULL,
        severity INTEGER NOT NULL,
        holds INTEGER NOT NULL,
        findings INTEGER NOT NULL,
        sessions INTEGER
    )
    """,
    "CREATE INDEX run_of_lineage ON run (lineage_id)",
    "CREATE INDEX run_over_prefixes ON run (lineage_id, prefixes)",
    """
    CREATE TABLE mark (  -- answers that told one revision: the first and the last
        lineage_id INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        first_clock_id INTEGER NOT NULL REFERENCES clock (id),
        first_asked_at REAL NOT NULL,
        first_answered_at REAL NOT NULL,
        last_clock_id INTEGER NOT NULL REFERENCES clock (id),
        last_asked_at REAL NOT NULL,
        last_answered_at REAL NOT NULL,
        last_run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        PRIMARY KEY (lineage_id, revision)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX mark_last_run ON mark (last_run_id)",
    """
    CREATE TABLE probe (  -- the last answer that named a raft term and its leader
        lineage_id INTEGER NOT NULL,
        raft_term INTEGER NOT NULL,
        leader_id TEXT NOT NULL,  -- empty where the answer did not name one
        clock_id INTEGER NOT NULL REFERENCES clock (id),
        asked_at REAL NOT NULL,
        last_run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        PRIMARY KEY (lineage_id, raft_term, leader_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX probe_last_run ON probe (last_run_id)",
    """
    CREATE TABLE hold (
        lineage_id INTEGER NOT NULL,
        key BLOB NOT NULL,
        create_revision INTEGER NOT NULL,
        lease_id INTEGER NOT NULL,
        recipe TEXT NOT NULL,
        lock_name BLOB NOT NULL,
        first_clock_id INTEGER NOT NULL REFERENCES clock (id),
        first_answered_at REAL NOT NULL,
        last_clock_id INTEGER NOT NULL REFERENCES clock (id),
        last_asked_at REAL NOT NULL,
        held_clock_id INTEGER REFERENCES clock (id),  -- NULL as long as it only waited
        held_first_answered_at REAL,
        runs INTEGER NOT NULL,
        last_run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        PRIMARY KEY (lineage_id, key, create_revision)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX hold_last_run ON hold (last_run_id)",
    """
    CREATE TABLE stretch (  -- successive readings of a lease: the first and the last
        lineage_id INTEGER NOT NULL,
        lease_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        granted_ttl_s INTEGER NOT NULL,  -- 0 where the lease was gone
        raft_term INTEGER NOT NULL,
        first_clock_id INTEGER NOT NULL REFERENCES clock (id),
        first_asked_at REAL NOT NULL,
        first_answered_at REAL NOT NULL,
        first_remaining_ttl_s INTEGER NOT NULL,
        last_clock_id INTEGER NOT NULL REFERENCES clock (id),
        last_asked_at REAL NOT NULL,
        last_answered_at REAL NOT NULL,
        last_remaining_ttl_s INTEGER NOT NULL,
        readings INTEGER NOT NULL,
        last_run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        PRIMARY KEY (lineage_id, lease_id, number)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX stretch_last_run ON stretch (last_run_id)",
    """
    CREATE TABLE keyless (  -- leases on which the last look found no keys
        lineage_id INTEGER NOT NULL,
        lease_id INTEGER NOT NULL,
        since_clock_id INTEGER NOT NULL REFERENCES clock (id),
        since_at REAL NOT NULL,
        last_run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        PRIMARY KEY (lineage_id, lease_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX keyless_last_run ON keyless (last_run_id)",
    """
    CREATE TABLE finding (  -- one finding, for as long as successive runs had it
        id INTEGER PRIMARY KEY,
        lineage_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        recipe TEXT,  -- NULL, as the name, where it is of leases without keys
        lock_name BLOB,
        since_clock_id INTEGER NOT NULL REFERENCES clock (id),
        since_at REAL NOT NULL,
        runs INTEGER NOT NULL,
        last_run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX finding_last_run ON finding (last_run_id, kind, recipe, lock_name)",
)

_IDENTITIES = (
    # Runs are compared with those judged by the same limits; '' where these are unknown.
    "ALTER TABLE run ADD COLUMN judged_by TEXT NOT NULL DEFAULT ''",
    # Sessions that the run was the first to miss; NULL where it adds none to listed_lease.
    "ALTER TABLE run ADD COLUMN ended_sessions INTEGER",
    """
    CREATE TABLE listed_lease (  -- the leases of the last list, with and without keys
        lineage_id INTEGER NOT NULL REFERENCES lineage (id) ON DELETE CASCADE,
        lease_id INTEGER NOT NULL,
        first_run_id INTEGER NOT NULL,  -- the first run that listed it; it may be forgotten
        was_session INTEGER NOT NULL DEFAULT 0,  -- once seen renewed and without keys
        PRIMARY KEY (lineage_id, lease_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX listed_lease_first_run ON listed_lease (lineage_id, first_run_id)",
    # What a finding is about: a hold, or leases without keys (8 bytes each, big-endian).
    "ALTER TABLE finding ADD COLUMN key BLOB",
    "ALTER TABLE finding ADD COLUMN create_revision INTEGER",
    "ALTER TABLE finding ADD COLUMN leases BLOB",
)

STEPS: tuple[Step, ...] = (_FIRST, _IDENTITIES)


def version(connection: sqlite3.Connection) -> int:
    """Return the number of steps that the file has taken; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def application(connection: sqlite3.Connection) -> int:
    """Return the application_id of the database; 0 where it has no ID."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Take the steps that the file has not taken yet."""
    for number, step in enumerate(steps, start=1):
        if version(connection) < number:
            _take(connection, number, step)


def _take(connection: sqlite3.Connection, number: int, step: Step) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version(connection) < number:  # another run may have been faster
            for statement in step:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
