"""The command `scan`."""

from __future__ import annotations

from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.processes import ProcessFlags
from lockdoctor.cli.options.run import HistoryFlags, LookupFlags, RunFlags

EXAMPLES = """\b
Examples:
  lockdoctor scan --prefix /my-lock/
  lockdoctor scan --prefix /jobs/ --max-hold 10m     no job takes longer
  lockdoctor scan --prefix /my-lock/ --window 0      one look, no waiting
  lockdoctor scan --prefix /my-lock/ --pprof http://orders-7f:6060
  lockdoctor scan --prefix /my-lock/ --format json | jq .findings

\b
  export ETCDCTL_ENDPOINTS=https://10.0.0.1:2379,https://10.0.0.2:2379
  export ETCDCTL_CACERT=ca.pem
  lockdoctor scan --prefix /my-lock/ --user ops --password-file pw

\b
Exit status: 0 nothing found, 1 findings, 2 bad usage, 3 could not examine,
130 interrupted (a report of what was seen until then is printed).
"""


def scan(
    targets: PrefixFlags,
    run: RunFlags,
    reading: LookupFlags,
    history: HistoryFlags,
    limits: LimitFlags,
    witnesses: ProcessFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Find the leaked locks below a prefix, with proof, and report what they block.

    Reads the keys, then watches their leases until each is decided. That takes
    about 42 s for Go's default TTL of 60 s, and 8 s for a TTL of 10 s. With a
    history it can take less. scan never writes to etcd.
    """
    from lockdoctor.cli.runtime.run import run_scan  # noqa: PLC0415  # loads grpc and rich

    return run_scan(targets, run, reading, history, limits, witnesses, connection, config)
