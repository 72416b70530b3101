"""Reads a saved plan, and refuses one that is incomplete or invalid."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, parse_lease_id
from lockdoctor.domain.model.locks import LockId, LockKey, Recipe
from lockdoctor.domain.treatment.plan import ApprovedHold, RevokePlan, Target
from lockdoctor.outputs.json.plan import VERSION

TREATMENTS = frozenset({Action.REVOKE, Action.RELEASE, Action.QUARANTINE})

_T = TypeVar("_T")


def read_plan(text: str) -> RevokePlan:
    """
    Return the plan in a text, without its refusals: they are not executed.

    Raises:
        ValueError: It is not a plan, or an invalid one; the message names the place.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(whole, dict) or "lockdoctor_plan" not in whole:
        raise ValueError("it is no plan of lockdoctor's")
    if whole["lockdoctor_plan"] != VERSION:
        raise ValueError("another version of lockdoctor has written it")
    plan = _Object(whole, "the plan")
    return RevokePlan(
        made_at=plan.get("made_at", _moment),
        cluster_id=plan.get("cluster_id", _hexadecimal),
        raft_term=plan.get("raft_term", _whole),
        prefixes=tuple(each.raw("prefix") for each in plan.objects("prefixes")),
        quarantine_s=plan.get("quarantine_s", _positive),
        targets=tuple(map(_target, plan.objects("targets"))),
    )


class _Object:
    """A JSON object with its place in the plan."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, dict):
            raise ValueError(f"{where} is no object")  # noqa: TRY004  # of the file, not of a caller
        self.content = content
        self.where = where

    def get(self, name: str, read: Callable[[Any], _T]) -> _T:
        """Return a field."""
        try:
            return read(self.content[name])
        except KeyError as error:
            raise ValueError(f"{self.where} lacks {name}") from error
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{name} of {self.where} makes no sense") from error

    def optional(self, name: str, read: Callable[[Any], _T]) -> _T | None:
        """Return a field that may be null."""
        return self.get(name, lambda value: None if value is None else read(value))

    def objects(self, name: str) -> list[_Object]:
        """Return a list of objects."""
        items = self.get(name, _list)
        return [_Object(item, f"{name}[{n}] of {self.where}") for n, item in enumerate(items)]

    def raw(self, name: str) -> bytes:
        """Return bytes from their exact form."""
        return self.get(f"{name}_base64", _bytes)


def _target(read: _Object) -> Target:
    target = Target(
        action=read.get("action", _treatment),
        lease_id=read.get("lease", _lease),
        granted_ttl_s=read.optional("granted_ttl_s", _whole),
        approved_holds=tuple(map(_approved_hold, read.objects("holds"))),
        others=tuple(map(_key, read.objects("other_keys"))),
        outside=tuple(each.raw("key") for each in read.objects("outside")),
        verdict=read.optional("verdict", VerdictKind),
        confidence=read.get("confidence", Confidence),
        held_at_least_s=read.optional("held_at_least_s", float),
        evidence=tuple(read.get("evidence", _texts)),
    )
    if not target.approved_holds and target.lease_id == NO_LEASE:
        raise ValueError(f"{read.where} has neither a hold nor a lease")
    if any(key.lease_id != target.lease_id for key in (*target.holds, *target.others)):
        raise ValueError(f"{read.where} has keys that are not on its lease")
    if target.action is Action.REVOKE and target.lease_id == NO_LEASE:
        raise ValueError(f"{read.where} has no lease to revoke")
    if target.action is not Action.REVOKE and not target.approved_holds:
        raise ValueError(f"{read.where} has no hold")
    return target


def _approved_hold(read: _Object) -> ApprovedHold:
    return ApprovedHold(
        lock=LockId(read.raw("lock"), read.get("recipe", lambda name: Recipe(_text(name)))),
        hold=_key(read),
        is_holder=read.get("is_holder", _truth),
        waiters=read.get("waiters", _whole),
        next_key=read.optional("next_base64", _bytes),
    )


def _key(read: _Object) -> LockKey:
    return LockKey(
        key=read.raw("key"),
        create_revision=read.get("create_revision", _positive),
        mod_revision=read.get("mod_revision", _positive),
        version=read.get("version", _positive),
        lease_id=read.get("lease", _lease),
        value_size=read.get("value_size", _whole),
    )


def _treatment(value: Any) -> Action:
    action = Action(value)
    if action not in TREATMENTS:
        raise ValueError
    return action


def _lease(value: Any) -> LeaseId:
    return NO_LEASE if value is None else parse_lease_id(_text(value))


def _bytes(value: Any) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _moment(value: Any) -> float:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment.timestamp()


def _hexadecimal(value: Any) -> int:
    return int(_text(value), 16)


def _positive(value: Any) -> int:
    if _whole(value) < 1:
        raise ValueError
    return int(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in _list(value)]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value
