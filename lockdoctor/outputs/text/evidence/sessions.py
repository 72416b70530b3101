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
    text = f"{_grew_clause(evidence).capitalize()}. They are renewed and were not there before."
    if evidence.over_runs:
        return f"{text} {count(evidence.steps, 'run')} found more new ones than ended ones."
    if evidence.steps == 1:
        return f"{text} All of them came within a short part of that time."
    return f"{text} They came in {evidence.steps} separate parts of that time."


def _grew_clause(evidence: SessionsGrew) -> str:
    ended = f", {evidence.ended:,} ended" if evidence.ended else ""
    new = count(evidence.new, "new lease")
    return f"{new} without keys in {duration(evidence.watched_s)}{ended}"


def sessions_alike(evidence: SessionsAlike) -> str:
    """Return the number of sessions, and what they have in common."""
    sessions = count(evidence.sessions, "session")
    every_s = evidence.every_at_most_s
    rate = "" if every_s is None else f", renewed every {at_most(every_s)} or more often"
    text = f"{sessions} of TTL {duration(evidence.granted_ttl_s)}{rate}"
    if evidence.member_bits is None:
        return f"{text}: their IDs are of the client's own choice, or of a member that has left"
    who = f"member {evidence.member}" if evidence.member else f"a member …{evidence.member_bits}"
    if evidence.granted_after_at is None:
        return f"{text}: granted by {who}"
    since = moment(evidence.granted_after_at)
    return f"{text}: granted by {who}, and not before {since} (a bound that the IDs tell)"


def _abandoned(evidence: AbandonedSessions) -> str:
    if evidence.sessions == 1:
        return "The session behind 1 attempt that gave up before our eyes lives on."
    attempts = count(evidence.sessions, "attempt")
    return f"The sessions behind {attempts} that gave up before our eyes live on."


def _idle(evidence: SessionsIdle) -> str:
    who = f"{count(evidence.sessions, 'session')} {'was' if evidence.sessions == 1 else 'were'}"
    return (
        f"{who} never seen with a key, for up to {at_least(evidence.longest_at_least_s)};"
        f" a session may be idle for {duration(evidence.limit_s)}."
    )


def _idle_clause(evidence: SessionsIdle) -> str:
    return (
        f"{count(evidence.sessions, 'lease')} without a key for over {duration(evidence.limit_s)}"
    )


ENTRIES = (
    entry(SessionsGrew, "sessions-grew", _grew, _grew_clause),
    entry(SessionsAlike, "sessions-alike", lambda evidence: f"{sessions_alike(evidence)}."),
    entry(AbandonedSessions, "from-given-up-attempts", _abandoned),
    entry(SessionsIdle, "sessions-idle", _idle, _idle_clause),
)
