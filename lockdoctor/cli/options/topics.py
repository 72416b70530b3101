"""The topics of `lockdoctor help TOPIC`: options that several commands accept."""

from __future__ import annotations

from collections.abc import Callable

from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.processes import ProcessFlags
from lockdoctor.cli.options.run import HistoryFlags, JournalFlags, LookupFlags, RunFlags


def connection(connection: ConnectionFlags, config: ConfigFlags) -> int:  # noqa: ARG001  # parsed for its help alone
    """
    List the connection options. Every command that reads etcd accepts them.

    They are etcdctl's. A flag overrides the environment, and --cluster overrides it, too.
    """
    return 0


def limits(limits: LimitFlags) -> int:  # noqa: ARG001  # as above
    """
    List the limits. scan, check, show and revoke accept them.

    They apply to every prefix of the run. TIME is like 90s, 5m, 1h30m.
    """
    return 0


def run(run: RunFlags, lookups: LookupFlags, history: HistoryFlags, journal: JournalFlags) -> int:  # noqa: ARG001  # as above
    """List the options of a run. Not every command accepts all of them."""
    return 0


def processes(processes: ProcessFlags) -> int:  # noqa: ARG001  # as above
    """
    List the additional data sources. scan accepts them.

    They are read without a proxy, at both ends of the run: a process for at most 20 s, metrics
    for at most 10 s (2 s without --metrics).
    """
    return 0


TOPICS: dict[str, Callable[..., int]] = {
    topic.__name__: topic for topic in (connection, limits, run, processes)
}

DETAILS = {
    "limits": """\b
--max-hold: a lock held longer is proven leaked.
--critical-hold: a lock held longer is CRITICAL even without waiters.
--max-ttl: after a crash, a lock stays taken for its TTL.
--kind: elections and registrations are held as long as their process runs.
""",
    "run": """\b
--window: the watch stops early when every lease is decided. One reading
cannot prove a renewal.
--timeout: the report has the results so far.
--max-rate: the first tenth of N is sent at once.
--history: proves how long a lock is held. Default:
lockdoctor/history.sqlite3 in the XDG state folder (~/.local/state).
--journal: records each write to etcd, before and after it. Default:
lockdoctor/journal.jsonl in that folder.
""",
    "processes": """\b
--pprof: names the process behind a lease, for example
--pprof orders-7f=http://orders-7f:6060. Go pauses the process to list its
goroutines; above 20,000, they are only counted.
--pprof-file: preferably saved with debug=2.
""",
}
"""What one line of an option does not hold."""
