"""The command `show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options.shared import (
    RUN,
    ConfigFlags,
    ConnectionFlags,
    Format,
    HistoryFlags,
    LimitFlags,
    duration,
    one_of,
)
from lockdoctor.values import dataclass

EXAMPLES = """\b
Examples:
  lockdoctor show /my-lock/orders
  lockdoctor show 32698f1c0a1b2c3d --html orders.html
  lockdoctor show /my-lock/orders --window 5m --svg orders.svg

\b
Exit status: 0 nothing wrong with it, 1 findings, 2 bad usage,
3 not there, or could not be examined, 130 interrupted.
"""


@dataclass(frozen=True, kw_only=True)
class ShowFlags:
    """What to show, for how long, and in which form."""

    subject: Annotated[
        str,
        typer.Argument(
            metavar="KEY-OR-LEASE",
            help="The name of a lock, a key, or a lease as etcdctl prints it.",
        ),
    ]
    window_s: Annotated[
        float,
        typer.Option(
            "--window",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Watch at most so long (60s). 0 takes one reading.",
            rich_help_panel=RUN,
        ),
    ] = 60.0
    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*Format),
            metavar="table|json",
            show_default=False,
            help="For people (the default), or the document of scan with this alone in it.",
            rich_help_panel=RUN,
        ),
    ] = Format.TABLE
    svg: Annotated[
        Path | None,
        typer.Option(
            "--svg", metavar="FILE", help="Draw the page into a file.", rich_help_panel=RUN
        ),
    ] = None
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write the page as HTML, for a ticket or a post-mortem; it fetches nothing.",
            rich_help_panel=RUN,
        ),
    ] = None


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
