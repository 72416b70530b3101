"""The options of `check`."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from lockdoctor.cli.options.run import RUN
from lockdoctor.cli.options.types import choices, duration, option

_STATUS = "Thresholds, in addition to the verdicts"
_OUTPUT = "Output"


class CheckFormat(str, enum.Enum):
    """The formats that `check` can write."""

    NAGIOS = "nagios"
    JSON = "json"
    PROMETHEUS = "prometheus"
    TABLE = "table"


@dataclass(frozen=True, kw_only=True)
class StatusFlags:
    """The limits for the status, and the time limit of the check."""

    warning: Annotated[
        list[str],
        option(
            "-w --warning METRIC=RANGE",
            "WARNING outside RANGE (waiters=5); repeatable.",
            _STATUS,
        ),
    ] = field(default_factory=list)
    critical: Annotated[
        list[str],
        option("-c --critical METRIC=RANGE", "CRITICAL outside RANGE; repeatable.", _STATUS),
    ] = field(default_factory=list)
    first_run_unknown: Annotated[
        bool,
        option("--first-run-unknown", "UNKNOWN, not OK, without an earlier run.", _STATUS),
    ] = False
    timeout_s: Annotated[
        float,
        option(
            "--timeout TIME",
            "Maximum time for the check, not --treat (default 30s).",
            RUN,
            parser=duration,
        ),
    ] = 30.0


@dataclass(frozen=True, kw_only=True)
class ReportFlags:
    """The formats and destinations of the result."""

    format: Annotated[
        str,
        option(
            "--format FORMAT",
            "nagios, json, prometheus or table (default nagios).",
            _OUTPUT,
            **choices(*CheckFormat),
        ),
    ] = CheckFormat.NAGIOS
    output: Annotated[
        list[str],
        option(
            "--output FORMAT=FILE",
            "Another format, to a file; repeatable.",
            _OUTPUT,
        ),
    ] = field(default_factory=list)
    textfile: Annotated[
        Path | None,
        option("--textfile FILE", "Same as --output prometheus=FILE, for node_exporter.", _OUTPUT),
    ] = None
    ping_url: Annotated[
        str | None,
        option(
            "--ping-url URL",
            "Ping a service like healthchecks.io at start and end.",
            _OUTPUT,
        ),
    ] = field(default=None, repr=False)
    quiet: Annotated[
        bool,
        option("--quiet", "Print no output if the status is OK.", _OUTPUT),
    ] = False


@dataclass(frozen=True, kw_only=True)
class TreatFlags:
    """Whether leaked locks are freed."""

    treat: Annotated[
        bool, option("--treat", "Free leaked locks as lockdoctor.toml allows.", RUN)
    ] = False
