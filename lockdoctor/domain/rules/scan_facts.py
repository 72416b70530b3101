"""Everything that one run gathered, before it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.queue_activity import WatchEvent
from lockdoctor.domain.inference.renewals import Traces
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, Reading
from lockdoctor.domain.model.locks import KeySnapshot, Lock
from lockdoctor.domain.past.past import NO_PAST, Past
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.report.report import ClusterFacts
from lockdoctor.domain.report.unseen import Unseen


@dataclass(frozen=True, kw_only=True)
class PrefixFacts:
    """The readings of the keys of one prefix."""

    prefix: bytes
    first: KeySnapshot
    last: KeySnapshot | None
    """The keys at the end of the run; None where they could not be read again."""
    events: tuple[WatchEvent, ...]
    first_locks: list[Lock]
    """The locks that the first keys form."""

    @property
    def end(self) -> KeySnapshot:
        """Return the last keys that were read."""
        return self.last or self.first


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """The data from the list of leases."""

    first_listed_at: Mapping[LeaseId, float] = field(default_factory=dict)
    """When a list first had the lease."""
    at_start: frozenset[LeaseId] = frozenset()
    """The leases of the first list, as far as one can have been without keys."""
    is_counted: bool = True
    """There was a list, so that those without keys could be counted."""
    listed: Sequence[LeaseId] = ()
    """All leases of the first list."""
    keyless: frozenset[LeaseId] = frozenset()
    """Those that were followed because a look-up found no keys on them."""
    still_listed: Mapping[LeaseId, float] = field(default_factory=dict)
    """Of leases that a look-up found gone: when the last list was requested that had them."""


@dataclass(frozen=True, kw_only=True)
class ScanFacts:
    """Everything that one run gathered."""

    started_at: float
    ended_at: float
    window_s: float
    lookups: int
    interrupted: str | None
    policy: Policy
    cluster: ClusterFacts
    past: Past | None
    """What earlier runs saw, its readings among those below; None without a history."""
    probes: tuple[LeadershipProbe, ...] = ()
    """The raft leadership in answers of this run."""
    prefixes: tuple[PrefixFacts, ...]
    readings: Mapping[LeaseId, Sequence[Reading]]
    unread: Mapping[LeaseId, str]
    leadership: Leadership
    sessions: SessionFacts
    unseen: tuple[Unseen, ...]

    @cached_property
    def traces(self) -> Traces:
        """Return what the readings of each lease prove."""
        return Traces(self.readings, self.leadership)

    @cached_property
    def locks(self) -> dict[bytes, tuple[list[Lock], list[Lock]]]:
        """Return each prefix's locks at the beginning and the end; one list if read once."""
        return {each.prefix: self._locks_of(each) for each in self.prefixes}

    def _locks_of(self, facts: PrefixFacts) -> tuple[list[Lock], list[Lock]]:
        if facts.last is None or facts.last is facts.first:
            return facts.first_locks, facts.first_locks
        last = locks(facts.last.keys, facts.prefix, self.policy)
        return facts.first_locks, last

    @property
    def watched_s(self) -> float:
        """Return the seconds from the first answer to the last."""
        return self.ended_at - self.started_at

    @property
    def known_past(self) -> Past:
        """Return what earlier runs saw, which can be empty."""
        return self.past or NO_PAST

    def present(self, lease_id: LeaseId) -> list[Reading]:
        """Return this run's readings of a lease."""
        return [r for r in self.readings.get(lease_id, ()) if r.asked_at >= self.started_at]
