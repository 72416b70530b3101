"""The alarms of an etcd cluster, and the writes that etcd refuses for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

NOSPACE = "NOSPACE"
"""The database has reached its quota: etcd refuses each write that makes it larger."""

CORRUPT = "CORRUPT"
"""The members disagree about the data: etcd refuses every write."""

KNOWN_ALARMS = (CORRUPT, NOSPACE)
"""The worst first. Source: AlarmType in etcd's api/etcdserverpb/rpc.proto."""


class ClusterAlarm(NamedTuple):
    """An alarm of the cluster, and the member that raised it."""

    name: str
    """NOSPACE, CORRUPT, or the name that a newer etcd gives it."""
    member_id: int
    """0 where etcd's answer does not name the member."""

    @property
    def sentence(self) -> str:
        """Return a sentence: the alarm is raised, and what etcd refuses for it."""
        by = f" (member {self.member_id:x})" if self.member_id else ""
        effect = _EFFECTS.get(self.name)
        return f"etcd alarm {self.name}{by}" + (f": {effect}" if effect else "")

    @property
    def remedy(self) -> str:
        """Return what to do, in one sentence."""
        return _REMEDIES.get(self.name, "look it up in the documentation of this etcd release")


_EFFECTS = {
    NOSPACE: "its database is full, so etcd refuses new leases and new keys",
    CORRUPT: "its members disagree about the data, so etcd refuses every write",
}
"""Tried on 3.4.23, 3.5.1, 3.5.31, 3.6.11, 3.6.16 and 3.7.3 in tests/scenarios/test_alarms.py."""

_REMEDIES = {
    NOSPACE: "compact and defragment etcd, then run `etcdctl alarm disarm`",
    CORRUPT: "find the damaged member and replace it, then run `etcdctl alarm disarm`",
}


def is_raised(name: str, alarms: Iterable[ClusterAlarm] | None) -> bool:
    """Return whether an alarm of this name is raised; False if alarms were not read."""
    return any(alarm.name == name for alarm in alarms or ())


def worst_first(alarms: Iterable[ClusterAlarm]) -> tuple[ClusterAlarm, ...]:
    """Return alarms in order: CORRUPT, NOSPACE, then others by name and member."""
    names = {name: rank for rank, name in enumerate(KNOWN_ALARMS)}
    return tuple(sorted(set(alarms), key=lambda each: (names.get(each.name, len(names)), *each)))
