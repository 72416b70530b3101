"""Words for evidence on sessions without keys."""

from __future__ import annotations

from lockdoctor.domain.evidence.sessions import (
    AbandonedSessions,
    SessionsAlike,
    SessionsGrew,
    SessionsIdle,
)
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, at_most, count, duration, moment


def _grew(evidence: SessionsGrew) -> str:
    text = f"{_grew_clause(evidence)}. They are renewed, and no earlier list had them."
    if evidence.over_runs:
        return f"{text} {count(evidence.steps, 'run')} found more new leases than ended ones."
    if evidence.steps == 1:
        return f"{text} All were granted within a short part of that time."
    return f"{text} They were granted in {evidence.steps} separate parts of that time."


def _grew_clause(evidence: SessionsGrew) -> str:
    ended = f", {evidence.ended:,} ended" if evidence.ended else ""
    new = count(evidence.new, "new lease")
    return f"{new} without keys in {duration(evidence.watched_s)}{ended}"


def sessions_alike(evidence: SessionsAlike) -> str:
    """Return the number of sessions, and what they have in common."""
    every_s = evidence.every_at_most_s
    rate = "" if every_s is None else f", renewed every {at_most(every_s)} or less"
    ttl = duration(evidence.granted_ttl_s)
    text = f"{count(evidence.sessions, 'session')} with a TTL of {ttl}{rate}"
    if evidence.member_bits is None:
        return f"{text}: their IDs are from the client, or from a member that was removed"
    who = f"member {evidence.member}" if evidence.member else f"a member …{evidence.member_bits}"
    if evidence.granted_after_at is None:
        return f"{text}: granted by {who}"
    since = moment(evidence.granted_after_at)
    return f"{text}: granted by {who} at {since} or later (from the lease IDs)"


def _abandoned(evidence: AbandonedSessions) -> str:
    if evidence.sessions == 1:
        return "1 attempt gave up during this run. Its session is still renewed."
    attempts = count(evidence.sessions, "attempt")
    return f"{attempts} gave up during this run. Their sessions are still renewed."


def _idle(evidence: SessionsIdle) -> str:
    longest, limit = at_least(evidence.longest_at_least_s), duration(evidence.limit_s)
    if evidence.sessions == 1:
        return f"1 session was never read with a key for at least {longest}. The limit is {limit}."
    sessions = count(evidence.sessions, "session")
    text = f"{sessions} were never read with a key for over {limit}"
    return f"{text}, the longest for at least {longest}."


ENTRIES = (
    entry(SessionsGrew, "sessions-grew", _grew, _grew_clause),
    entry(SessionsAlike, "sessions-alike", lambda e: f"{sessions_alike(e)}."),
    entry(AbandonedSessions, "from-given-up-attempts", _abandoned),
    entry(
        SessionsIdle,
        "sessions-idle",
        _idle,
        lambda e: f"{count(e.sessions, 'lease')} without a key for over {duration(e.limit_s)}",
    ),
)
