"""Puts a run together: settings, cluster, clock, signals, workflow, output."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import sys
from collections.abc import Coroutine, Mapping
from typing import TextIO

from lockdoctor.cli.config import Config, find_config, read_config
from lockdoctor.cli.connection import (
    ConnectionValues,
    connection_settings,
    from_environment,
    from_flags,
)
from lockdoctor.cli.exit_status import ExitStatus, scan_status
from lockdoctor.cli.options import ConfigFlags, ConnectionFlags, LimitFlags, TargetFlags
from lockdoctor.cli.scan import Format, RunFlags
from lockdoctor.cli.targets import prefixes
from lockdoctor.clock import SystemClock
from lockdoctor.domain.policy import Policy
from lockdoctor.domain.report import Report
from lockdoctor.errors import ClusterError, ClusterTimeout
from lockdoctor.etcd.cluster import EtcdCluster
from lockdoctor.etcd.connection import ConnectionSettings
from lockdoctor.outputs.base import Output
from lockdoctor.outputs.json import JsonOutput
from lockdoctor.outputs.live import progress
from lockdoctor.outputs.table import TableOutput
from lockdoctor.ports import Stop
from lockdoctor.workflows.scan import ScanRequest, scan

MARGIN_S = 30.0
"""What a run may take beyond its window: connecting, reading keys, the last look."""

GRACE_S = 5.0
"""How long a run that was asked to end may take to sum up before it is cut off."""


def run_scan(
    targets: TargetFlags,
    run: RunFlags,
    limits: LimitFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> ExitStatus:
    """
    Run a scan and print its report.

    Raises:
        LockdoctorError: In one sentence, before anything was printed.
    """
    file = read_config(find_config(config.config, os.environ))
    request = scan_request(targets, run, limits, file)
    settings = settings_of(connection, config.cluster, file, os.environ)
    timeout_s = run.window_s + MARGIN_S if run.timeout_s is None else run.timeout_s
    stop = Stop()
    signals = Signals(stop)
    try:
        report = asyncio.run(_scan(settings, run.max_rate, request, stop, signals, timeout_s))
    except ClusterError:
        if signals.came:
            return ExitStatus.INTERRUPTED
        raise
    _output(run.format, sys.stdout).render(report, sys.stdout)
    return scan_status(report, by_signal=signals.came)


def scan_request(
    targets: TargetFlags, run: RunFlags, limits: LimitFlags, file: Config
) -> ScanRequest:
    """
    Say what to scan.

    Raises:
        ConfigError: Nothing says which keys, or what is said contradicts itself.
    """
    return ScanRequest(
        prefixes=prefixes(targets, file.rules),
        policy=Policy(rules=file.rules, overrides=limits.limits()),
        window_s=run.window_s,
        sessions=not run.no_sessions,
    )


def settings_of(
    flags: ConnectionFlags, cluster: str | None, file: Config, environ: Mapping[str, str]
) -> ConnectionSettings:
    """
    Say how to connect: flags, then a cluster named by --cluster, the environment, the file.

    Raises:
        ConfigError: What is given does not make sense, or a password is missing.
    """
    sources: list[ConnectionValues] = [from_flags(flags)]
    if cluster is None:
        sources += [from_environment(environ), file.connection]
    else:
        sources += [file.cluster(cluster), from_environment(environ)]
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return connection_settings(sources, getpass.getpass if on_terminal else None)


class Signals:
    """Lets the first Ctrl-C or SIGTERM end a run with a report, the second at once."""

    def __init__(self, stop: Stop) -> None:
        """Nothing has come yet; listen() begins."""
        self.came = False
        self._stop = stop

    def listen(self) -> None:
        """Take the signals over, in the running loop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._first, number)

    def _first(self, number: signal.Signals) -> None:
        self.came = True
        self._stop.ask(f"ended by {number.name}")
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(each)


async def in_time(work: Coroutine[None, None, Report], stop: Stop, timeout_s: float) -> Report:
    """
    Wait for a run; ask it to end when the time is over, and cut it off if it does not.

    Raises:
        ClusterTimeout: It was cut off.
    """
    task = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(stop.asked())
    timer = asyncio.get_running_loop().call_later(
        timeout_s, stop.ask, f"the time-out of {timeout_s:g} s for the whole run is over"
    )
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=GRACE_S)
        if task.done():
            return task.result()
        raise ClusterTimeout(f"etcd did not answer in time: {stop.reason}")
    finally:
        timer.cancel()
        asked.cancel()
        task.cancel()


async def _scan(
    settings: ConnectionSettings,
    max_rate: int,
    request: ScanRequest,
    stop: Stop,
    signals: Signals,
    timeout_s: float,
) -> Report:
    signals.listen()
    clock = SystemClock()
    cluster = EtcdCluster(settings, clock, max_rate=max_rate)
    try:
        with progress(sys.stderr) as bar:
            return await in_time(scan(cluster, clock, request, bar, stop), stop, timeout_s)
    finally:
        await cluster.close()


def _output(form: Format, out: TextIO) -> Output:
    if form is Format.JSON:
        return JsonOutput()
    return TableOutput(width=shutil.get_terminal_size((120, 24)).columns, colour=_colour(out))


def _colour(out: TextIO) -> bool:
    """Source: no-color.org; terminfo's dumb terminal."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
