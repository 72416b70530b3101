"""
Encode and decode one line of a journal: a JSON object in ASCII.

A line is an intent or an outcome. Bytes are in base64, leases as etcdctl prints them, moments in
UTC. Fields may be added at any time; a reader ignores unknown fields. VERSION rises when a field
changes its meaning.
"""

from __future__ import annotations

import base64
import enum
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, hex_id, parse_lease_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import (
    Actor,
    EntryId,
    Intent,
    Line,
    Outcome,
    Reason,
    cut,
)

VERSION = 1

BEGINNING = b'{"lockdoctor_journal":'
"""The first bytes of every line, and so of every journal."""

_T = TypeVar("_T")
_Json = dict[str, Any]


class UnreadableLine(enum.Enum):
    """Why bytes are not a line of a journal."""

    DAMAGED = "damaged"
    """They are not a complete line of a journal."""
    NEWER = "newer"
    """A newer lockdoctor has written them, so this version cannot read them."""


class _NewerVersionError(Exception):
    """A word or a version that this lockdoctor does not support."""


def encoded(line: Line) -> bytes:
    """Return a line as bytes, with its line break; an intent's long values are cut."""
    line = cut(line)
    content = _intent(line) if isinstance(line, Intent) else _outcome(line)
    whole = {
        "lockdoctor_journal": VERSION,
        "line": "intent" if isinstance(line, Intent) else "outcome",
        "entry": line.entry_id,
        "at": datetime.fromtimestamp(line.at, timezone.utc).isoformat(timespec="microseconds"),
    } | content
    return json.dumps(whole, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def decoded(raw: bytes) -> Line | UnreadableLine:
    """Return the line that some bytes encode, or why they encode no line."""
    try:
        return _line(json.loads(raw))
    except _NewerVersionError:
        return UnreadableLine.NEWER
    except (LookupError, ValueError, TypeError, OverflowError, RecursionError):
        return UnreadableLine.DAMAGED


def _line(content: _Json) -> Line:
    if _number(content["lockdoctor_journal"]) > VERSION:
        raise _NewerVersionError
    return _known(_READERS, content["line"])(content)


def _intent(intent: Intent) -> _Json:
    return {
        "who": {"user": intent.who.user, "host": intent.who.host, "pid": intent.who.pid},
        "action": intent.action.value,
        "why": {
            "verdict": intent.why.verdict,
            "confidence": intent.why.confidence,
            "evidence": intent.why.evidence,
        },
        "cluster_id": f"{intent.cluster_id:x}",
        "lease": _lease(intent.lease_id),
        "granted_ttl_s": intent.granted_ttl_s,
        "locks_base64": [_base64(lock) for lock in intent.locks],
        "keys": [_key(key) for key in intent.keys],
        "new_lease": _optional(_lease, intent.new_lease_id),
        "new_ttl_s": intent.new_ttl_s,
        "of": intent.of,
        "treated_under_base64": _optional(_base64, intent.treated_under),
    }


def _read_intent(content: _Json) -> Intent:
    who, why = content["who"], content["why"]
    return Intent(
        entry_id=EntryId(_text(content["entry"])),
        at=_moment(content["at"]),
        who=Actor(user=_text(who["user"]), host=_text(who["host"]), pid=_number(who["pid"])),
        action=_known(_ACTIONS, content["action"]),
        why=Reason(
            verdict=_text(why["verdict"]),
            confidence=_text(why["confidence"]),
            evidence=tuple(map(_text, why["evidence"])),
        ),
        cluster_id=int(content["cluster_id"], 16),
        lease_id=_read_lease(content["lease"]),
        granted_ttl_s=_optional(_number, content["granted_ttl_s"]),
        locks=tuple(map(_bytes, content["locks_base64"])),
        keys=tuple(map(_read_key, content["keys"])),
        new_lease_id=_optional(_read_lease, content["new_lease"]),
        new_ttl_s=_optional(_number, content["new_ttl_s"]),
        of=_optional(lambda of: EntryId(_text(of)), content["of"]),
        treated_under=_optional(_bytes, content["treated_under_base64"]),
    )


def _outcome(outcome: Outcome) -> _Json:
    return {
        "result": outcome.result.value,
        "detail": outcome.detail,
        "took_s": round(outcome.took_s, 6),
        "deleted_base64": _optional(lambda keys: list(map(_base64, keys)), outcome.deleted),
    }


def _read_outcome(content: _Json) -> Outcome:
    return Outcome(
        entry_id=EntryId(_text(content["entry"])),
        at=_moment(content["at"]),
        result=_known(_RESULTS, content["result"]),
        detail=_text(content["detail"]),
        took_s=float(content["took_s"]),
        deleted=_optional(lambda keys: tuple(map(_bytes, keys)), content["deleted_base64"]),
    )


def _key(key: LockKey) -> _Json:
    return {
        "key_base64": _base64(key.key),
        "create_revision": key.create_revision,
        "mod_revision": key.mod_revision,
        "version": key.version,
        "lease": _lease(key.lease_id),
        "value_size": key.value_size,
        "value_base64": _base64(key.value),
        "value_is_whole": len(key.value) == key.value_size,
    }


def _read_key(content: _Json) -> LockKey:
    return LockKey(
        key=_bytes(content["key_base64"]),
        create_revision=_number(content["create_revision"]),
        mod_revision=_number(content["mod_revision"]),
        version=_number(content["version"]),
        lease_id=_read_lease(content["lease"]),
        value=_bytes(content["value_base64"]),
        value_size=_number(content["value_size"]),
    )


def _known(words: Mapping[str, _T], word: Any) -> _T:
    if _text(word) not in words:
        raise _NewerVersionError
    return words[word]


def _lease(lease_id: LeaseId) -> str | None:
    return None if lease_id == NO_LEASE else hex_id(lease_id)


def _read_lease(text: str | None) -> LeaseId:
    return NO_LEASE if text is None else parse_lease_id(text)


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.timestamp()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _optional(read: Callable[[Any], _T], value: Any) -> _T | None:
    return None if value is None else read(value)


_READERS: Mapping[str, Callable[[_Json], Line]] = {
    "intent": _read_intent,
    "outcome": _read_outcome,
}
_ACTIONS = {action.value: action for action in Action}
_RESULTS = {result.value: result for result in Result}
