"""Returns the sentences for an alarm of the cluster: its effect and its remedy."""

from __future__ import annotations

from lockdoctor.domain.model.alarms import CORRUPT, NOSPACE, ClusterAlarm
from lockdoctor.outputs.text.values import safe

EFFECTS = {
    NOSPACE: "its database is full, so etcd refuses new leases and new keys",
    CORRUPT: "its members disagree about the data, so etcd refuses every write",
}
"""Tried on 3.4.23, 3.5.1, 3.5.31, 3.6.11, 3.6.16 and 3.7.3 in tests/scenarios/test_alarms.py."""

REMEDIES = {
    NOSPACE: "compact and defragment etcd, then run `etcdctl alarm disarm`",
    CORRUPT: "find the damaged member and replace it, then run `etcdctl alarm disarm`",
}


def alarm_text(alarm: ClusterAlarm) -> str:
    """Return that an alarm is raised, and the writes that etcd refuses for it."""
    by = f" (member {alarm.member_id:x})" if alarm.member_id else ""
    effect = EFFECTS.get(alarm.name)
    return f"etcd alarm {safe(alarm.name)}{by}" + (f": {effect}" if effect else "")


def alarm_remedy(alarm: ClusterAlarm) -> str:
    """Return what to do about an alarm."""
    return REMEDIES.get(alarm.name, "see the documentation of this etcd release")
