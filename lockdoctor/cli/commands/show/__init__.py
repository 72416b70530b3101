"""The command `show`."""

from __future__ import annotations

from lockdoctor.cli.commands.show.options import ShowFlags
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.run import HistoryFlags

EXAMPLES = """\b
Examples:
  lockdoctor show /my-lock/orders
  lockdoctor show 32698f1c0a1b2c3d --html orders.html
  lockdoctor show /my-lock/orders --window 5m --svg orders.svg
  lockdoctor show /my-lock/orders/7587869c --explain-kind

\b
Exit status: 0 nothing wrong with it, 1 findings, 2 bad usage,
3 not there, or could not be examined, 130 interrupted.
"""


def show(
    flags: ShowFlags,
    history: HistoryFlags,
    limits: LimitFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Show everything known about one lock or lease.

    The holder and the waiters, since when, and how each lease is kept alive;
    the TTL over time, in this run and in earlier runs; what the clients wrote
    about themselves; the other keys on the lease; the verdicts, and what to
    do. show never writes to etcd.
    """
    from lockdoctor.cli.commands.show.run import run_show  # noqa: PLC0415  # loads grpc and rich

    return run_show(flags, history, limits, connection, config)
