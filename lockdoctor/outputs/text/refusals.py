"""Returns why a target is refused or skipped, and the flag that allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.alarms import NOSPACE
from lockdoctor.domain.treatment import reasons
from lockdoctor.domain.treatment.reasons import (
    Failure,
    FailureKind,
    FailureReason,
    KeysUnseen,
    RefusalReason,
)
from lockdoctor.domain.treatment.restore_plan import RestoreSkipReason
from lockdoctor.domain.treatment.unattended import TreatmentSkipReason
from lockdoctor.outputs.text.values import at_least, count, duration, name, safe

ALONE = "`--how release` deletes only the lock's own key."

EVEN_IF_HEALTHY = "Add `--even-if-healthy` to include it."

OTHER_ACTIONS = "`--how release` and `--how revoke` are still possible."


class ReasonText(NamedTuple):
    """The words for one kind of reason."""

    kind: str
    """Its name in JSON."""
    fact: Callable[[Any], str]
    """Returns what prevents the action."""
    advice: Callable[[Any], str] = lambda _: ""
    """Returns what to do, for a plan; empty where planning again is all."""


def refusal_text(reason: RefusalReason) -> str:
    """Return why a target is refused, and what to do."""
    words = REASONS[type(reason)]
    return f"{words.fact(reason)} {words.advice(reason)}".rstrip()


def refusal_texts(found: Iterable[RefusalReason]) -> str:
    """Return all reasons against a target in one text."""
    return " ".join(map(refusal_text, found))


def change_text(change: RefusalReason) -> str:
    """Return how a target differs from the plan."""
    return REASONS[type(change)].fact(change)


def keys_unseen_text(reason: KeysUnseen) -> str:
    """Return why the keys on a lease could not be read."""
    if reason.reason is None:
        return "etcd does not show this user every key on the lease"
    return safe(reason.reason)


def failure_text(failure: FailureReason) -> str:
    """Return why an action failed: a message as it is, or the sentence for a failure."""
    if isinstance(failure, Failure):
        return safe(FAILURES[failure.kind].format(failure.detail))
    return safe(failure)


def _not_judged(reason: reasons.NotJudged) -> str:
    match reason.verdict:
        case None:
            return "It has no verdict: it only waits, or it was not watched long enough."
        case VerdictKind.SUSPECTED_LEAK:
            return "Only suspected, so not in the plan."
        case VerdictKind.ETERNAL_LOCK:
            return "It has no lease."
        case verdict:
            return f"Its verdict is {verdict.value}, not leaked."


def _how_to_judge(reason: reasons.NotJudged) -> str:
    match reason.verdict:
        case VerdictKind.SUSPECTED_LEAK:
            return (
                "To prove it, add `--max-hold` with your longest job time. To include it unproven,"
                " add `--verdict suspected-leak`."
            )
        case VerdictKind.ETERNAL_LOCK:
            return "Add `--verdict eternal-lock` to release it."
        case _:
            return EVEN_IF_HEALTHY


def _not_found(reason: reasons.NotFound) -> str:
    if reason.attached is None:
        return "No lock below the prefixes has this key."
    keys = "1 key, which is" if reason.attached == 1 else f"{reason.attached:,} keys, which are"
    return f"Its lease has {keys} not of a lock below the prefixes."


def _too_young(reason: reasons.TooYoung) -> str:
    return (
        f"It is proven to be held for {at_least(reason.at_least_s)} only; --min-held is"
        f" {duration(reason.asked_s)}."
    )


def _would_delete(keys: int, first: bytes) -> str:
    which = f"{count(keys, 'key')}, such as {name(first)}," if keys > 1 else f"key {name(first)}"
    return f"Revoking its lease would delete {which}"


def _ttl_changed(reason: reasons.TtlChanged) -> str:
    before = "none" if reason.before_s is None else duration(reason.before_s)
    return (
        f"The lease ID was granted again, with a TTL of {duration(reason.now_s)} (before:"
        f" {before})."
    )


def _holder_changed(reason: reasons.HolderChanged) -> str:
    if reason.now is None:
        return f"{name(reason.lock)} has no holder now."
    return f"{name(reason.lock)} is held by {name(reason.now)} now."


REASONS: Mapping[type[RefusalReason], ReasonText] = {
    reasons.LeaseGoneAlready: ReasonText("lease-gone-already", lambda _: "The lease has ended."),
    reasons.LeaderChangedSince: ReasonText(
        "leader-changed-since",
        lambda r: (
            "etcd has another leader, which reset every TTL (raft term"
            f" {r.before}, now {r.now}). Make a new plan."
        ),
    ),
    reasons.TtlChanged: ReasonText("ttl-changed", _ttl_changed),
    reasons.KeyAdded: ReasonText(
        "key-added", lambda r: f"{name(r.key)} was added to the lease after the plan was made."
    ),
    reasons.KeyGone: ReasonText(
        "key-gone", lambda r: f"{name(r.key)} was deleted, by its client or by another one."
    ),
    reasons.KeyRecreated: ReasonText(
        "key-taken-anew",
        lambda r: f"{name(r.key)} was deleted and written again: it is another hold now.",
    ),
    reasons.KeyRewritten: ReasonText(
        "key-rewritten",
        lambda r: (
            f"{name(r.key)} was modified after the plan was made. Its client might still be"
            " working."
        ),
    ),
    reasons.HolderChanged: ReasonText("holder-changed", _holder_changed),
    reasons.KeysUnseen: ReasonText(
        "keys-unseen",
        lambda r: f"The keys on its lease cannot be read: {keys_unseen_text(r).rstrip('.')}.",
        lambda _: ALONE,
    ),
    reasons.NotJudged: ReasonText("not-judged", _not_judged, _how_to_judge),
    reasons.AcceptedFinding: ReasonText(
        "accepted-as-is",
        lambda r: f"lockdoctor.toml accepts it until {safe(r.until)}: {safe(r.reason)}.",
    ),
    reasons.HolderIsWaiting: ReasonText(
        "holder-is-stuck",
        lambda r: (
            f"Its session waits for {name(r.behind)}, which might be why it does not release."
        ),
        lambda _: f"Free that lock first. {EVEN_IF_HEALTHY}",
    ),
    reasons.KindUnknown: ReasonText(
        "kind-unknown",
        lambda r: f"lockdoctor cannot tell whether {name(r.key)} is a lock.",
        lambda _: "If it is a lock, name it with `--lock-key` and add `--kind lock`.",
    ),
    reasons.NotFound: ReasonText(
        "not-found",
        _not_found,
        lambda r: "" if r.attached is None else "Add the `--prefix` of its lock.",
    ),
    reasons.TooYoung: ReasonText("too-young", _too_young),
    reasons.TooManyKeys: ReasonText(
        "too-many-keys",
        lambda r: f"Revoking its lease would delete {count(r.keys, 'key')}, more than {r.limit:,}.",
        lambda r: f"Add `--max-keys {r.keys}` to allow that. {ALONE}",
    ),
    reasons.OutsideKeys: ReasonText(
        "outside-keys",
        lambda r: f"{_would_delete(r.keys, r.first)} outside the prefixes.",
        lambda _: f"Add `--include-outside-keys` to allow that. {ALONE}",
    ),
    reasons.UnjudgedKeys: ReasonText(
        "other-keys",
        lambda r: f"{_would_delete(r.keys, r.first)} not judged leaked.",
        lambda _: f"Add `--even-if-healthy` to allow that. {ALONE}",
    ),
    reasons.NothingToRelease: ReasonText(
        "nothing-to-release", lambda _: "It has no keys.", lambda _: "Use `--how revoke`."
    ),
    reasons.QueuePositionLost: ReasonText(
        "loses-place",
        lambda _: (
            "This recipe orders its queue by last write. A quarantine would release the lock at"
            " once."
        ),
        lambda _: "Use `--how release`.",
    ),
    reasons.AlarmForbids: ReasonText(
        "alarm-forbids",
        lambda r: f"etcd refuses this while its alarm {safe(r.alarm)} is raised.",
        lambda r: OTHER_ACTIONS if r.alarm == NOSPACE else "",
    ),
}
"""The words for each kind of reason, for text and JSON."""

NOT_TREATED: Mapping[TreatmentSkipReason, str] = {
    TreatmentSkipReason.RUN_CUT_SHORT: "the run ended early",
    TreatmentSkipReason.NOT_PROVEN: "the leak is not proven",
    TreatmentSkipReason.NO_CONTENDER: "the key that blocks the queue is not of the lock",
    TreatmentSkipReason.HELD_TOO_BRIEFLY: "it is not held for `treat_min_held` yet",
    TreatmentSkipReason.IN_TOO_FEW_RUNS: "found in fewer runs in a row than `treat_min_runs`",
    TreatmentSkipReason.RENEWAL_UNSEEN: (
        "no renewal was seen between two readings less than a TTL apart"
    ),
    TreatmentSkipReason.ENOUGH_IN_THIS_RUN: "`treat_max_per_run` is reached",
    TreatmentSkipReason.ENOUGH_TODAY: "`treat_max_per_day` is reached",
}
"""Why a leaked lock was not treated unattended."""

NOT_RESTORED: Mapping[RestoreSkipReason, str] = {
    RestoreSkipReason.EXISTS: "it exists now",
    RestoreSkipReason.CUT: "the journal has only the beginning of its value",
    RestoreSkipReason.REFUSED: "etcd refused the write",
    RestoreSkipReason.UNCLEAR: "no response arrived, so the outcome is unknown",
    RestoreSkipReason.NOT_REACHED: "the run ended before it",
}
"""Why a key was not put back."""

FAILURES: Mapping[FailureKind, str] = {
    FailureKind.CUT_OFF: "The run was interrupted a second time before the response arrived",
    FailureKind.LEASE_NOT_READ: "The lease could not be read again: {}",
    FailureKind.NEW_LEASE_ENDED: "The new lease has ended",
    FailureKind.STOPPED: "Stopped by {}",
    FailureKind.JOURNAL_NEWER: (
        "A newer lockdoctor wrote lines of the journal, so today's actions cannot be counted."
        " Update lockdoctor."
    ),
}
"""Why an action failed; the detail replaces the braces."""
