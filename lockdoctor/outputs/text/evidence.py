"""Returns one plain sentence for each kind of evidence, no stronger than proven."""

from __future__ import annotations

from typing import NoReturn

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Forecast,
    Held,
    SeenInEarlierRuns,
    WithinLimit,
)
from lockdoctor.domain.evidence.deadlock import CheapestBreak, HolderWaits, NoSingleBreak, WaitCycle
from lockdoctor.domain.evidence.keys import (
    ByDesign,
    ForeignHolder,
    Keyless,
    NoLease,
    OtherKeys,
    QueueCut,
    Rewritten,
    UnknownRecipe,
)
from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore
from lockdoctor.domain.evidence.processes import (
    KeptAliveBy,
    ProcessSessions,
    ServerCounted,
    UnattributedSessions,
)
from lockdoctor.domain.evidence.queue import (
    Blocks,
    GaveUp,
    HandedOver,
    NoHandOver,
    PossibleAbandonedKey,
    Waiters,
)
from lockdoctor.domain.evidence.renewals import (
    Expired,
    KeyWithoutLease,
    LateRenewal,
    LeaderChanged,
    LeaseEnded,
    ListedNotFound,
    LongTtl,
    NotRenewed,
    ReadFailed,
    Renewed,
    Unobservable,
)
from lockdoctor.domain.evidence.sessions import (
    AbandonedSessions,
    SessionsAlike,
    SessionsGrew,
    SessionsIdle,
)
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.outputs.text.process_evidence import witness_sentence
from lockdoctor.outputs.text.values import (
    at_least,
    at_most,
    count,
    duration,
    moment,
    printable,
    safe,
    shortened,
    times,
)

KEY_WIDTH = 60
"""Longer keys lose their middle in a sentence; JSON has the whole key."""


def sentence(evidence: Evidence) -> str:  # noqa: C901, PLR0912 - one case per kind
    """Return the sentence for one piece of evidence."""
    match evidence:
        case Renewed():
            return _renewed(evidence)
        case Held():
            return _held(evidence)
        case EstimatedAge():
            return _estimated(evidence)
        case LeakScore():
            return _weighed(evidence)
        case ClaimedAge(claimed_s):
            return _claimed(claimed_s)
        case NoHandOver():  # Held has the duration
            return "It has not been released since it was first seen."
        case HandedOver(releases, watched_s):
            watched = duration(watched_s)
            return f"It was released {times(releases)} in the {watched} that it was watched."
        case Waiters():
            return _waiting(evidence)
        case GaveUp(attempts, watched_s):
            return f"{count(attempts, 'attempt')} on it gave up in {duration(watched_s)}."
        case NoLease(in_lock_shape):
            return _no_lease(in_lock_shape=in_lock_shape)
        case ForeignHolder(key):
            return (
                f"What blocks the queue is no contender: {printable(key)} merely lies below the"
                " lock's name, and Go's Mutex waits for every older key there."
            )
        case NotRenewed():
            return _not_renewed(evidence)
        case LeaseEnded():
            return "The lease ended while it was watched: it expired or was revoked."
        case Expired():
            return _expired(evidence)
        case ListedNotFound(leases, for_s):
            which = "a lease that" if leases == 1 else f"{count(leases, 'lease')} that"
            return (
                f"etcd's list has {which} no look-up finds, even {at_least(for_s)} after the first"
                " look-up that found none."
            )
        case KeyWithoutLease(for_s):
            return (
                "etcd knows no lease of this ID, yet the key on it stood for at least"
                f" {at_least(for_s)} after: the two end together, unless etcd's data are damaged."
            )
        case OtherKeys():
            return _other_keys(evidence)
        case PossibleAbandonedKey():
            return _phantom(evidence)
        case LateRenewal(remaining_at_most_s, granted_s):
            left = at_most(remaining_at_most_s)
            return f"A renewal came when at most {left} of {duration(granted_s)} were left."
        case LongTtl(granted_s, limit_s):
            return (
                f"The lease's TTL is {duration(granted_s)}, over the limit of {duration(limit_s)}:"
                " after a crash of its holder the lock stays taken that long."
            )
        case ByDesign(key_kind):
            article = "an" if key_kind.startswith("e") else "a"
            return f"It is {article} {key_kind}: kept as long as its process lives, by design."
        case Rewritten(often, watched_s):
            return (
                f"Its client wrote the key again {times(often)} in {duration(watched_s)},"
                " onto a fresh lease."
            )
        case WithinLimit(limit_s):
            return f"A hold may last {duration(limit_s)}; none is proven to have lasted longer."
        case Unobservable(needed_s, granted_s):
            return (
                f"With a TTL of {duration(granted_s)} it takes up to {at_most(needed_s)} of"
                " watching to see enough renewals; this run did not see them."
            )
        case ReadFailed(reason):
            return f"The lease could not be read: {safe(reason).rstrip('.')}."
        case UnknownRecipe():
            return (
                "lockdoctor cannot tell whether this key is a lock: other programs write keys like"
                " it, too."
            )
        case QueueCut():
            return (
                "The scanned prefix may leave out contenders of this lock, so nobody can be called"
                " its holder."
            )
        case LeaderChanged(discarded):
            return (
                "A new etcd leader reset every lease while it was watched:"
                f" {count(discarded, 'rise')} of the TTL may be its work and proves nothing."
            )
        case SessionsGrew():
            return _grew(evidence)
        case SessionsAlike():
            return f"{sessions_alike(evidence)}."
        case AbandonedSessions():
            return _lives_on(evidence)
        case SessionsIdle():
            return _idle(evidence)
        case Forecast(per_hour, sessions_in_a_day):
            return (
                f"If it goes on like this, {per_hour:,.0f} more an hour: about"
                f" {count(sessions_in_a_day, 'session')} in a day from now."
            )
        case SeenInEarlierRuns(runs, for_s, since_at):
            return (
                f"The last {runs} runs with the same limits found the same, since"
                f" {moment(since_at)}: it has stood for at least {at_least(for_s)}."
            )
        case KeptAliveBy() | ProcessSessions() | UnattributedSessions() | ServerCounted():
            return witness_sentence(evidence)
        case WaitCycle():
            return _circle(evidence)
        case CheapestBreak():
            return _least_harm(evidence)
        case NoSingleBreak():
            return "No session undoes this alone: more than one of them has to end."
        case Blocks():
            return _blocks(evidence)
        case HolderWaits(lock):
            other = shortened(printable(lock), KEY_WIDTH)
            return (
                f"Its holder's session itself waits for {other}, which may be why it does not"
                " release."
            )
        case Keyless():
            return "The lease carries no key."
        case _:
            return _assert_never(evidence)


def clause(evidence: Evidence) -> str | None:  # noqa: C901, PLR0912 - one case per kind
    """Return the clause for a headline; None for evidence that is too long there."""
    match evidence:
        case Renewed(renewals, watched_s):
            return f"renewed at least {times(renewals)} in {duration(watched_s)}"
        case NoHandOver():
            return "never released"
        case Held(at_least_s, at_most_s) if at_least_s > 0:
            bound = "" if at_most_s is None else f", at most {at_most(at_most_s)}"
            return f"held at least {at_least(at_least_s)}{bound}"
        case NoLease():
            return "never expires"
        case GaveUp(attempts):
            return f"{attempts:,} gave up waiting"
        case Waiters(waiters, longest_at_least_s):
            who = count(waiters, "waiter")
            return f"{who}, the longest wait at least {at_least(longest_at_least_s)}"
        case Expired(leases, for_s):
            which = "" if leases == 1 else f"{count(leases, 'lease')} "
            return f"{which}past the end by at least {at_least(for_s)}"
        case ListedNotFound(leases):
            return f"{count(leases, 'lease')} listed but not found"
        case KeyWithoutLease():
            return "its lease is gone"
        case LateRenewal(remaining_at_most_s, granted_s):
            return f"at most {at_most(remaining_at_most_s)} of {duration(granted_s)} left"
        case LongTtl(granted_s):
            return f"TTL {duration(granted_s)}"
        case SessionsGrew():
            return _new_sessions(evidence)
        case SessionsIdle(sessions, _, limit_s):
            return f"{count(sessions, 'lease')} without a key for over {duration(limit_s)}"
        case KeptAliveBy(process, kept, of):
            which = "" if kept == of else f"{kept:,} of them "
            return f"{which}kept alive by {safe(process)}"
        case ProcessSessions(process) if evidence.keeps_the_leak:
            return f"leaked by {safe(process)}"
        case SeenInEarlierRuns(runs, _, since_at):
            return f"found {count(runs, 'run')} in a row, since {moment(since_at)}"
        case WaitCycle(ring, sessions):
            if len(ring) == 1:
                return "it waits behind a key of its own"
            return f"{count(sessions, 'session')} wait for one another"
        case SeenInEarlierRuns(runs):
            return f"found in {count(runs, 'run')} in a row"
        case _:
            return None


def _assert_never(evidence: NoReturn) -> NoReturn:  # Python 3.10 has no assert_never
    raise AssertionError(evidence)


def _renewed(evidence: Renewed) -> str:
    text = (
        f"A client renewed the lease at least {times(evidence.renewals)}"
        f" in {duration(evidence.watched_s)}"
    )
    if evidence.at_most_every_s is None:
        return f"{text}."
    return f"{text}, on average every {at_most(evidence.at_most_every_s)} or more often."


def _held(evidence: Held) -> str:
    if evidence.at_least_s <= 0:
        if evidence.at_most_s is None:
            return "It was seen once only, which proves nothing of how long it is held."
        return f"The hold is at most {at_most(evidence.at_most_s)} old."
    text = f"The hold has stood for at least {at_least(evidence.at_least_s)}"
    if evidence.at_most_s is None:
        return f"{text}; nothing proves yet since when."
    return f"{text}, at most {at_most(evidence.at_most_s)}."


def _estimated(evidence: EstimatedAge) -> str:
    return (
        f"An estimate, not a proof: it is about {duration(evidence.about_s)} old if the cluster"
        f" always wrote as fast as now ({count(evidence.revisions_since, 'revision')} since,"
        f" {evidence.revisions_per_s:.3g} a second)."
    )


SIGNS = {
    LeakIndicator.STILL: "nobody was served in half a minute or more",
    LeakIndicator.GAVE_UP: "attempts waited for it and gave up",
    LeakIndicator.LEFT_SESSIONS: "such attempts left their sessions open",
    LeakIndicator.WAITED_LONG: "somebody has waited for long",
    LeakIndicator.WAITED: "others wait",
    LeakIndicator.STOOD: "its key has stood longer than a hold may last",
    LeakIndicator.LOOKS_OLD: "its key looks older than a hold may be",
    LeakIndicator.LOOKS_YOUNG: "its key looks young",
    LeakIndicator.CLAIMS_OLD: "its client's clock says that it is old",
    LeakIndicator.CLAIMS_YOUNG: "its client's clock says that it is young",
}
"""The words for each point for or against a leak."""


def _weighed(evidence: LeakScore) -> str:
    signs = {
        "Signs of a leak": [weight for weight in evidence.weights if weight.points > 0],
        "Signs against a leak": [weight for weight in evidence.weights if weight.points < 0],
    }
    told = [f"{what}: {'; '.join(map(_weight, found))}." for what, found in signs.items() if found]
    needed = f"A leak is likely from {evidence.needed} points on; these make {evidence.points}."
    return " ".join([*told, needed])


def _weight(weight: IndicatorScore) -> str:
    return f"{SIGNS[weight.sign]} ({weight.points:+})"


def _claimed(claimed_s: float) -> str:
    if claimed_s < 0:
        return f"By the client's clock it was taken {duration(-claimed_s)} in the future."
    return f"By the client's own clock it was taken {duration(claimed_s)} ago."


def _waiting(evidence: Waiters) -> str:
    text = f"{count(evidence.waiters, 'waiter')} {'waits' if evidence.waiters == 1 else 'wait'}"
    if evidence.longest_at_least_s <= 0:
        return f"{text} for it."
    who = "" if evidence.waiters == 1 else " the longest"
    return f"{text} for it,{who} for at least {at_least(evidence.longest_at_least_s)}."


def _no_lease(*, in_lock_shape: bool) -> str:
    text = "The key has no lease, so etcd never deletes it by itself"
    if in_lock_shape:
        return f"{text}."
    return f"{text}. lockdoctor cannot tell whether it is a lock: it might be data."


def _not_renewed(evidence: NotRenewed) -> str:
    return (
        f"The lease went without a renewal for at least {at_least(evidence.unrenewed_for_s)};"
        f" at most {at_most(evidence.remaining_s)} of {duration(evidence.granted_s)} were left."
    )


def _expired(evidence: Expired) -> str:
    by = at_least(evidence.for_s)
    if evidence.leases == 1:
        return f"etcd should have ended the lease at least {by} ago, and has not."
    leases = count(evidence.leases, "lease")
    return f"etcd should have ended {leases} by now, one of them at least {by} ago, and has not."


def _other_keys(evidence: OtherKeys) -> str:
    shown = ", ".join(shortened(printable(key), KEY_WIDTH) for key in evidence.keys)
    more = evidence.count - len(evidence.keys)
    rest = f" and {more:,} more" if more > 0 else ""
    keys = count(evidence.count, "key")
    return f"The lease also carries {keys} outside the lock, which would go with it: {shown}{rest}."


def _phantom(evidence: PossibleAbandonedKey) -> str:
    signs = []
    if evidence.unclosed:
        attempts = count(evidence.unclosed, "attempt")
        signs.append(f"{attempts} on it gave up and left their sessions open")
    if evidence.gave_up_elsewhere:
        signs.append("the holder's own session gave up on another lock")
    return (
        f"A possibility, not a proof: {' and '.join(signs)}, so the holder may be such an attempt,"
        " whose key reached etcd after it had given up. Nobody would release it."
    )


def _grew(evidence: SessionsGrew) -> str:
    text = f"{_new_sessions(evidence).capitalize()}. They are renewed and were not there before."
    if evidence.over_runs:
        return f"{text} {count(evidence.steps, 'run')} found more new ones than ended ones."
    if evidence.steps == 1:
        return f"{text} All of them came within a short part of that time."
    return f"{text} They came in {evidence.steps} separate parts of that time."


def _new_sessions(evidence: SessionsGrew) -> str:
    ended = f", {evidence.ended:,} ended" if evidence.ended else ""
    new = count(evidence.new, "new lease")
    return f"{new} without keys in {duration(evidence.watched_s)}{ended}"


def sessions_alike(evidence: SessionsAlike) -> str:
    """Return the number of sessions, and what they have in common."""
    sessions = count(evidence.sessions, "session")
    every_s = evidence.every_at_most_s
    rhythm = "" if every_s is None else f", renewed every {at_most(every_s)} or more often"
    text = f"{sessions} of TTL {duration(evidence.granted_ttl_s)}{rhythm}"
    if evidence.member_bits is None:
        return f"{text}: their IDs are of the client's own choice, or of a member that has left"
    who = f"member {evidence.member}" if evidence.member else f"a member …{evidence.member_bits}"
    if evidence.granted_after_at is None:
        return f"{text}: granted by {who}"
    since = moment(evidence.granted_after_at)
    return f"{text}: granted by {who}, and not before {since} (a bound that the IDs tell)"


def _lives_on(evidence: AbandonedSessions) -> str:
    if evidence.sessions == 1:
        return "The session behind 1 attempt that gave up before our eyes lives on."
    attempts = count(evidence.sessions, "attempt")
    return f"The sessions behind {attempts} that gave up before our eyes live on."


def _circle(evidence: WaitCycle) -> str:
    text = "The session waits behind a key of its own"
    if len(evidence.ring) > 1:
        text = f"{count(evidence.sessions, 'session')} wait for one another in a circle"
    seen = "seen once only, which does not prove that it lasts"
    if evidence.stood_s > 0:
        seen = f"unchanged for at least {at_least(evidence.stood_s)}"
    if all(wait.is_holder for wait in evidence.ring):
        return f"{text}, {seen}."
    return (
        f"{text}, {seen}; some only stand before another in a queue, and whoever holds that lock"
        " now is no part of it: freeing it does not undo the circle."
    )


def _least_harm(evidence: CheapestBreak) -> str:
    waiters = count(evidence.waiters, "waiter") + (" waits" if evidence.waiters == 1 else " wait")
    return (
        f"Ending session {hex_id(evidence.lease)} undoes it with the least damage:"
        f" it has {count(evidence.keys, 'key')}, and {waiters} for what it holds."
    )


def _blocks(evidence: Blocks) -> str:
    text = f"It blocks {count(evidence.waiters, 'waiter')} in all"
    if not evidence.locks:
        return f"{text}."
    if evidence.locks == 1:
        return f"{text}: 1 other lock is stuck behind it, because its holder waits."
    return f"{text}: {evidence.locks:,} other locks are stuck behind it: their holders wait."


def _idle(evidence: SessionsIdle) -> str:
    who = (
        "1 session was" if evidence.sessions == 1 else f"{count(evidence.sessions, 'session')} were"
    )
    return (
        f"{who} never seen with a key, for up to {at_least(evidence.longest_at_least_s)};"
        f" a session may be idle for {duration(evidence.limit_s)}."
    )
