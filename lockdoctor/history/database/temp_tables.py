"""Fill the temporary tables with the holds and leases that queries are about."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.history.database.queries import sql


@contextlib.contextmanager
def temporary_tables(connection: sqlite3.Connection) -> Iterator[None]:
    """Create the temporary tables, and drop them; call it outside of transactions."""
    connection.execute(sql("begin_asking"))
    try:
        connection.execute(sql("make_asked_holds"))
        connection.execute(sql("make_asked_leases"))
        yield
    finally:
        connection.execute(sql("end_asking"))


def set_requested_holds(connection: sqlite3.Connection, holds: Iterable[Hold]) -> None:
    """Store the holds for the next queries; call it once."""
    rows = ((place, hold.key, hold.create_revision) for place, hold in enumerate(holds))
    connection.executemany(sql("ask_of_hold"), rows)


def set_requested_leases(connection: sqlite3.Connection, lease_ids: Iterable[LeaseId]) -> None:
    """Replace the leases for the next queries."""
    connection.execute(sql("ask_nothing_of_leases"))
    connection.executemany(sql("ask_of_lease"), enumerate(lease_ids))
