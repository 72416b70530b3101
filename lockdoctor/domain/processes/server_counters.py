"""What etcd's own counters tell of leases: read at both ends of the window, and compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lockdoctor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounters:
    """The counters of one member at one moment; None where it does not have one."""

    member: str
    """Where they were read, safe to show to others: no password in it."""
    read_at: float
    started_at: float | None
    """When the member's process began to count."""
    is_leader: bool | None
    granted: int | None
    revoked: int | None
    """Leases that ended in any way, those that ran out included."""
    expired: int | None
    """Leases that ran out; only a leader counts them."""
    renewed: int | None
    """Only a leader counts them."""
    leader_changes: int | None
    keepalive_streams: int | None
    """Streams on which clients renew leases, open now; a client has one for all its leases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """What one member counted in the time watched; None where that is not known."""

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
    """It began to count anew meanwhile, so that nothing can be said of the time."""


@dataclass(frozen=True, kw_only=True)
class ServerView:
    """What the members that were asked counted in the time watched."""

    members: tuple[MemberView, ...]

    @property
    def watched_s(self) -> float:
        """From the first reading to the last, where they lie closest together."""
        return min(each.watched_s for each in self._usable or self.members)

    @property
    def granted(self) -> int | None:
        """Leases granted. Each member counts them all; one that lags behind has counted fewer."""
        return _most(each.granted for each in self._usable)

    @property
    def revoked(self) -> int | None:
        """Leases that ended in any way."""
        return _most(each.revoked for each in self._usable)

    @property
    def expired(self) -> int | None:
        """Leases that ran out; None where the leader of the whole time was not asked."""
        return _most(each.expired for each in self._usable)

    @property
    def renewed(self) -> int | None:
        """Renewals; None where the leader of the whole time was not asked."""
        return _most(each.renewed for each in self._usable)

    @property
    def leader_changes(self) -> int | None:
        """Changes of the leader that a member has seen."""
        return _most(each.leader_changes for each in self._usable)

    @property
    def keepalive_streams(self) -> int | None:
        """Open streams for renewals, at the members that were asked."""
        known = [each.keepalive_streams for each in self.members]
        return sum(n for n in known if n is not None) if any(n is not None for n in known) else None

    @property
    def _usable(self) -> Sequence[MemberView]:
        return [each for each in self.members if not each.was_restarted]


def compare(before: Iterable[MemberCounters], after: Iterable[MemberCounters]) -> ServerView | None:
    """Compare two readings of the same members; None where no member answered both times."""
    first = {each.member: each for each in before}
    pairs = [(first[each.member], each) for each in after if each.member in first]
    return ServerView(members=tuple(_view(*pair) for pair in pairs)) if pairs else None


COUNTERS = ("granted", "revoked", "expired", "renewed", "leader_changes")


def _view(before: MemberCounters, after: MemberCounters) -> MemberView:
    rises = {name: _rise(getattr(before, name), getattr(after, name)) for name in COUNTERS}
    was_restarted = before.started_at != after.started_at or any(
        rise is not None and rise < 0 for rise in rises.values()
    )
    if was_restarted:
        rises = dict.fromkeys(rises)
    elif not (before.is_leader and after.is_leader and not rises["leader_changes"]):
        rises |= {"expired": None, "renewed": None}
    return MemberView(
        member=after.member,
        watched_s=after.read_at - before.read_at,
        keepalive_streams=after.keepalive_streams,
        was_restarted=was_restarted,
        **rises,
    )


def _rise(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _most(numbers: Iterable[int | None]) -> int | None:
    return max((number for number in numbers if number is not None), default=None)
