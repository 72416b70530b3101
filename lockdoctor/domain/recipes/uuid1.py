"""Read the creation time of a uuid1, which clients write into keys."""

from __future__ import annotations

import uuid

UUID_EPOCH_OFFSET_100NS = 0x01B21DD213814000
"""From 1582-10-15, where uuid1 counts from, to 1970-01-01. Source: RFC 9562, section 5.1."""


def uuid1_written_at(value: bytes) -> float | None:
    """
    Return the time in a uuid1, which python-etcd3 writes into a lock.

    Returns:
        POSIX seconds by the writer's clock, None where the bytes are no uuid1.

    Source: Lock in python-etcd3's etcd3/locks.py; RFC 9562, section 5.1.
    """
    if len(value) != 16:  # noqa: PLR2004 - the bytes of a UUID
        return None
    identifier = uuid.UUID(bytes=value)
    if identifier.version != 1 or identifier.variant != uuid.RFC_4122:
        return None
    return (identifier.time - UUID_EPOCH_OFFSET_100NS) / 1e7
