"""The command `selfcheck`."""

from __future__ import annotations

from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import FormatFlags, HistoryFlags, JournalFlags

EXAMPLES = """\b
Examples:
  lockdoctor selfcheck --prefix /my-lock/
  lockdoctor selfcheck --endpoints a:2379,b:2379,c:2379 --user ops

\b
Exit status: 0 all that a scan needs works, 1 something does not, 2 bad usage,
3 no member could be read from, 130 interrupted.
"""


def selfcheck(
    form: FormatFlags,
    targets: PrefixFlags,
    history: HistoryFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Check connection and permissions; print the smallest etcd role that suffices.

    Checks each endpoint (reachable, version and its known bugs with leases,
    leader, certificate, clock), tries what a scan does (log in, read the keys
    and the other keys on their leases, list the leases), and opens history and
    journal. Then it prints the etcdctl commands that create the role.
    selfcheck never writes to etcd.
    """
    from lockdoctor.cli.commands.selfcheck.run import run_selfcheck  # noqa: PLC0415  # loads grpc and rich

    return run_selfcheck(form, targets, history, journal, connection, config)
