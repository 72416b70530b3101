"""The command `selfcheck`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lockdoctor.cli.options import (
    ConfigFlags,
    ConnectionFlags,
    HistoryFlags,
    JournalFlags,
    TargetFlags,
    one_of,
)
from lockdoctor.cli.scan import Format

EXAMPLES = """\b
Examples:
  lockdoctor selfcheck --prefix /my-lock/
  lockdoctor selfcheck --endpoints a:2379,b:2379,c:2379 --user ops

\b
Exit status: 0 all that a scan needs works, 1 something does not, 2 bad usage,
3 no member could be read from, 130 interrupted.
"""


@dataclass(frozen=True, kw_only=True)
class SelfCheckFlags:
    """In which form."""

    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*Format),
            metavar="table|json",
            show_default=False,
            help="For people (the default) or for programs.",
        ),
    ] = Format.TABLE


def selfcheck(
    flags: SelfCheckFlags,
    targets: TargetFlags,
    history: HistoryFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Say whether lockdoctor can do its work here, and with which role.

    Looks at each endpoint (reachable, version and its known bugs with leases,
    leader, certificate, clock), tries what a scan does (log in, read the keys
    and what else is on their leases, list the leases), and opens history and
    journal. Then it prints the etcdctl commands for the smallest role that
    suffices. Nothing is ever written to etcd.
    """
    from lockdoctor.cli.selfcheck_run import run_selfcheck  # noqa: PLC0415  # loads grpc and rich

    return run_selfcheck(flags, targets, history, journal, connection, config)
