"""Whether a key of unknown kind behaves like a lock: likely at most, never proven."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Basis, Kind, KnownKind

MIN_LIVES = 3
"""
A key must have been created by at least this many sessions, one after the other.

A registration is created anew at each restart of its service, so that one change proves little;
that is why the kind is never more than likely.
"""

UNKNOWN = KnownKind(Kind.UNKNOWN, Basis.UNKNOWN)
LIKELY_LOCK = KnownKind(Kind.LOCK, Basis.LIKELY)


class Life(NamedTuple):
    """One life of a key, from creation to deletion, as a run or the history saw it."""

    create_revision: int
    lease_id: LeaseId
    value: bytes | None
    """Its value; None where it is not known."""


def kind_by_behavior(lives: Sequence[Life], *, others_on_lease: int) -> KnownKind:
    """
    Return the kind of a single key by its changes: likely a lock, or unknown.

    It was held by one session after the other, each on a lease of its own, and no two of them wrote
    the same value: a service that starts again writes its own address again. Empty values show
    nothing. Where other single keys are on the lease of the present holder, it is more likely a
    service that registers several things.

    Args:
        lives: The lives of the key, in any order; a life that was seen twice counts once.
        others_on_lease: The number of other single keys on the lease of its last life.
    """
    distinct = {life.create_revision: life for life in lives}
    if len(distinct) < MIN_LIVES or others_on_lease:
        return UNKNOWN
    leases = {life.lease_id for life in distinct.values()}
    values = [life.value for life in distinct.values() if life.value]
    if len(leases) < len(distinct) or len(set(values)) < len(values):
        return UNKNOWN
    return LIKELY_LOCK
