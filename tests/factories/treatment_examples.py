"""An example of every refusal and of every result of a treatment."""

from __future__ import annotations

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.report.findings import Finding
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.reasons import (
    AcceptedFinding,
    AlarmForbids,
    Failure,
    FailureKind,
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
from lockdoctor.domain.treatment.restore_plan import RestorePlan, RestoreSkipReason, SkippedKey
from lockdoctor.domain.treatment.results import ActionResult, AnyTarget
from lockdoctor.domain.treatment.unattended import (
    SkippedLock,
    TreatmentSkipReason,
    UnattendedResult,
)
from tests.factories.plans import a_refusal, a_target, a_treated, an_undone, everything_treated
from tests.factories.reports import a_key, a_lock, a_lock_report, an_intent

KEY = b"/my-lock/\x1b[31m|"

REASONS: tuple[RefusalReason, ...] = (
    NotJudged(None),
    NotJudged(VerdictKind.SUSPECTED_LEAK),
    NotJudged(VerdictKind.ETERNAL_LOCK),
    NotJudged(VerdictKind.HEALTHY),
    AcceptedFinding("2026-12-31", "known"),
    HolderIsWaiting(KEY),
    KindUnknown(KEY),
    NotFound(None),
    NotFound(1),
    NotFound(3),
    TooYoung(45.2, 600.0),
    KeysUnseen("permission denied."),
    KeysUnseen(None),
    TooManyKeys(3_000, 10),
    OutsideKeys(1, KEY),
    OutsideKeys(3, KEY),
    UnjudgedKeys(1, KEY),
    UnjudgedKeys(3, KEY),
    NothingToRelease(),
    QueuePositionLost(),
    AlarmForbids("NOSPACE"),
    AlarmForbids("CORRUPT"),
    LeaseGoneAlready(),
    LeaderChangedSince(2, 3),
    TtlChanged(60, 30),
    TtlChanged(None, 30),
    KeyAdded(KEY),
    KeyGone(KEY),
    KeyRecreated(KEY),
    KeyRewritten(KEY),
    HolderChanged(b"/my-lock/orders", KEY),
    HolderChanged(b"/my-lock/orders", None),
)
"""At least one of every kind."""

KEYS = (a_key(), a_key(KEY))
RESTORE = RestorePlan(entry=Entry(an_intent(keys=KEYS), None), keys=KEYS, left=(), ttl_s=None)

OUTCOMES: tuple[ActionResult[AnyTarget], ...] = (
    *everything_treated().treated,
    *(an_undone(result) for result in Result),
    an_undone(lease_id=NO_LEASE),
    an_undone(Result.REFUSED, changed=(KeyGone(KEY),)),
    an_undone(Result.PARTLY, failure="no \x1banswer."),
    *(an_undone(Result.FAILED, failure=Failure(kind, "Ctrl-C")) for kind in FailureKind),
    ActionResult(target=RESTORE, result=Result.DONE),
    ActionResult(
        target=RESTORE,
        result=Result.UNKNOWN,
        skipped=(SkippedKey(KEYS[0], RestoreSkipReason.UNCLEAR),),
    ),
)

UNATTENDED: tuple[UnattendedResult, ...] = (
    UnattendedResult(),
    UnattendedResult(
        treated=(a_treated(target=a_target(Action.RELEASE)), a_treated(unrecorded="no room")),
        refused=(a_refusal(),),
        skipped=tuple(
            SkippedLock(Finding(report.verdict, report), why)
            for report in (a_lock_report(a_lock(b"/my-lock/mail")),)
            for why in TreatmentSkipReason
        ),
    ),
    UnattendedResult(failure="the disk is full"),
)
"""Nothing to treat; each outcome and each reason to leave a lock alone; a failure."""
