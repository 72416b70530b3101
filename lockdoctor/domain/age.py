"""How long a hold has stood, as brackets from what is known of its beginning."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from lockdoctor.domain.verdicts import EstimatedAge

UUID_EPOCH_OFFSET_100NS = 0x01B21DD213814000
"""From 1582-10-15, where uuid1 counts from, to 1970-01-01. Source: RFC 9562, section 5.1."""

FEWEST_REVISIONS = 10
"""An estimate from fewer revisions in the window than this would be mere chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How long one hold has stood."""

    at_least_s: float
    """Proven: the hold was seen at both ends of this time."""
    at_most_s: float | None = None
    """Proven: the hold did not exist before; None where nothing says."""
    estimate: EstimatedAge | None = None
    claimed_s: float | None = None
    """Since the moment that the client wrote into the lock, by the client's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRate:
    """How fast the cluster's revision rose between two moments of this run."""

    revision: int
    """The later one."""
    revisions: int
    """How many there were in between."""
    over_s: float


def estimate(create_revision: int, rate: RevisionRate) -> EstimatedAge | None:
    """
    Estimate when a key was created, as if the cluster had always written as fast as now.

    Returns:
        None where the cluster wrote too little during the run to tell its rate.
    """
    if rate.revisions < FEWEST_REVISIONS or rate.over_s <= 0:
        return None
    per_s = rate.revisions / rate.over_s
    since = max(0, rate.revision - create_revision)
    return EstimatedAge(about_s=since / per_s, revisions_since=since, revisions_per_s=per_s)


def uuid1_written_at(value: bytes) -> float | None:
    """
    Read the time from a uuid1, as python-etcd3 writes it into a lock.

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
