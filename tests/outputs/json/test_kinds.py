"""Kinds in JSON keep their names, whatever the classes are called."""

from __future__ import annotations

from typing import get_args

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.treatment.reasons import Change, RefusalReason
from lockdoctor.outputs.text.evidence import ENTRIES
from lockdoctor.outputs.text.refusals import REASONS as REASON_TEXTS

EVIDENCE = {
    "blocks",
    "by-design",
    "claimed-age",
    "estimated-age",
    "expired",
    "foreign-holder",
    "from-elsewhere",
    "from-given-up-attempts",
    "gave-up",
    "handed-over",
    "held",
    "holder-waits",
    "kept-alive-by",
    "keyless",
    "late-renewal",
    "leader-changed",
    "lease-ended",
    "least-harm",
    "listed-but-gone",
    "live-sessions",
    "long-ttl",
    "lost-its-lease",
    "no-hand-over",
    "no-lease",
    "no-single-way-out",
    "not-renewed",
    "other-keys",
    "possible-phantom",
    "queue-cut",
    "renewed",
    "rewritten",
    "server-counted",
    "sessions-alike",
    "sessions-grew",
    "sessions-idle",
    "standing",
    "unknown-shape",
    "unobservable",
    "unread",
    "wait-circle",
    "waiting",
    "weighed",
    "within-limit",
}
"""As documents have them since schema version 1."""

REASONS = {
    "accepted-as-is",
    "alarm-forbids",
    "holder-changed",
    "holder-is-stuck",
    "key-added",
    "key-gone",
    "key-rewritten",
    "key-taken-anew",
    "keys-unseen",
    "kind-unknown",
    "leader-changed-since",
    "lease-gone-already",
    "loses-place",
    "not-found",
    "not-judged",
    "nothing-to-release",
    "other-keys",
    "outside-keys",
    "too-many-keys",
    "too-young",
    "ttl-changed",
}


def test_every_kind_of_evidence_has_its_name() -> None:
    """None is missing, and none has changed."""
    assert set(ENTRIES) == set(get_args(Evidence))
    assert {entry.kind for entry in ENTRIES.values()} == EVIDENCE


def test_every_reason_has_its_name() -> None:
    """None is missing, and none has changed."""
    assert set(REASON_TEXTS) == {*get_args(Change), *get_args(RefusalReason)}
    assert {words.kind for words in REASON_TEXTS.values()} == REASONS
