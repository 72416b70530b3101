"""The command `scan`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options import (
    ConfigFlags,
    ConnectionFlags,
    LimitFlags,
    TargetFlags,
    count,
    duration,
    one_of,
)

_RUN = "This run"

EXAMPLES = """\b
Examples:
  lockdoctor scan --prefix /my-lock/
  lockdoctor scan --prefix /jobs/ --max-hold 10m     no job takes longer
  lockdoctor scan --prefix /my-lock/ --window 0      one look, no waiting
  lockdoctor scan --prefix /my-lock/ --history ~/locks.sqlite3
  lockdoctor scan --prefix /my-lock/ --format json | jq .findings

\b
  export ETCDCTL_ENDPOINTS=https://10.0.0.1:2379,https://10.0.0.2:2379
  export ETCDCTL_CACERT=ca.pem
  lockdoctor scan --prefix /my-lock/ --user ops --password-file pw

\b
Exit status: 0 nothing found, 1 findings, 2 bad usage, 3 could not examine,
130 interrupted (a report of what was seen until then is printed).
"""


class Format(str, enum.Enum):
    """What `scan` can write."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """How long, how fast, and in which form."""

    window_s: Annotated[
        float,
        typer.Option(
            "--window",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Watch at most so long (60s); it ends earlier once everything is decided. 0 takes"
            " one reading, which proves no renewal.",
            rich_help_panel=_RUN,
        ),
    ] = 60.0
    timeout_s: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            parser=duration,
            metavar="DURATION",
            help="End the whole run after this, with a report of what was seen (the window and"
            " 30s).",
            rich_help_panel=_RUN,
        ),
    ] = None
    max_rate: Annotated[
        int,
        typer.Option(
            "--max-rate",
            parser=count,
            metavar="N",
            show_default=False,
            help="At most so many look-ups of leases a second (5000).",
            rich_help_panel=_RUN,
        ),
    ] = 5000
    no_sessions: Annotated[
        bool,
        typer.Option(
            "--no-sessions",
            help="Do not look for leaked sessions: the leases of the whole cluster without a key.",
            rich_help_panel=_RUN,
        ),
    ] = False
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="FILE",
            help="Build on what earlier runs with this file have seen, and add to it; it proves"
            " how long a lock has been held. [LOCKDOCTOR_HISTORY]",
            rich_help_panel=_RUN,
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
            rich_help_panel=_RUN,
        ),
    ] = Format.TABLE


def scan(
    targets: TargetFlags,
    run: RunFlags,
    limits: LimitFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Find the leaked locks below a prefix, with proof, and say what they block.

    Reads the keys, then watches their leases until each is decided: about 42 s
    for sessions of Go's default TTL of 60 s, 8 s for a TTL of 10 s. Nothing is
    ever written to etcd.
    """
    from lockdoctor.cli import wiring  # noqa: PLC0415  # loads grpc and rich

    return wiring.run_scan(targets, run, limits, connection, config)
