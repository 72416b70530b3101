"""Builders of domain values: every field has a sane default, a test names what it is about."""

from __future__ import annotations

from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.locks import LockKey


def a_key(
    *,
    key: bytes = b"/my-lock/orders",
    create_revision: int = 10,
    version: int = 1,
    lease_id: int = 0x694D7AEF9C2B3A01,
    value: bytes = b"",
) -> LockKey:
    """A key with a lease and no value."""
    return LockKey(
        key=key,
        create_revision=create_revision,
        mod_revision=create_revision + version - 1,
        version=version,
        lease_id=LeaseId(lease_id),
        value=value,
        value_size=len(value),
    )


def a_queue_key(
    name: bytes, lease_id: int, *, create_revision: int = 10, version: int = 1, value: bytes = b""
) -> LockKey:
    """A contender's key as Go's concurrency package writes it."""
    return a_key(
        key=name + b"/%x" % lease_id,
        create_revision=create_revision,
        version=version,
        lease_id=lease_id,
        value=value,
    )
