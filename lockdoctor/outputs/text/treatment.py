"""Returns sentences for treatments: refusals, changes and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.alarms import NOSPACE
from lockdoctor.domain.model.leases import NO_LEASE, hex_id
from lockdoctor.domain.treatment.plan import Target
from lockdoctor.domain.treatment.reasons import (
    AcceptedFinding,
    AlarmForbids,
    HolderChanged,
    HolderIsWaiting,
    KeyAdded,
    KeyGone,
    KeyRecreated,
    KeyRewritten,
    KeysUnseen,
    KindUnknown,
    LeaderChangedSince,
    LeaseGoneAlready,
    NotFound,
    NothingToRelease,
    NotJudged,
    OutsideKeys,
    QueuePositionLost,
    RefusalReason,
    TooManyKeys,
    TooYoung,
    TtlChanged,
    UnjudgedKeys,
)
from lockdoctor.domain.treatment.results import QueueState, Reacquired, TargetResult, UndoResult
from lockdoctor.outputs.text.evidence import sentence
from lockdoctor.outputs.text.values import (
    at_least,
    count,
    duration,
    printable,
    safe,
    shortened,
    time,
    times,
)

NAME_WIDTH = 120
"""Longer names lose their middle; JSON has the whole name."""

ALONE = "--how release touches the lock's own key alone"


class PlainTreatmentText:
    """A TreatmentText (see ports) in the words of a plan and of a journal."""

    def evidence(self, evidence: Evidence) -> str:
        """Return the sentence for one piece of evidence for an action."""
        return sentence(evidence)

    def outcome(self, treated: TargetResult | UndoResult) -> str:
        """Return the sentence for the outcome of one target."""
        return outcome(treated)


def name(raw: bytes) -> str:
    """Return the name of a lock or a key, shortened and safe to show."""
    return shortened(printable(raw), NAME_WIDTH) if raw else "(empty name)"


def danger(danger: RefusalReason) -> str:  # noqa: C901, PLR0912 - one case per kind
    """Return why a target is refused, and which flag overrides that."""
    match danger:
        case NotJudged(verdict):
            return _not_judged(verdict)
        case AcceptedFinding(until, reason):
            return f"lockdoctor.toml accepts it until {safe(until)}: {safe(reason)}."
        case HolderIsWaiting(behind):
            return (
                f"Its session waits for {name(behind)} itself, which may be why it does not"
                " release: see to that lock first; --even-if-healthy treats it all the same."
            )
        case KindUnknown(key):
            return (
                f"lockdoctor cannot tell whether {name(key)} is a lock. If it is one, name it with"
                " --lock-key and add --kind lock."
            )
        case NotFound(None):
            return "No lock below the prefixes has this key."
        case NotFound(int(attached)):
            return (
                f"It carries {count(attached, 'key')}, none of them of a lock below the prefixes:"
                " name the right --prefix."
            )
        case TooYoung(at_least_s, asked_s):
            return (
                f"It is proven to be held for {at_least(at_least_s)} only;"
                f" --min-held asks for {duration(asked_s)}."
            )
        case KeysUnseen(reason):
            return (
                "What is on its lease cannot be seen, so nobody can say what revoking it would"
                f" delete ({safe(reason).rstrip('.')}); {ALONE}."
            )
        case TooManyKeys(keys, limit):
            return (
                f"Revoking its lease would delete {count(keys, 'key')}, more than {limit:,}:"
                f" --max-keys {keys} allows it; {ALONE}."
            )
        case OutsideKeys(keys, first):
            return (
                f"Revoking its lease would delete {_keys_such_as(keys, first)} outside the"
                f" prefixes: --include-outside-keys allows it; {ALONE}."
            )
        case UnjudgedKeys(keys, first):
            return (
                f"Revoking its lease would delete {_keys_such_as(keys, first)} that nobody judged"
                f" leaked: --even-if-healthy allows it; {ALONE}."
            )
        case NothingToRelease():
            return "It has no keys: only --how revoke does anything to it."
        case QueuePositionLost():
            return (
                "Its queue goes by the last write, which a quarantine is: the lock would change"
                " hands at once. --how release does that openly."
            )
        case AlarmForbids(alarm):
            other = (
                " `--how release` and `--how revoke` are still possible."
                if alarm == NOSPACE
                else ""
            )
            return f"etcd refuses this while its alarm {alarm} is raised.{other}"
        case _:
            return change(danger)


def change(change: RefusalReason) -> str:  # noqa: C901 - one case per kind
    """Return how a target differs from the plan."""
    match change:
        case LeaseGoneAlready():
            return "The lease has ended."
        case LeaderChangedSince(before, now):
            return (
                f"Another etcd leader took office, which reset every lease (raft term {before},"
                f" now {now}): plan anew."
            )
        case TtlChanged(before_s, now_s):
            was = "none" if before_s is None else duration(before_s)
            return f"The lease was granted anew, with a TTL of {duration(now_s)} ({was} before)."
        case KeyAdded(key):
            return f"{name(key)} has come onto the lease."
        case KeyGone(key):
            return f"{name(key)} is gone: its client released it, or somebody deleted it."
        case KeyRecreated(key):
            return f"{name(key)} was released and taken anew: it is another hold now."
        case KeyRewritten(key):
            return f"{name(key)} was modified meanwhile. Its client might still be working."
        case HolderChanged(lock, None):
            return f"Nobody holds {name(lock)} any more."
        case HolderChanged(lock, bytes(holder)):
            return f"{name(lock)} is held by {name(holder)} now."
        case KeysUnseen(reason):
            return f"What is on its lease cannot be seen: {safe(reason).rstrip('.')}."
        case _:
            return _assert_never(change)


def outcome(treated: TargetResult | UndoResult) -> str:
    """Return the outcome of a target, or of a quarantine's undo."""
    text = " ".join(_outcome(treated))
    if treated.was_looked_up and treated.result is not Result.UNKNOWN:
        text += " No answer had come; a look afterwards told."
    return text


def old_client(target: Target) -> str:
    """Return the effect of an action on a client that still works as the holder."""
    if not target.stakes:
        return "Its client learns at its next keep-alive that the session has ended."
    if not any(stake.is_holder for stake in target.stakes):
        return "Its client may wait on, and take the lock anew."
    believes = (
        "until it is stopped it may go on as if it held the lock, and only fencing in what the lock"
        " guards protects that."
    )
    match target.action:
        case Action.REVOKE:
            within = duration((target.granted_ttl_s or 0) / 3 + 0.5)
            return (
                f"Its client learns of it at its next keep-alive (Go's: within {within}), and not"
                f" every program heeds that: {believes}"
            )
        case Action.RELEASE if target.lease_id != NO_LEASE:
            return f"Its client is not told, and its session lives on: {believes}"
        case _:
            return f"Its client is not told: {believes}"


def queue_after(queue: QueueState) -> str:
    """Return the sentence on a lock's holder after the action on the old one."""
    if queue.holder is None:
        return f"Nobody holds {name(queue.lock)} now, and nobody waits for it."
    who = "the next in the queue" if queue.was_waiting else "which took it"
    return f"{name(queue.lock)} is held by {name(queue.holder)} now, {who}."


def relapse(relapse: Reacquired) -> str:
    """Return which lease took a freed lock again, and what that means."""
    text = (
        f"{name(relapse.lock)} is held by lease {hex_id(relapse.lease_id)}, renewed at least"
        f" {times(relapse.renewals)} and not released in {at_least(relapse.held_s)}"
    )
    if relapse.was_waiting:
        return f"{text}; it had waited for the lock, and may be at work."
    return f"{text}, though it was not waiting: the process still runs: restart it."


def _not_judged(verdict: VerdictKind | None) -> str:
    match verdict:
        case None:
            return (
                "Nothing was concluded of it: it only waits, or it was not seen long enough;"
                " --even-if-healthy treats it all the same."
            )
        case VerdictKind.SUSPECTED_LEAK:
            return (
                "It is only suspected: --max-hold with the longest that a job takes may prove it,"
                " --verdict suspected-leak treats it on suspicion."
            )
        case VerdictKind.ETERNAL_LOCK:
            return "It has no lease: --verdict eternal-lock releases it."
        case _:
            return (
                f"It was judged {verdict.value}, not leaked; --even-if-healthy treats it all the"
                " same."
            )


def _outcome(treated: TargetResult | UndoResult) -> Iterator[str]:
    match treated.result:
        case Result.DONE:
            yield _done(treated)
        case Result.ALREADY_GONE:
            yield (
                "It was done already."
                if isinstance(treated, UndoResult)
                else "It was gone already."
            )
        case Result.REFUSED | Result.FAILED:
            yield "Nothing was written."
        case Result.PARTLY if isinstance(treated, TargetResult):
            yield f"{_holds(treated.target)} deleted, but that is all."
        case Result.PARTLY:
            yield "Only some of the keys were put back."
        case Result.UNKNOWN:
            yield "It is not known whether it was done, and it may yet be: look again."
    yield from map(change, treated.changed)
    if treated.failure:
        yield f"{safe(treated.failure).rstrip('.')}."


def _done(treated: TargetResult | UndoResult) -> str:
    if isinstance(treated, UndoResult):
        where = f"lease {hex_id(treated.lease_id)}" if treated.lease_id != NO_LEASE else "no lease"
        return f"The hold is back where it was, on {where}."
    target = treated.target
    match target.action:
        case Action.QUARANTINE:
            until = time(treated.undo_until) if treated.undo_until else "?"
            return (
                f"{_holds(target)} put onto a lease of lockdoctor's own: it keeps its place until"
                f" {until}, then it goes."
            )
        case Action.REVOKE if not target.stakes:
            return f"Lease {hex_id(target.lease_id)} was ended."
        case Action.REVOKE:
            more = count(len(target.others), "more key")
            along = f", and {more} with it" if target.others else ""
            return f"{_holds(target)} deleted, then lease {hex_id(target.lease_id)} ended{along}."
        case _ if target.lease_id == NO_LEASE:
            return "The key was deleted."
        case _:
            return f"{_holds(target)} deleted; lease {hex_id(target.lease_id)} lives on."


def _holds(target: Target) -> str:
    return "The hold was" if len(target.stakes) == 1 else f"The {len(target.stakes)} holds were"


def _keys_such_as(keys: int, first: bytes) -> str:
    return f"{count(keys, 'key')}, such as {name(first)}," if keys > 1 else f"the key {name(first)}"


def sentences(dangers: Iterable[RefusalReason]) -> str:
    """Return all reasons against a target in one text."""
    return " ".join(map(danger, dangers))


def _assert_never(change: RefusalReason) -> NoReturn:
    raise AssertionError(change)
