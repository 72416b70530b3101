"""The options for additional data sources: processes and etcd's metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from lockdoctor.cli.options.types import option

_PROCESSES = "Other sources"


@dataclass(frozen=True, kw_only=True)
class ProcessFlags:
    """Processes that take locks, and etcd's own counters."""

    pprof: Annotated[
        list[str],
        option(
            "--pprof [NAME=]URL",
            "pprof URL of a Go process that takes locks; repeatable.",
            _PROCESSES,
        ),
    ] = field(default_factory=list, repr=False)
    pprof_file: Annotated[
        list[Path],
        option("--pprof-file FILE", "Saved goroutine profile; repeatable.", _PROCESSES),
    ] = field(default_factory=list)
    metrics: Annotated[
        list[str],
        option(
            "--metrics URL",
            "Metrics URL of a member; repeatable (default endpoints).",
            _PROCESSES,
        ),
    ] = field(default_factory=list, repr=False)
    no_metrics: Annotated[
        bool, option("--no-metrics", "Do not read etcd's metrics.", _PROCESSES)
    ] = False

    def are_any(self, *, watches: bool) -> bool:
        """Return whether a run has a source: one that watches, or one that reads once."""
        return bool(
            self.pprof or self.pprof_file or self.metrics or (watches and not self.no_metrics)
        )


NO_PROCESSES = ProcessFlags(no_metrics=True)
"""The options without any additional source."""
