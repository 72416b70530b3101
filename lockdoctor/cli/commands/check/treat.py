"""Runs the treatment of a check; its failures do not hide the check's result."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.cli.commands.check.report import error_text
from lockdoctor.cli.runtime.signals import Signals
from lockdoctor.cli.runtime.treatment_context import connected_context
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.unattended import UnattendedResult, choose
from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.text.values import printable
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment.unattended import treat_unattended

ENDED = "Stopped by a signal. The journal lists the completed actions"


@dataclass(frozen=True, slots=True)
class UnattendedRun:
    """The outcome of a check's treatment."""

    unattended: UnattendedResult | None
    """None if no treatment was requested."""
    by_signal: bool = False


def require_policy(policy: Policy) -> None:
    """
    Refuse a treatment without a valid policy.

    Raises:
        ConfigError: No prefix has `treat`, or one with it has no limit for holds.
    """
    unlimited = [
        rule.prefix
        for rule in policy.rules
        if rule.treatment and policy.thresholds_for(rule.prefix).stated_limit_s is None
    ]
    if unlimited:
        raise ConfigError(
            f"`--treat` cannot prove a leak below {printable(unlimited[0])} without a limit. Add"
            " `max_hold` to its [[prefix]] in lockdoctor.toml, or `--max-hold`."
        )
    if not any(rule.treatment for rule in policy.rules):
        raise ConfigError("`--treat` needs a [[prefix]] with `treat` in lockdoctor.toml.")


def treat(
    settings: ConnectionSettings, journal: FileJournal, report: Report, policy: Policy
) -> UnattendedRun:
    """Run the actions that the policy allows; the outcome includes any failure."""
    if not any(choose(report, policy, ())):
        return UnattendedRun(UnattendedResult())
    stop = StopRequest()
    signals = Signals(stop)
    try:
        with journal.alone():
            work = _treat(settings, journal, report, policy, stop)
            return UnattendedRun(signals.run(work), signals.received)
    except KeyboardInterrupt:
        return UnattendedRun(UnattendedResult(failure=ENDED), by_signal=True)
    except Exception as error:  # noqa: BLE001  # the examination must be reported in every case
        return UnattendedRun(UnattendedResult(failure=error_text(error)), signals.received)


async def _treat(
    settings: ConnectionSettings,
    journal: FileJournal,
    report: Report,
    policy: Policy,
    stop: StopRequest,
) -> UnattendedResult:
    async with connected_context(settings, journal, policy.recipes) as context:
        return await treat_unattended(context, report, policy, stop)
