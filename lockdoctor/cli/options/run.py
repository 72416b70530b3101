"""The options of one run: time limit, rate, format, history and journal."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from lockdoctor.cli.options.types import choices, count, duration, option

RUN = "This run"


class OutputFormat(str, enum.Enum):
    """The formats of most commands."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class FormatFlags:
    """The format of the result."""

    format: Annotated[
        str,
        option("--format table|json", "Output format (default table).", **choices(*OutputFormat)),
    ] = OutputFormat.TABLE


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """The time limit and the format."""

    window_s: Annotated[
        float,
        option(
            "--window TIME",
            "Maximum time to watch, 0 for one reading (default 60s).",
            RUN,
            parser=duration,
        ),
    ] = 60.0
    timeout_s: Annotated[
        float | None,
        option(
            "--timeout TIME",
            "Maximum time for the run (default: the window and 2m).",
            RUN,
            parser=duration,
        ),
    ] = None
    format: Annotated[
        str,
        option(
            "--format table|json", "Output format (default table).", RUN, **choices(*OutputFormat)
        ),
    ] = OutputFormat.TABLE


@dataclass(frozen=True, kw_only=True)
class LookupFlags:
    """The scope and the rate of reading the cluster."""

    max_rate: Annotated[
        int,
        option(
            "--max-rate N", "Maximum lease look-ups per second (default 5000).", RUN, parser=count
        ),
    ] = 5000
    no_sessions: Annotated[
        bool,
        option("--no-sessions", "Do not look for leaked sessions (leases without keys).", RUN),
    ] = False


@dataclass(frozen=True, kw_only=True)
class HistoryFlags:
    """The history file, and whether to use it."""

    history: Annotated[
        Path | None,
        option("--history FILE", "History of earlier runs. [LOCKDOCTOR_HISTORY]", RUN),
    ] = None
    no_history: Annotated[
        bool, option("--no-history", "Do not read or write the history.", RUN)
    ] = False


@dataclass(frozen=True, kw_only=True)
class JournalFlags:
    """The journal file for actions on etcd."""

    journal: Annotated[
        Path | None,
        option("--journal FILE", "Journal of writes to etcd. [LOCKDOCTOR_JOURNAL]", RUN),
    ] = None
