"""The command `show`."""

from __future__ import annotations

from lockdoctor.cli.commands.show.options import ShowFlags
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.history import HistoryFlags
from lockdoctor.cli.options.limits import LimitFlags

EXAMPLES = """\b
Examples:
  lockdoctor show /my-lock/orders
  lockdoctor show 32698f1c0a1b2c3d --html orders.html
  lockdoctor show /my-lock/orders --window 5m --svg orders.svg

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
    Tell the whole story of one lock or lease.

    Who holds and who waits, since when and how each is kept alive; the TTL as
    it was at every moment that is known, in this run and as far back as
    earlier runs have seen it; what the clients wrote about themselves; what
    else hangs on the lease; the verdicts, and what to do. Nothing is ever
    written to etcd.
    """
    from lockdoctor.cli.commands.show.run import run_show  # noqa: PLC0415  # loads grpc and rich

    return run_show(flags, history, limits, connection, config)
