"""The command `scan`."""

from __future__ import annotations

from typing import Annotated

import typer

from lockdoctor.cli.options.processes import WitnessFlags
from lockdoctor.cli.options.shared import (
    RUN,
    ConfigFlags,
    ConnectionFlags,
    Format,
    HistoryFlags,
    LimitFlags,
    ReadingFlags,
    TargetFlags,
    duration,
    one_of,
)
from lockdoctor.values import dataclass

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


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """How long, and in which form."""

    window_s: Annotated[
        float,
        typer.Option(
            "--window",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Watch at most so long (60s); it ends earlier once everything is decided. 0 takes"
            " one reading, which proves no renewal.",
            rich_help_panel=RUN,
        ),
    ] = 60.0
    timeout_s: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            parser=duration,
            metavar="DURATION",
            help="End the whole run after this, with a report of what was seen (the window and"
            " 2m).",
            rich_help_panel=RUN,
        ),
    ] = None
    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*Format),
            metavar="table|json",
            show_default=False,
            help="For people (the default) or for programs. It goes to standard output, everything"
            " else to standard error.",
            rich_help_panel=RUN,
        ),
    ] = Format.TABLE


def scan(
    targets: TargetFlags,
    run: RunFlags,
    reading: ReadingFlags,
    history: HistoryFlags,
    limits: LimitFlags,
    witnesses: WitnessFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Find the leaked locks below a prefix, with proof, and say what they block.

    Reads the keys, then watches their leases until each is decided: about 42 s
    for sessions of Go's default TTL of 60 s, 8 s for a TTL of 10 s; at once
    where an earlier run has seen them. Nothing is ever written to etcd.
    """
    from lockdoctor.cli.runtime import run as wiring  # noqa: PLC0415  # loads grpc and rich

    return wiring.run_scan(targets, run, reading, history, limits, witnesses, connection, config)
