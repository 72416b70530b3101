"""Words what a run has read, what has ended, and its notes."""

from __future__ import annotations

from lockdoctor.domain.past.past import PastFinding
from lockdoctor.domain.report.notes import HistoryNotPruned, KeysLeftOut, Note
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.text.values import (
    NAME_WIDTH,
    count,
    duration,
    moment,
    printable,
    safe,
    shortened,
)


def context(report: Report) -> str:
    """Return how long the run watched, and what."""
    cluster = report.cluster
    watched = f"Watched for {duration(report.watched_s)}" if report.window_s else "Read once"
    return (
        f"{watched} with {count(report.lookups, 'look-up')}:"
        f" etcd {safe(cluster.version) or 'of unknown version'} at {safe(cluster.endpoint)},"
        f" cluster {cluster.cluster_id:x}{_past(report)}"
    )


def gone_text(gone: PastFinding) -> str:
    """Return a finding of earlier runs that has ended."""
    what = gone.kind.value
    if gone.lock is not None:
        what += f", {shortened(printable(gone.lock.name), NAME_WIDTH)}"
    return f"{what}: in {count(gone.runs, 'run')}, first at {moment(gone.since_at)}"


def _past(report: Report) -> str:
    """Return the history that the run uses; empty without one."""
    if report.past_runs is None:
        return ""
    if not report.past_runs:
        return "; no earlier run of the same prefixes"
    return f"; uses {count(report.past_runs, 'earlier run')}"


def note_text(note: Note) -> str:
    """Return the sentence of a note on a run."""
    match note:
        case str():
            return safe(note)
        case HistoryNotPruned(why):
            return f"This run is stored, but the history was not pruned: {safe(why)}"
        case KeysLeftOut(count):
            return f"{count:,} more keys of the lease were not examined"
    what = f"{safe(note.where)}: the acceptance of {note.verdict.value}"
    if not note.has_expired:
        return f"{what} until {note.until} matches no finding"
    now = "it still matches a finding" if note.is_found else "it matches no finding"
    return f"{what} expired after {note.until}, and {now}"
