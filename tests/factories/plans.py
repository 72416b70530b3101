"""Plans and treatments to be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import LockId, Recipe
from lockdoctor.domain.report.unseen import Part, Unseen
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId
from lockdoctor.domain.treatment.plan import ApprovedHold, Refusal, RevokePlan, Target
from lockdoctor.domain.treatment.reasons import (
    KeyRecreated,
    LeaseGoneAlready,
    NotJudged,
    OutsideKeys,
)
from lockdoctor.domain.treatment.results import (
    ActionResult,
    QueueState,
    Reacquired,
    TreatmentReport,
)
from tests.factories.report_examples import HOSTILE
from tests.factories.reports import HOLDER, NOON, a_key, an_intent

ORDERS = b"/my-lock/orders"
NEXT = b"/my-lock/orders/a1"
EVIDENCE = ("Held for at least 12 min 30 s. lockdoctor cannot tell when it started.",)


def an_approved_hold(name: bytes = ORDERS, **fields: Any) -> ApprovedHold:
    told: dict[str, Any] = {
        "hold": a_key(lock=name),
        "is_holder": True,
        "waiters": 3,
        "next_key": NEXT,
    }
    return ApprovedHold(lock=LockId(name, Recipe.GO_MUTEX), **{**told, **fields})


def a_target(action: Action = Action.REVOKE, **fields: Any) -> Target:
    told: dict[str, Any] = {
        "lease_id": HOLDER,
        "granted_ttl_s": 60,
        "approved_holds": (an_approved_hold(),),
        "verdict": VerdictKind.LEAKED_LOCK,
        "confidence": Confidence.PROVEN,
        "held_at_least_s": 750.0,
        "evidence": EVIDENCE,
    }
    return Target(action=action, **{**told, **fields})


def a_shared_target() -> Target:
    """A lease with a key outside the prefix, and more keys than are listed."""
    others = tuple(replace(a_key(b"/my-lock/part/%d" % n), value_size=n) for n in range(12))
    registered = replace(a_key(b"/services/worker-7"), value_size=13)
    return a_target(
        approved_holds=(
            an_approved_hold(),
            an_approved_hold(b"/my-lock/invoices", waiters=0, next_key=None),
        ),
        others=(registered, *others),
        outside=(registered.key,),
    )


def a_session() -> Target:
    return a_target(
        lease_id=LeaseId(0x51),
        approved_holds=(),
        held_at_least_s=None,
        verdict=VerdictKind.SESSION_PILE_UP,
    )


def an_unleased_key() -> Target:
    hold = a_key(lock=b"/my-lock/stale", lease_id=0x694D7A1B2C3D4E5F)
    approved_hold = an_approved_hold(b"/my-lock/stale", hold=replace(hold, lease_id=NO_LEASE))
    return a_target(
        Action.RELEASE,
        lease_id=NO_LEASE,
        granted_ttl_s=None,
        approved_holds=(approved_hold,),
        verdict=VerdictKind.ETERNAL_LOCK,
    )


def a_refusal(**fields: Any) -> Refusal:
    told: dict[str, Any] = {
        "lease_id": LeaseId(0xB0B),
        "lock": b"/my-lock/reports",
        "key": b"/my-lock/reports/b0b",
        "reasons": (NotJudged(VerdictKind.SUSPECTED_LEAK), OutsideKeys(2, b"/services/a")),
    }
    return Refusal(**{**told, **fields})


def a_plan(*targets: Target, **fields: Any) -> RevokePlan:
    """A plan with these targets, or with one."""
    told: dict[str, Any] = {
        "targets": targets or (a_target(),),
        "made_at": NOON,
        "cluster_id": 0xCDF818194E3A8C32,
        "raft_term": 2,
        "prefixes": (b"/my-lock/",),
        "quarantine_s": 60,
    }
    return RevokePlan(**{**told, **fields})


def everything_planned() -> RevokePlan:
    """A plan with a target of each kind, refusals, and what was left out."""
    return a_plan(
        a_target(),
        a_shared_target(),
        a_target(Action.QUARANTINE),
        a_target(
            Action.RELEASE,
            approved_holds=(an_approved_hold(is_holder=False, waiters=1, next_key=None),),
        ),
        an_unleased_key(),
        a_session(),
        refused=(a_refusal(), a_refusal(reasons=(LeaseGoneAlready(),), lock=None, key=None)),
        too_young=2,
        beyond_most=7,
        unnamed=((VerdictKind.SUSPECTED_LEAK, 3),),
        unseen=(Unseen(what=Part.LEASES, count=None, why="denied"),),
    )


def hostile_plan() -> RevokePlan:
    """Locks and keys whose names want to be something else."""
    approved_holds = [
        an_approved_hold(raw, hold=a_key(raw), next_key=raw) for raw in HOSTILE if raw
    ]
    return a_plan(*(a_target(approved_holds=(approved_hold,)) for approved_hold in approved_holds))


def a_treated(
    result: Result = Result.DONE, target: Target | None = None, **fields: Any
) -> ActionResult[Target]:
    told: dict[str, Any] = {"entry_id": EntryId("5f0c1a2b3c4d"), "took_s": 0.0042}
    return ActionResult(target=target or a_target(), result=result, **{**told, **fields})


def everything_treated() -> TreatmentReport:
    """Each result once, a leak that came back, and a run that was stopped."""
    queue = QueueState(lock=ORDERS, holder=NEXT, lease_id=LeaseId(0xA1), was_waiting=True)
    nobody = QueueState(lock=ORDERS, holder=None, lease_id=NO_LEASE, was_waiting=False)
    taken_anew = (KeyRecreated(a_key().key),)
    treated = (
        a_treated(queues=(queue,)),
        a_treated(target=a_shared_target(), queues=(nobody,), was_looked_up=True),
        a_treated(target=a_target(Action.QUARANTINE), undo_until=NOON + 60),
        a_treated(target=a_session(), unrecorded="the disk is full"),
        a_treated(target=an_unleased_key()),
        a_treated(Result.ALREADY_GONE, entry_id=None, took_s=0.0),
        a_treated(Result.REFUSED, entry_id=None, took_s=0.0, changed=taken_anew),
        a_treated(Result.PARTLY, changed=taken_anew),
        a_treated(Result.FAILED, failure="etcd does not permit it"),
        a_treated(Result.UNKNOWN, failure="no answer in time", was_looked_up=True),
    )
    plan = a_plan(*(each.target for each in treated), a_target(), refused=(a_refusal(),))
    relapses = (
        Reacquired(
            lock=ORDERS, key=NEXT, lease_id=LeaseId(0xA1), was_waiting=True, renewals=2, held_s=30.0
        ),
        Reacquired(
            lock=ORDERS, key=NEXT, lease_id=LeaseId(0xC1), was_waiting=False, renewals=1, held_s=9.0
        ),
    )
    return TreatmentReport(
        plan=plan, treated=treated, stopped="no answer in time", watched_s=30.0, relapses=relapses
    )


def an_undone(
    result: Result = Result.DONE, *, lease_id: LeaseId = HOLDER, **fields: Any
) -> ActionResult[Entry]:
    told: dict[str, Any] = {
        "entry_id": EntryId("6f0c1a2b3c4d"),
        "took_s": 0.003,
    }
    intent = an_intent("5f0c1a2b3c4d", Action.QUARANTINE, lease_id=lease_id)
    return ActionResult(target=Entry(intent, None), result=result, **{**told, **fields})
