"""Hypothesis strategies: lines of a journal as they may come."""

from __future__ import annotations

from hypothesis import strategies as st

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Actor, EntryId, Intent, Outcome, Reason

_BYTES = st.binary(max_size=20)
_TEXT = st.text(max_size=20)  # with escape sequences, line breaks and lone surrogates
_LEASES = st.integers(-(2**63), 2**63 - 1).map(LeaseId)
_COUNTS = st.integers(0, 2**63 - 1)
_IDS = st.sampled_from(["a1", "b2", "c3", "d4"]).map(EntryId)
_MOMENTS = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
_KEYS = st.builds(
    lambda value, more, **fields: LockKey(value=value, value_size=len(value) + more, **fields),
    key=_BYTES,
    create_revision=_COUNTS,
    mod_revision=_COUNTS,
    version=_COUNTS,
    lease_id=_LEASES,
    value=_BYTES,
    more=st.integers(0, 2),
)
INTENTS = st.builds(
    Intent,
    entry_id=_IDS,
    at=_MOMENTS,
    who=st.builds(Actor, user=_TEXT, host=_TEXT, pid=_COUNTS),
    action=st.sampled_from(Action),
    why=st.builds(
        Reason, verdict=_TEXT, confidence=_TEXT, evidence=st.lists(_TEXT, max_size=2).map(tuple)
    ),
    cluster_id=st.integers(0, 2**64 - 1),
    lease_id=_LEASES,
    granted_ttl_s=st.none() | _COUNTS,
    locks=st.lists(_BYTES, max_size=2).map(tuple),
    keys=st.lists(_KEYS, max_size=2).map(tuple),
    new_lease_id=st.none() | _LEASES.filter(bool),
    new_ttl_s=st.none() | _COUNTS,
    of=st.none() | _IDS,
    treated_under=st.none() | _BYTES,
)
OUTCOMES = st.builds(
    Outcome,
    entry_id=_IDS,
    at=_MOMENTS,
    result=st.sampled_from(Result),
    detail=_TEXT,
    took_s=st.integers(0, 10**9).map(lambda us: us / 1e6),
    deleted=st.none() | st.lists(_BYTES, max_size=2).map(tuple),
)
LINES = INTENTS | OUTCOMES
