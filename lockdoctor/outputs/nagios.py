"""The format of monitoring plugins: a status line with perfdata, then details."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from lockdoctor.domain.check.health import AnyCheckResult, CheckResult, FailedCheck
from lockdoctor.domain.check.metrics import IN_SECONDS, ExceededLimit
from lockdoctor.domain.check.ranges import Range
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.report.findings import Finding
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Unseen
from lockdoctor.outputs.text.alarms import alarm_remedy, alarm_text
from lockdoctor.outputs.text.evidence import sentence
from lockdoctor.outputs.text.headline import alarms, findings_headline
from lockdoctor.outputs.text.remedies import remedy_text
from lockdoctor.outputs.text.report import gone_text, note_text
from lockdoctor.outputs.text.unseen import numbered_part, reason_text
from lockdoctor.outputs.text.values import count, duration, lock_title, safe, shortened

SUMMARY_WIDTH = 1000
"""Monitoring systems cut status lines at some greater length, perfdata included."""

MAX_FINDINGS = 10
"""Maximum findings in the text; JSON has all of them."""

MAX_ACCEPTED = MAX_GONE = 10


class NagiosOutput:
    """`--format nagios`."""

    def render(self, checked: AnyCheckResult, out: TextIO) -> None:
        """Write the status line and the details; unencodable characters are escaped."""
        text = "".join(f"{line}\n" for line in _lines(checked))
        encoding = getattr(out, "encoding", None) or "utf-8"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))


def status_line(checked: AnyCheckResult) -> str:
    """Return the status in one line, without the perfdata."""
    summary = safe(checked.why) if isinstance(checked, FailedCheck) else _summary(checked)
    return f"LOCKDOCTOR {checked.health.name} - {_fenced(shortened(summary, SUMMARY_WIDTH))}"


def _lines(checked: AnyCheckResult) -> Iterator[str]:
    """
    Yield every line, the status line first.

    Source: the guidelines of the Monitoring Plugins project, "Plugin output".
    """
    if isinstance(checked, FailedCheck):
        yield f"{status_line(checked)} | seconds={_number(checked.took_s)}s;;;0"
        return
    yield f"{status_line(checked)} | {' '.join(_perfdata(checked))}"
    if checked.unattended:
        from lockdoctor.outputs.text.treatment import unattended_details  # noqa: PLC0415  # few checks treat

        yield from map(_fenced, unattended_details(checked.unattended))
    yield from map(_fenced, _details(checked.report))


def _fenced(text: str) -> str:
    r"""
    Return a text without `|`, which begins the perfdata in any line.

    Names come with their backslashes doubled, so \x7c differs from the name's own.
    """
    return text.replace("|", r"\x7c")


def _summary(checkup: CheckResult) -> str:
    report = checkup.report
    shows_findings = bool(report.findings) and not (
        _is_baseline(checkup) and not checkup.verdict_severity
    )
    parts = list(alarms(report))
    parts += [findings_headline(report)] if shows_findings else []
    parts += [_alarm(alarm) for alarm in checkup.alarms]
    parts += [f"could not examine {_unseen(failure)}" for failure in checkup.failures]
    parts += map(safe, checkup.problems)
    if checkup.unattended:
        from lockdoctor.outputs.text.treatment import unattended_summary  # noqa: PLC0415  # few checks treat

        parts += unattended_summary(checkup.unattended)
    if not shows_findings:
        nothing = _first(checkup) if _is_baseline(checkup) else findings_headline(report)
        parts.append(nothing[0].lower() + nothing[1:] if parts else nothing)
    return "; ".join(parts)


def _is_baseline(checkup: CheckResult) -> bool:
    return checkup.is_first and not checkup.report.interrupted


def _first(checkup: CheckResult) -> str:
    locks = count(len(checkup.report.locks), "lock")
    if checkup.report.past_runs is None:
        return f"{locks} read once; proof needs a history of earlier runs"
    number = len(checkup.report.findings)
    unproven = f"; {count(number, 'finding')} not proven yet" if number else ""
    return f"first run: {locks} recorded; proof needs a later run{unproven}"


def _alarm(alarm: ExceededLimit) -> str:
    value = duration(alarm.value) if alarm.metric in IN_SECONDS else f"{alarm.value:,.0f}"
    return f"{alarm.metric} is {value} (limit {alarm.limit.text})"


def _unseen(unseen: Unseen) -> str:
    return f"{numbered_part(unseen)} ({reason_text(unseen.why).rstrip('.')})"


def _perfdata(checkup: CheckResult) -> Iterator[str]:
    """Yield every metric as label=value[UOM];warn;crit;min, `U` for unknown."""
    limits = checkup.limits
    for name, value in checkup.metrics.by_name.items():
        unit = "s" if name in IN_SECONDS else ""
        shown = "U" if value is None else f"{_number(value)}{unit}"
        warning, critical = _limit(limits.warning.get(name)), _limit(limits.critical.get(name))
        yield f"{name}={shown};{warning};{critical};0"


def _limit(limit: Range | None) -> str:
    return limit.text if limit else ""


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _details(report: Report) -> Iterator[str]:
    for alarm in report.cluster.alarms or ():
        yield f"CRITICAL: {alarm_text(alarm)}"
        yield f"  What to do: {alarm_remedy(alarm)}"
    findings = report.located_findings
    for finding in findings[:MAX_FINDINGS]:
        yield from _finding(finding)
    if findings[MAX_FINDINGS:]:
        yield f"... and {count(len(findings) - MAX_FINDINGS, 'more finding')}"
    yield from map(_accepted, report.accepted[:MAX_ACCEPTED])
    yield from (f"Ended since the last run: {gone_text(gone)}" for gone in report.gone[:MAX_GONE])
    yield from (f"Not examined: {_unseen(unseen)}" for unseen in report.unseen)
    yield from (f"Note: {note_text(note)}" for note in report.notes)


def _finding(finding: Finding) -> Iterator[str]:
    verdict = finding.verdict
    what = f"{verdict.severity.name}: {verdict.kind.value}, {verdict.confidence.value}"
    yield ", ".join((what, *_subject(finding)))
    yield from (f"  {sentence(evidence)}" for evidence in verdict.evidence)
    yield f"  What to do: {remedy_text(verdict.remedy)}"


def _subject(finding: Finding) -> Iterator[str]:
    if finding.lock:
        yield lock_title(finding.lock.lock)
    leases = finding.verdict.leases
    if len(leases) == 1:
        yield f"lease {hex_id(leases[0])}"
    elif leases:
        yield count(len(leases), "lease")


def _accepted(finding: Finding) -> str:
    what = ", ".join((finding.verdict.kind.value, *_subject(finding)))
    accepted = finding.verdict.accepted
    return f"Accepted until {accepted.until}: {what} ({safe(accepted.reason)})" if accepted else ""
