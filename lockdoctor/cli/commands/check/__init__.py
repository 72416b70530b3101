"""The command `check`."""

from __future__ import annotations

from lockdoctor.cli.commands.check.options import ReportFlags, StatusFlags, TreatFlags
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import HistoryFlags, JournalFlags, LookupFlags

EXAMPLES = """\b
Examples:
  lockdoctor check --prefix /my-lock/
  lockdoctor check --prefix /jobs/ --max-hold 10m -w waiters=5 -c waiters=50
  lockdoctor check --quiet --textfile /var/lib/node_exporter/lockdoctor.prom

\b
RANGE, as in monitoring plugins: 10 (alarm above 10 or below 0), 10: (below
10), ~:10 (above 10), 10:20 (outside), @10:20 (inside).
METRIC: locks, held, waiters, leaked, findings, accepted, treated, sessions,
oldest_hold (in seconds), lookups, seconds.

\b
Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (could not examine, bad
usage too), 130 interrupted.
"""


def check(
    targets: PrefixFlags,
    status: StatusFlags,
    treatment: TreatFlags,
    telling: ReportFlags,
    reading: LookupFlags,
    history: HistoryFlags,
    journal: JournalFlags,
    limits: LimitFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Check the locks below a prefix, for cron and for monitoring systems.

    Takes one reading, within seconds, and joins it to those of earlier runs.
    Only a hold longer than --max-hold is proven leaked, from the second run on.
    Without a limit, holds of 5 min or more are mentioned.
    check writes to etcd only with --treat.
    """
    from lockdoctor.cli.commands.check.run import run_check  # noqa: PLC0415  # loads grpc and rich

    return run_check(
        targets,
        status,
        treatment,
        telling,
        reading,
        history,
        journal,
        limits,
        connection,
        config,
    )
