"""Runs a workflow with its settings, cluster, clock, signals and output."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from lockdoctor.cli.config.connection import (
    ConnectionValues,
    connection_settings,
    from_environment,
    from_flags,
    refuse_other_variables,
)
from lockdoctor.cli.config.file import Config, find_config, read_config
from lockdoctor.cli.exit_codes import ExitStatus, scan_status
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags, prefixes
from lockdoctor.cli.options.processes import NO_PROCESSES, ProcessFlags
from lockdoctor.cli.options.run import HistoryFlags, LookupFlags, OutputFormat, RunFlags
from lockdoctor.cli.runtime.memory import give_back_large_blocks
from lockdoctor.cli.runtime.signals import Signals, run_with_timeout
from lockdoctor.cli.runtime.terminal import (
    in_colour,
    is_live_terminal,
    print_message,
    width,
    write_to,
)
from lockdoctor.clock import SystemClock
from lockdoctor.domain.check.accepted_findings import Acceptance, accept
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.errors import ClusterError, ConfigError, HistoryError
from lockdoctor.etcd.client import connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.history.database.ownership import HISTORY
from lockdoctor.history.database.paths import named_path
from lockdoctor.history.store import SqliteHistory, UnavailableHistory, open_history
from lockdoctor.outputs.progress import progress
from lockdoctor.outputs.protocols import Output
from lockdoctor.own_files import require_writable
from lockdoctor.ports import ProcessSource, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan

if TYPE_CHECKING:
    from lockdoctor.workflows.show import ShowRequest

MARGIN_S = 120.0
"""Seconds for a run beside its window: connection, key reads, last reading."""


Request: TypeAlias = "ScanRequest | ShowRequest"
Workflow: TypeAlias = Callable[..., Awaitable[Report]]
"""Takes cluster, clock, request, progress, stop, history and data sources."""


@dataclass(frozen=True, kw_only=True)
class RunDependencies:
    """The inputs of a run besides the cluster and the request."""

    max_rate: int = 5000
    """Maximum lease look-ups per second."""
    history: Path | None = None
    """The history file; None neither reads nor writes a history."""
    acceptances: tuple[Acceptance, ...] = ()
    others: ProcessFlags = NO_PROCESSES
    """The additional data sources."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The result of a run."""

    report: Report
    by_signal: bool
    """Whether Ctrl-C, SIGTERM or SIGHUP ended it."""


def run_scan(
    targets: PrefixFlags,
    run: RunFlags,
    reading: LookupFlags,
    history: HistoryFlags,
    limits: LimitFlags,
    others: ProcessFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> ExitStatus:
    """
    Run a scan and print its report.

    Raises:
        LockdoctorError: In one sentence, before anything was printed.
    """
    file = read_config(find_config(config.config, os.environ))
    request = scan_request(targets, run, reading, limits, file)
    means = replace(means_of(reading, history, file, os.environ), others=others)
    settings = settings_of(connection, config.cluster, file, os.environ)
    return scan_and_print(settings, request, run, means)


def scan_and_print(
    settings: ConnectionSettings, request: ScanRequest, run: RunFlags, means: RunDependencies
) -> ExitStatus:
    """
    Run a scan, and print its report on standard output.

    Raises:
        ClusterError: etcd could not be examined; no output was written.
        OutputError: The report could not be written.
    """
    timeout_s = request.window_s + MARGIN_S if run.timeout_s is None else run.timeout_s
    examined = examine(settings, request, means, timeout_s)
    output = _output(run.format, sys.stdout)
    write_to(sys.stdout, "the report", lambda out: output.render(examined.report, out))
    return scan_status(examined.report, by_signal=examined.by_signal)


def examine(
    settings: ConnectionSettings,
    request: Request,
    means: RunDependencies,
    timeout_s: float,
    workflow: Workflow = scan,
) -> RunResult:
    """
    Run a workflow with handlers for signals and the time-out.

    Args:
        timeout_s: Maximum seconds for the run.
        workflow: The function for the request.

    Raises:
        ClusterError: etcd could not be examined.
        WrongClusterError: Another cluster has answered; the history was not changed.
        KeyboardInterrupt: A signal arrived before the first result.
    """
    give_back_large_blocks()
    stop = StopRequest()
    signals = Signals(stop)
    clock = SystemClock()
    # Before the loop runs: a saved profile that is a pipe can keep a run waiting, and a signal ends
    # that only where no loop has taken it.
    sources = _sources(means.others, settings, clock, watches=request.window_s > 0)
    examination = _examine(settings, means, request, stop, workflow, clock, sources)
    work = run_with_timeout(examination, stop, timeout_s)
    try:
        report = signals.run(work)
    except ClusterError as failed:
        if signals.received:
            raise KeyboardInterrupt from failed
        raise
    today = datetime.fromtimestamp(report.started_at, timezone.utc).date()
    report = accept(report, means.acceptances, today)
    return RunResult(report=report, by_signal=signals.received)


def means_of(
    reading: LookupFlags, history: HistoryFlags, file: Config, environ: Mapping[str, str]
) -> RunDependencies:
    """
    Return the inputs of a run.

    Raises:
        ConfigError: The history options contradict each other.
    """
    return RunDependencies(
        max_rate=reading.max_rate,
        history=history_path(history, environ),
        acceptances=file.acceptances,
    )


def history_path(flags: HistoryFlags, environ: Mapping[str, str]) -> Path | None:
    """
    Return the history's path from the flag, LOCKDOCTOR_HISTORY or the default.

    The default is in the XDG state folder. An unusable history of lockdoctor's does not stop the
    run.

    Raises:
        ConfigError: The options request a history and also exclude it.
        FileRefusedError: The file is not lockdoctor's, or its folder is missing.
    """
    if flags.no_history:
        if flags.history:
            raise ConfigError("--history and --no-history exclude each other. Give one of them.")
        return None
    path = named_path(flags.history, environ)
    with contextlib.suppress(OSError):
        require_writable(path, HISTORY, environ)
    return path


def scan_request(
    targets: PrefixFlags,
    run: RunFlags,
    reading: LookupFlags,
    limits: LimitFlags,
    file: Config,
) -> ScanRequest:
    """
    Return the request of a scan.

    Raises:
        ConfigError: No keys are selected, or flags contradict each other.
    """
    return ScanRequest(
        prefixes=prefixes(targets, file.rules),
        policy=Policy(rules=file.rules, overrides=limits.limits(), recipes=file.book),
        window_s=run.window_s,
        sessions=not reading.no_sessions,
    )


def settings_of(
    flags: ConnectionFlags, cluster: str | None, file: Config, environ: Mapping[str, str]
) -> ConnectionSettings:
    """
    Return the connection's settings.

    The order is: flags, the cluster of --cluster, the environment, the file. Standard error gets a
    line about variables that are not etcdctl's, and about unverified TLS.

    Raises:
        ConfigError: A value is invalid, or a password is missing.
        ClusterUnreachableError: No endpoint was found by SRV records.
    """
    sources: list[ConnectionValues] = [from_flags(flags)]
    if cluster is None:
        sources += [from_environment(environ), file.connection]
    else:
        sources += [file.cluster(cluster), from_environment(environ)]
    if unknown := refuse_other_variables(environ, sources):
        print_message(f"Ignored, because etcdctl has no such variable: {', '.join(unknown)}.")
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    settings = connection_settings(sources, getpass.getpass if on_terminal else None)
    if settings.insecure_skip_tls_verify:
        print_message(
            "The server is not verified (--insecure-skip-tls-verify). Use --cacert instead."
        )
    return settings


async def _examine(
    settings: ConnectionSettings,
    means: RunDependencies,
    request: Request,
    stop: StopRequest,
    workflow: Workflow,
    clock: SystemClock,
    sources: tuple[ProcessSource, ...],
) -> Report:
    cluster = await connect(settings, clock, means.max_rate)
    history = _history(means.history, clock) if means.history else None
    try:
        with progress(sys.stderr, is_terminal=is_live_terminal(sys.stderr, os.environ)) as bar:
            return await workflow(cluster, clock, request, bar, stop, history, sources)
    finally:
        if history is not None:
            history.close()
        await cluster.close()


def _history(path: Path, clock: SystemClock) -> SqliteHistory | UnavailableHistory:
    """Open the history; the report includes the reason if that fails."""
    try:
        return open_history(path, clock.mark())
    except HistoryError as failed:
        return UnavailableHistory(failed)


def _sources(
    flags: ProcessFlags, settings: ConnectionSettings, clock: SystemClock, *, watches: bool
) -> tuple[ProcessSource, ...]:
    if not flags.are_any(watches=watches):
        return ()
    from lockdoctor.cli.runtime.processes import witnesses  # noqa: PLC0415  # loads HTTP clients

    return witnesses(flags, settings, clock, watches=watches)


def _output(form: str, out: TextIO) -> Output:
    if form == OutputFormat.JSON:
        from lockdoctor.outputs.json.report import JsonOutput  # noqa: PLC0415  # not needed by a check

        return JsonOutput()
    from lockdoctor.outputs.table.report import TableOutput  # noqa: PLC0415  # loads rich

    return TableOutput(width=width(), colour=in_colour(out, os.environ))
