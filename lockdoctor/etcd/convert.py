"""Converts etcd's messages to lockdoctor's values, and prefixes to key ranges."""

from __future__ import annotations

from typing import Any

from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, LeaseReading, Reading
from lockdoctor.domain.model.locks import LockKey

MAX_VALUE_BYTES = 4096
"""No lock recipe needs more of a value, and 100,000 locks must fit into memory."""

EVERYTHING = b"\x00"
"""As the end of a range: no end. As its beginning: the smallest possible key."""


def lock_key(key_value: Any, max_value_bytes: int | None = MAX_VALUE_BYTES) -> LockKey:
    """Convert a KeyValue with the beginning of its value; None for the whole value."""
    created, modified = key_value.create_revision, key_value.mod_revision
    return LockKey(
        key=key_value.key,
        create_revision=created,
        mod_revision=created if modified == created else modified,  # one number object in memory
        version=key_value.version,
        lease_id=LeaseId(key_value.lease),
        value=key_value.value[:max_value_bytes],
        value_size=len(key_value.value),
    )


def reading(
    answer: Any, lease_id: LeaseId, asked_at: float, answered_at: float, *, with_keys: bool
) -> Reading:
    """
    Convert the answer to a LeaseTimeToLive.

    A lease that does not exist has a remaining TTL of -1 and a granted TTL of 0. With only the
    remaining TTL negative, it still exists: etcd is late in expiring it.

    Source: LeaseTimeToLive in etcd's server/etcdserver/api/v3rpc/lease.go.
    """
    raft_term = answer.header.raft_term
    granted_ttl_s, remaining_ttl_s = answer.grantedTTL, answer.TTL
    if remaining_ttl_s == -1 and granted_ttl_s == 0:
        return LeaseNotFound(
            lease_id=lease_id, asked_at=asked_at, answered_at=answered_at, raft_term=raft_term
        )
    keys = tuple(sorted(answer.keys)) if with_keys else None
    return LeaseReading(
        lease_id,
        asked_at,
        answered_at,
        granted_ttl_s,
        remaining_ttl_s,
        raft_term,
        keys,
    )


def range_of(prefix: bytes) -> tuple[bytes, bytes]:
    """
    Return the key range of a prefix: its first key and the key after its last.

    Source: GetPrefixRangeEnd in etcd's client/v3/op.go.
    """
    if not prefix:
        return EVERYTHING, EVERYTHING
    stem = prefix.rstrip(b"\xff")
    return prefix, stem[:-1] + bytes([stem[-1] + 1]) if stem else EVERYTHING
