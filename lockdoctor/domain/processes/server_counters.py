"""Compare etcd's own lease counters, read at both ends of the window."""

from __future__ import annotations

from collections.abc import Iterable

from lockdoctor.domain.report.processes import CounterChanges, MemberCounterChanges, MemberCounters


def compare(
    before: Iterable[MemberCounters], after: Iterable[MemberCounters]
) -> CounterChanges | None:
    """Compare two readings of the same members; None if no member answered both times."""
    first = {each.member: each for each in before}
    pairs = [(first[each.member], each) for each in after if each.member in first]
    return CounterChanges(members=tuple(_view(*pair) for pair in pairs)) if pairs else None


COUNTERS = ("granted", "revoked", "expired", "renewed", "leader_changes")


def _view(before: MemberCounters, after: MemberCounters) -> MemberCounterChanges:
    rises = {name: _rise(getattr(before, name), getattr(after, name)) for name in COUNTERS}
    was_restarted = before.started_at != after.started_at or any(
        rise is not None and rise < 0 for rise in rises.values()
    )
    if was_restarted:
        rises = dict.fromkeys(rises)
    elif not (before.is_leader and after.is_leader and not rises["leader_changes"]):
        rises |= {"expired": None, "renewed": None}
    return MemberCounterChanges(
        member=after.member,
        watched_s=after.read_at - before.read_at,
        keepalive_streams=after.keepalive_streams,
        was_restarted=was_restarted,
        **rises,
    )


def _rise(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
