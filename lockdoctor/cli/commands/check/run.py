"""Runs a check: reads once, adds earlier readings, judges and reports."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lockdoctor.cli.commands.check.options import ReportFlags, StatusFlags, TreatFlags
from lockdoctor.cli.commands.check.report import error_text, teller_of
from lockdoctor.cli.config.file import Config, find_config, read_config
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags, prefixes
from lockdoctor.cli.options.run import HistoryFlags, JournalFlags, LookupFlags
from lockdoctor.cli.runtime.run import examine, means_of, settings_of
from lockdoctor.cli.runtime.terminal import print_message
from lockdoctor.clock import SystemClock
from lockdoctor.domain.check.health import CheckResult, FailedCheck
from lockdoctor.domain.check.metrics import NAMES, MetricLimits
from lockdoctor.domain.check.ranges import Range, parse_range
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.errors import ConfigError, WrongClusterError
from lockdoctor.own_files import require_writable
from lockdoctor.workflows.scan.request import ScanRequest

if TYPE_CHECKING:
    from lockdoctor.cli.commands.check.treat import UnattendedRun
    from lockdoctor.domain.report.report import Report
    from lockdoctor.etcd.connection.settings import ConnectionSettings

ENDED = "A signal ended the check before its first result. Run it again."


def run_check(
    targets: PrefixFlags,
    status: StatusFlags,
    treatment: TreatFlags,
    telling: ReportFlags,
    reading: LookupFlags,
    history: HistoryFlags,
    journal: JournalFlags,
    limits: LimitFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Run a check, report the result, and return the exit status.

    Raises:
        ConfigError: The flags do not name valid destinations.
    """
    teller = teller_of(telling)
    teller.begin()
    clock = SystemClock()
    started_at = clock.now()

    def failed(why: str) -> FailedCheck:
        return FailedCheck(at=started_at, took_s=clock.now() - started_at, why=why)

    try:
        metric_limits = limits_of(status)
        file = read_config(find_config(config.config, os.environ))
        request = check_request(targets, reading, limits, file)
        means = means_of(reading, history, file, os.environ)
        settings = settings_of(connection, config.cluster, file, os.environ)
        if treatment.treat:
            from lockdoctor.cli.commands.check.treat import require_policy  # noqa: PLC0415  # as below

            require_policy(request.policy)
            _require_own_journal(journal)
        examined = examine(settings, request, means, status.timeout_s)
    except KeyboardInterrupt:
        return teller.tell(failed(ENDED), by_signal=True)
    except WrongClusterError as wrong:
        print_message(str(wrong))
        return teller.tell(failed(str(wrong)))
    except Exception as error:  # noqa: BLE001  # monitoring must be informed of any error
        return teller.tell(failed(error_text(error)))
    unattended, by_signal = None, examined.by_signal
    if treatment.treat and not by_signal:
        try:
            treated = _treat(settings, journal, examined.report, request.policy)
            unattended, by_signal = treated.unattended, treated.by_signal
        except KeyboardInterrupt:  # it arrived before the run
            by_signal = True
    return teller.tell(
        CheckResult(
            report=examined.report,
            took_s=clock.now() - started_at,
            limits=metric_limits,
            first_run_unknown=status.first_run_unknown,
            problems=_wrong_cluster(settings),
            unattended=unattended,
        ),
        by_signal=by_signal,
    )


def _require_own_journal(journal: JournalFlags) -> None:
    """Refuse a journal that is not lockdoctor's; other faults are reported later."""
    from lockdoctor.cli.runtime.journal import open_journal  # noqa: PLC0415  # loads rich
    from lockdoctor.journal.file import JOURNAL  # noqa: PLC0415  # few checks treat

    with contextlib.suppress(OSError):
        require_writable(open_journal(journal, os.environ).path, JOURNAL)


def _wrong_cluster(settings: ConnectionSettings) -> tuple[str, ...]:
    """Return the problem if another cluster has answered since the examination."""
    try:
        settings.identity.require_no_mismatch()
    except WrongClusterError as wrong:
        print_message(str(wrong))
        return (str(wrong),)
    return ()


def _treat(
    settings: ConnectionSettings, journal: JournalFlags, report: Report, policy: Policy
) -> UnattendedRun:
    from lockdoctor.cli.commands.check.treat import treat  # noqa: PLC0415  # loads the treatment code
    from lockdoctor.cli.runtime.journal import open_journal  # noqa: PLC0415  # loads rich

    return treat(settings, open_journal(journal, os.environ), report, policy)


def check_request(
    targets: PrefixFlags, reading: LookupFlags, limits: LimitFlags, file: Config
) -> ScanRequest:
    """
    Return the request: one reading, after which a mere possibility is no alarm.

    Raises:
        ConfigError: No keys are selected, or flags contradict each other.
    """
    policy = Policy(rules=file.rules, overrides=limits.limits(), recipes=file.book, suspects=False)
    return ScanRequest(
        prefixes=prefixes(targets, file.rules),
        policy=policy,
        window_s=0.0,
        command="check",
        sessions=not reading.no_sessions,
    )


def limits_of(flags: StatusFlags) -> MetricLimits:
    """
    Return the ranges of the metrics.

    Raises:
        ConfigError: A range is invalid.
    """
    return MetricLimits(
        warning=_ranges("--warning", flags.warning), critical=_ranges("--critical", flags.critical)
    )


def _ranges(flag: str, given: Iterable[str]) -> dict[str, Range]:
    ranges: dict[str, Range] = {}
    for text in given:
        name, _, limit = text.partition("=")
        if name not in NAMES:
            raise ConfigError(
                f"{flag} {text} has another form. Write METRIC=RANGE,"
                f" with one of {', '.join(NAMES)}."
            )
        if name in ranges:
            raise ConfigError(f"{flag} {text} is a second range for {name}. Give one of them.")
        try:
            ranges[name] = parse_range(limit)
        except ValueError as error:
            raise ConfigError(f"{flag} {text}: {error}.") from error
    return ranges
