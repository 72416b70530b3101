"""Words the lines of a report that are about the run: what was read, what has ended."""

from __future__ import annotations

from lockdoctor.domain.past.past import PastFinding
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
