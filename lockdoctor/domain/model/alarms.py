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


def is_raised(name: str, alarms: Iterable[ClusterAlarm] | None) -> bool:
    """Return whether an alarm of this name is raised; False if alarms were not read."""
    return any(alarm.name == name for alarm in alarms or ())


def worst_first(alarms: Iterable[ClusterAlarm]) -> tuple[ClusterAlarm, ...]:
    """Return alarms in order: CORRUPT, NOSPACE, then others by name and member."""
    names = {name: rank for rank, name in enumerate(KNOWN_ALARMS)}
    return tuple(sorted(set(alarms), key=lambda each: (names.get(each.name, len(names)), *each)))
