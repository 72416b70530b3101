"""The data of processes and of etcd's members in the report."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lockdoctor.domain.model.leases import LeaseId


class Frame(NamedTuple):
    """One call on a stack."""

    function: str
    """As Go writes it: main.request, github.com/acme/jobs.(*Queue).Take."""
    place: str
    """The file, without its folder, and the line; empty where the profile has neither."""

    @property
    def text(self) -> str:
        """Return the call as text for people."""
        return f"{self.function} ({self.place})" if self.place else self.function


class CallSite(NamedTuple):
    """A place in the process's own code, and the number of goroutines from there."""

    call: str
    """The function called there: Lock, Campaign or NewSession."""
    frame: Frame
    goroutines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoroutineCounts:
    """The goroutines of one process that are about etcd's locks."""

    goroutines: int
    sessions: int
    """Live sessions, each with a lease that this process renews."""
    keepalives: int
    """
    Leases that it keeps alive, with those of the sessions. Newer clients hide some others (from
    3.4.28 and 3.5.10 on, those whose context cannot be cancelled).
    """
    named_keepalives: int
    """
    Of the keep-alives, those whose arguments show the lease's ID. Which Go shows it depends on its
    version and on the client's.
    """
    clients: int
    """Clients that have ever kept a lease alive."""
    lock_waiters: int
    candidates: int
    """Goroutines that wait to win an election."""
    oldest_keepalive_s: int | None
    """
    The minimum time that the oldest keep-alive has run, in whole minutes; None where the profile
    has no time.
    """
    callers: tuple[CallSite, ...]
    words: frozenset[LeaseId]
    """
    Where the profile shows arguments: numbers that include the IDs of all leases kept alive, and
    pointers. One that is also a lease of etcd is no coincidence.
    """
    is_whole: bool
    """False where the profile was cut off, so that every number is the fewest."""

    @property
    def waiting(self) -> int:
        """Return the number of sessions that wait for their turn; each has a key in etcd."""
        return self.lock_waiters + self.candidates

    @property
    def names_all_leases(self) -> bool:
        """Return whether the profile names every lease that the process keeps alive."""
        return self.is_whole and 0 < self.keepalives == self.named_keepalives

    @property
    def beyond_sessions(self) -> int:
        """Return the minimum number of leases kept alive without a session."""
        return max(0, self.keepalives - self.sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounters:
    """The counters of one member at one moment; None where it does not have one."""

    member: str
    """Where they were read, without any password."""
    read_at: float
    started_at: float | None
    """When the member's process began to count."""
    is_leader: bool | None
    granted: int | None
    revoked: int | None
    """Leases that ended for any reason, with those that expired."""
    expired: int | None
    """Leases that expired; only a leader counts them."""
    renewed: int | None
    """Only a leader counts them."""
    leader_changes: int | None
    keepalive_streams: int | None
    """Streams on which clients renew leases, open now; a client has one for all its leases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounterChanges:
    """The counts of one member in the time watched; None where a count is unknown."""

    member: str
    watched_s: float
    granted: int | None
    revoked: int | None
    expired: int | None
    renewed: int | None
    leader_changes: int | None
    keepalive_streams: int | None
    """Open at the end."""
    was_restarted: bool
    """It restarted its counters meanwhile, so that its counts for that time are unknown."""


@dataclass(frozen=True, kw_only=True)
class CounterChanges:
    """The counts of the members that were read, in the time watched."""

    members: tuple[MemberCounterChanges, ...]

    @property
    def watched_s(self) -> float:
        """Return the shortest time between a member's two readings, in seconds."""
        return min(each.watched_s for each in self._usable or self.members)

    @property
    def granted(self) -> int | None:
        """Return the leases granted: each member counts all, fewer where it lags behind."""
        return highest(each.granted for each in self._usable)

    @property
    def revoked(self) -> int | None:
        """Return the leases that ended for any reason."""
        return highest(each.revoked for each in self._usable)

    @property
    def expired(self) -> int | None:
        """Return the leases that expired; None without the leader of the whole time."""
        return highest(each.expired for each in self._usable)

    @property
    def renewed(self) -> int | None:
        """Return the renewals; None without the leader of the whole time."""
        return highest(each.renewed for each in self._usable)

    @property
    def leader_changes(self) -> int | None:
        """Return the changes of the leader that a member has seen."""
        return highest(each.leader_changes for each in self._usable)

    @property
    def keepalive_streams(self) -> int | None:
        """Return the open streams for renewals, at the members that were read."""
        known = [each.keepalive_streams for each in self.members]
        return sum(n for n in known if n is not None) if any(n is not None for n in known) else None

    @property
    def _usable(self) -> Sequence[MemberCounterChanges]:
        return [each for each in self.members if not each.was_restarted]


def highest(numbers: Iterable[int | None]) -> int | None:
    """Return the highest number that is not None; None if all are."""
    return max((number for number in numbers if number is not None), default=None)


class CountComparison(enum.Enum):
    """How a process's sessions compare with etcd's renewed leases without keys."""

    AS_MANY = "as-many"
    FEWER = "fewer"
    MORE = "more"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReport:
    """The goroutines of one process, compared with etcd."""

    name: str
    source: str
    counts: GoroutineCounts
    is_saved: bool
    """The profile was saved earlier, so that its counts are not of this moment."""
    sessions_before: int | None
    """Live sessions at the beginning of the window; None where the process was not read then."""
    watched_s: float
    """Seconds from the first reading of it to the last."""
    keyless_kept: int | None
    """
    The number of etcd's renewed leases without keys that it keeps alive, by their IDs; None where
    the leases could not be read, or the profile does not show the ID of each lease kept alive.
    """
    locks_held: int | None
    """The number of the report's locks that it holds, by the IDs of their leases; None as above."""
    agreement: CountComparison | None
    """By their numbers; None where the leases without keys could not be read."""
