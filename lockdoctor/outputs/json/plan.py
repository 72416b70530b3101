"""Converts a plan to the JSON of `--plan FILE` and `--format json`."""

from __future__ import annotations

import dataclasses

from lockdoctor.domain.treatment.plan import ApprovedHold, Refusal, RevokePlan, Target
from lockdoctor.domain.treatment.reasons import KeysUnseen, RefusalReason
from lockdoctor.outputs.json.values import (
    Json,
    alarms_json,
    key_json,
    lease,
    lock_json,
    moment,
    plain,
    rounded,
    text_and_base64,
    texts,
)
from lockdoctor.outputs.text.refusals import REASONS, keys_unseen_text, refusal_text
from lockdoctor.outputs.text.unseen import unseen_text
from lockdoctor.outputs.text.values import safe

VERSION = 1
"""Increases when a field changes its meaning or is removed, not for a new field."""


def plan_document(plan: RevokePlan) -> Json:
    """Return a plan; keys as text and as exact base64, without their values."""
    return {
        "lockdoctor_plan": VERSION,
        "made_at": moment(plan.made_at),
        "cluster_id": f"{plan.cluster_id:x}",
        "raft_term": plan.raft_term,
        "prefixes": texts("prefix", plan.prefixes),
        "quarantine_s": plan.quarantine_s,
        "targets": list(map(target_document, plan.targets)),
        "refused": list(map(_refusal, plan.refused)),
        "too_young": plan.too_young,
        "beyond_max": plan.beyond_most,
        "unnamed": {kind.value: number for kind, number in plan.unnamed},
        "unseen": list(map(unseen_text, plan.unseen)),
        "alarms": alarms_json(plan.alarms),
    }


def target_document(target: Target) -> Json:
    """Return one target."""
    return {
        "action": target.action.value,
        "lease": lease(target.lease_id),
        "granted_ttl_s": target.granted_ttl_s,
        "verdict": plain(target.verdict),
        "confidence": target.confidence.value,
        "held_at_least_s": rounded(target.held_at_least_s),
        "evidence": list(map(safe, target.evidence)),
        "holds": list(map(_approved_hold, target.approved_holds)),
        "other_keys": list(map(key_json, target.others)),
        "outside": texts("key", target.outside),
    }


def reason_document(each: RefusalReason) -> Json:
    """Return a refusal or a change as its kind, its sentence and its parts."""
    if isinstance(each, KeysUnseen):
        each = KeysUnseen(keys_unseen_text(each))
    parts: Json = {}
    for field in dataclasses.fields(each):
        value = getattr(each, field.name)
        if isinstance(value, bytes):
            parts |= text_and_base64(field.name, value)
        else:
            parts[field.name] = plain(value)
    return {"kind": REASONS[type(each)].kind, "text": refusal_text(each), **parts}


def _approved_hold(approved_hold: ApprovedHold) -> Json:
    return {
        **lock_json(approved_hold.lock),
        **key_json(approved_hold.hold),
        "is_holder": approved_hold.is_holder,
        "waiters": approved_hold.waiters,
        **text_and_base64("next", approved_hold.next_key),
    }


def _refusal(refusal: Refusal) -> Json:
    return {
        "lease": lease(refusal.lease_id),
        **text_and_base64("lock", refusal.lock),
        **text_and_base64("key", refusal.key),
        "reasons": list(map(reason_document, refusal.reasons)),
    }
