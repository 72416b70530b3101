"""The options for additional data sources: processes and etcd's metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

_WITNESSES = "Other sources"


@dataclass(frozen=True, kw_only=True)
class ProcessFlags:
    """Processes that take locks, and etcd's own counters."""

    pprof: Annotated[
        list[str],
        typer.Option(
            "--pprof",
            metavar="[NAME=]URL",
            help="pprof URL of a Go process that takes locks, like http://orders-7f:6060;"
            " repeatable. Names the process behind a lease. Go pauses the process to list"
            " its goroutines (not above 20,000). Read without a proxy, at both ends of the"
            " run, for at most 20s.",
            rich_help_panel=_WITNESSES,
        ),
    ] = field(default_factory=list, repr=False)
    pprof_file: Annotated[
        list[Path],
        typer.Option(
            "--pprof-file",
            metavar="FILE",
            help="Saved goroutine profile, preferably with debug=2; repeatable.",
            rich_help_panel=_WITNESSES,
        ),
    ] = field(default_factory=list)
    metrics: Annotated[
        list[str],
        typer.Option(
            "--metrics",
            metavar="URL",
            help="Metrics URL of a member, like http://10.0.0.1:2381; repeatable (default: each"
            " endpoint, if it answers). Read without a proxy, at both ends of the run, for"
            " at most 10s (2s for the default).",
            rich_help_panel=_WITNESSES,
        ),
    ] = field(default_factory=list, repr=False)
    no_metrics: Annotated[
        bool,
        typer.Option(
            "--no-metrics",
            help="Do not read etcd's metrics.",
            rich_help_panel=_WITNESSES,
        ),
    ] = False

    def are_any(self, *, watches: bool) -> bool:
        """Return whether a run has a source: one that watches, or one that reads once."""
        return bool(
            self.pprof or self.pprof_file or self.metrics or (watches and not self.no_metrics)
        )


NO_PROCESSES = ProcessFlags(no_metrics=True)
"""The options without any additional source."""
