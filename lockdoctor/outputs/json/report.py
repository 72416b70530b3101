"""
Writes the report as one JSON document.

It is described in docs/json.md and report.schema.json.

It is ASCII throughout. Keys are given as text (escaped, safe to show) and as base64 (exact),
leases in etcdctl's form, durations in seconds. null means unknown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import Any, TextIO

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.verdicts import Accepted, Verdict
from lockdoctor.domain.graph.blocking_tree import BlockedLock
from lockdoctor.domain.inference.deadlines import is_usable
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseId, LeaseReading, Reading, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.past.past import PastFinding
from lockdoctor.domain.report.findings import LockReport, SessionReport
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Unseen
from lockdoctor.outputs.json.processes import process_json, server_json
from lockdoctor.outputs.json.values import (
    SCHEMA_VERSION,
    Json,
    alarms_json,
    dumped,
    lease,
    lock_json,
    moment,
    picked,
    plain,
    rounded,
    text_and_base64,
)
from lockdoctor.outputs.text.evidence import kind_of, sentence
from lockdoctor.outputs.text.remedies import remedy_text
from lockdoctor.outputs.text.report import note_text
from lockdoctor.outputs.text.unseen import part_text, reason_text
from lockdoctor.outputs.text.values import safe


class JsonOutput:
    """`--format json`."""

    def render(self, report: Report, out: TextIO) -> None:
        """Write the document."""
        write_document(report, out)


def write_document(report: Report | None, out: TextIO, **more: Json) -> None:
    """
    Write the document in pieces: one line per lock, session and finding.

    Args:
        report: None if etcd was not examined.
        more: Further objects by name, before those of the report.
    """
    out.writelines(_pieces(report, more))


def _pieces(report: Report | None, more: Json) -> Iterator[str]:
    yield f'{{\n "schema_version": {SCHEMA_VERSION}'
    own: Json = {}
    if report:
        own = {
            "run": _run(report),
            "cluster": _cluster(report),
            "server": server_json(report.server),
        }
    for name, value in (more | own).items():
        yield f",\n {dumped(name)}: {dumped(value)}"
    for name, items in _lists(report) if report else ():
        yield f",\n {dumped(name)}: ["
        for number, item in enumerate(items):
            yield ",\n  " if number else "\n  "
            yield from item
        yield "]"
    yield "\n}\n"


def _lists(report: Report) -> Iterator[tuple[str, Iterable[Iterable[str]]]]:
    """Yield the lists by name, their items in pieces: a lock can have 100,000 waiters."""
    yield "prefixes", _whole(partial(text_and_base64, "prefix"), report.prefixes)
    yield "locks", map(_lock, report.locks)
    yield "sessions", _whole(_session, report.sessions)
    yield "session_groups", _whole(_fields, report.session_groups)
    yield "findings", _whole(_verdict, report.findings)
    yield "accepted", _whole(_verdict, (finding.verdict for finding in report.accepted))
    yield "gone", _whole(_gone, report.gone)
    yield "processes", _whole(process_json, report.processes)
    yield "blocking", _whole(_blocked, report.blocking)
    yield "unseen", _whole(_unseen, report.unseen)
    yield "notes", _whole(note_text, report.notes)


def _whole(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[str]]:
    return ((dumped(function(item)),) for item in items)


def _run(report: Report) -> Json:
    return {
        "started_at": moment(report.started_at),
        **picked(report, "window_s", "watched_s", "lookups", "renewals", "past_runs"),
        "partial": report.interrupted is not None,
        "interrupted": plain(report.interrupted),
    }


def _cluster(report: Report) -> Json:
    cluster = report.cluster
    return {
        "cluster_id": f"{cluster.cluster_id:x}",
        **picked(cluster, "version", "raft_term", "leader_changes", "revision", "endpoint"),
        "alarms": alarms_json(cluster.alarms),
    }


def _lock(report: LockReport) -> Iterator[str]:
    yield dumped(_lock_before(report))[:-1] + ', "waiters": ['
    for number, waiter in enumerate(report.lock.waiters):
        yield (", " if number else "") + dumped(_contender(waiter, report))
    yield "], " + dumped(_lock_after(report))[1:]


def _lock_before(report: LockReport) -> Json:
    """Return the fields of a lock before its waiters."""
    lock, age = report.lock, report.age
    estimate = age.estimate if age else None
    return {
        **text_and_base64("name", lock.name),
        **text_and_base64("prefix", report.prefix),
        "recipe": lock.recipe.value,
        "kind": lock.kind.value,
        "verdict": report.verdict.kind.value,
        "severity": report.verdict.severity.name.lower(),
        "held_at_least_s": rounded(age.at_least_s if age else None),
        "held_at_most_s": rounded(age.at_most_s if age else None),
        "held_about_s": rounded(estimate.about_s if estimate else None),
        "held_claimed_s": rounded(age.claimed_s if age else None),
        "holder": _contender(lock.holder, report) if lock.holder else None,
        "foreign_holder": lock.foreign_holder,
        "sharers": [_contender(sharer, report) for sharer in lock.sharers],
    }


def _lock_after(report: LockReport) -> Json:
    """Return the fields of a lock after its waiters."""
    activity = report.activity
    is_watched = activity.watched_s > 0
    return {
        "queue_is_whole": report.lock.queue_is_whole,
        "queue_watched_s": rounded(activity.watched_s),
        "queue_has_gap": activity.has_gap,
        "releases": activity.releases if is_watched else None,
        "hand_overs": activity.hand_overs if is_watched else None,
        "gave_up": activity.gave_up if is_watched else None,
        "verdicts": [_verdict(verdict) for verdict in report.verdicts],
    }


def _contender(key: LockKey, report: LockReport) -> Json:
    return {
        **text_and_base64("key", key.key),
        "create_revision": key.create_revision,
        "lease": lease(key.lease_id),
        **_lease(report.traces.get(key.lease_id)),
    }


def _session(session: SessionReport) -> Json:
    origin = session.origin
    return {
        "lease": hex_id(session.trace.lease_id),
        **_lease(session.trace),
        "member": f"{origin.member_id:x}" if origin and origin.member_id is not None else None,
        "member_bits": f"{origin.member_bits:04x}" if origin else None,
        "granted_after_at": moment(origin.not_before_at) if origin else None,
        "is_new": session.is_new,
        "gave_up": session.gave_up,
        "verdict": session.verdict.kind.value,
        "severity": session.verdict.severity.name.lower(),
        "confidence": session.verdict.confidence.value,
        "evidence": [_evidence(evidence) for evidence in session.verdict.evidence],
        "remedy": remedy_text(session.verdict.remedy),
    }


def _lease(trace: RenewalTrace | None) -> Json:
    """Return the facts on a lease; all null if it was not read."""
    last = trace.readings[-1] if trace and trace.readings else None
    return {
        "granted_ttl_s": trace.granted_ttl_s if trace else None,
        "remaining_ttl_s": _remaining(last),
        "is_gone": trace.is_gone if last and trace else None,
        "renewals": trace.renewals if trace else None,
        "renewal_period_s": rounded(trace.at_most_every_s if trace else None),
        "looks": [_look(trace, reading) for reading in trace.readings] if trace else [],
    }


def _look(trace: RenewalTrace, reading: Reading) -> Json:
    return {
        "after_s": rounded(reading.answered_at - trace.readings[0].answered_at),
        "remaining_ttl_s": _remaining(reading),
    }


def _remaining(reading: Reading | None) -> int | None:
    """
    Return the remaining TTL; null for a reading that is unusable.

    A member that is not the leader can report an endless TTL.
    """
    if not isinstance(reading, LeaseReading) or not is_usable(reading):
        return None
    return reading.remaining_ttl_s


def _verdict(verdict: Verdict) -> Json:
    leases = [hex_id(LeaseId(lease)) for lease in verdict.leases]
    return {
        "verdict": verdict.kind.value,
        "severity": verdict.severity.name.lower(),
        "confidence": verdict.confidence.value,
        **lock_json(verdict.lock),
        **text_and_base64("key", verdict.key),
        "lease": leases[0] if len(leases) == 1 else None,
        "leases": leases,
        "evidence": [_evidence(evidence) for evidence in verdict.evidence],
        "remedy": remedy_text(verdict.remedy),
        "accepted": _accepted(verdict.accepted),
    }


def _accepted(accepted: Accepted | None) -> Json | None:
    if accepted is None:
        return None
    return {"until": accepted.until.isoformat(), "reason": safe(accepted.reason)}


def _gone(gone: PastFinding) -> Json:
    return {
        "verdict": gone.kind.value,
        **lock_json(gone.lock),
        "since_at": moment(gone.since_at),
        "runs": gone.runs,
    }


@lru_cache(256)
def _evidence(evidence: Evidence) -> Json:
    """Return the JSON of evidence from a cache: many locks have the same."""
    return {"kind": kind_of(evidence), "text": sentence(evidence), **_fields(evidence)}


def _fields(part: Any) -> Json:
    """Return the fields of evidence and of its parts."""
    entry: Json = {}
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if isinstance(value, bytes):
            entry |= text_and_base64(field.name, value)
        elif isinstance(value, tuple):
            entry[field.name] = [
                text_and_base64("key", each) if isinstance(each, bytes) else _fields(each)
                for each in value
            ]
        elif field.name.endswith("_at"):
            entry[field.name] = None if value is None else moment(value)
        else:
            entry[field.name] = hex_id(value) if field.type == "LeaseId" else plain(value)
    return entry


def _blocked(blocked: BlockedLock) -> Json:
    return {
        **lock_json(blocked.lock),
        "level": blocked.level,
        **text_and_base64("behind", blocked.behind.name if blocked.behind else None),
        "session": None if blocked.session is None else hex_id(blocked.session),
        "waiters": blocked.waiters,
        "blocks": blocked.blocks,
    }


def _unseen(unseen: Unseen) -> Json:
    return {"what": part_text(unseen.what), "count": unseen.count, "why": reason_text(unseen.why)}
