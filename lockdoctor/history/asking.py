"""Says what the next questions to the file are about."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.locks import Hold
from lockdoctor.history.queries import sql


def ask_of_holds(connection: sqlite3.Connection, holds: Iterable[Hold]) -> None:
    """Ask about these holds, and no others any more."""
    connection.execute(sql("ask_nothing_of_holds"))
    connection.executemany(sql("ask_of_hold"), holds)


def ask_of_leases(connection: sqlite3.Connection, lease_ids: Iterable[LeaseId]) -> None:
    """Ask about these leases, and no others any more."""
    connection.execute(sql("ask_nothing_of_leases"))
    connection.executemany(sql("ask_of_lease"), ((lease_id,) for lease_id in lease_ids))
