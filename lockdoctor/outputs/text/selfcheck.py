"""Returns the sentence for each fact of the self-check."""

from __future__ import annotations

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.selfcheck.etcd_versions import OLDEST_LINE
from lockdoctor.domain.selfcheck.rules import (
    DAY_S,
    CertificateLeft,
    ClockApart,
    EndpointFault,
    KnownBug,
    MemberFacts,
    Permission,
    SelfCheckFact,
    UnreadableVersion,
    UntestedVersion,
)
from lockdoctor.outputs.text.alarms import alarm_text
from lockdoctor.outputs.text.values import safe

FAULTS = {
    EndpointFault.DIFFERENT_CLUSTERS: (
        "they belong to different clusters: give the endpoints of one cluster"
    ),
    EndpointFault.NO_LEADER_AMONG_THEM: (
        "the leader is not among them: add its endpoint to make look-ups about twice as fast"
    ),
}

BUGS = {
    "etcd issue 13766": "members might disagree about keys and leases",
    "etcd issue 13172": (
        "after a snapshot was restored, leases might never end where authentication is on"
    ),
    "etcd issue 15247": "a leader that was cut off might end leases that are still renewed",
    "etcd issue 12381, PR 17642": (
        "while the leader changes, etcd might report an endless TTL; lockdoctor discards such"
        " readings"
    ),
    "etcd issue 14758, PR 20590": (
        "etcd might confirm a renewal of a lease that has just been ended"
    ),
    "etcd issue 12291": "leases do not end after the server's clock was set back",
}
"""What each known bug does, by its source; etcd_versions has the releases."""


def fact_text(fact: SelfCheckFact) -> str:  # noqa: C901 - one case per fact
    """Return the sentence for a fact of the self-check."""
    match fact:
        case ClusterAlarm():
            return alarm_text(fact)
        case MemberFacts():
            return _member(fact)
        case UnreadableVersion(""):
            return "its version is not known, so known bugs of its version are not listed"
        case UnreadableVersion(version):
            return f"its version {safe(version)!r} is not of the form 3.5.1"
        case UntestedVersion(version):
            oldest = ".".join(map(str, OLDEST_LINE))
            return f"lockdoctor is tested with etcd {oldest} and newer; this is {safe(version)}"
        case KnownBug(bug, line):
            fixed, release = bug.fixed_in[line], "{}.{}".format(*line)
            cure = f"fixed in {release}.{fixed}" if fixed else f"not fixed in {release}"
            return f"known bug: {BUGS[bug.source]} ({bug.source}; {cure})"
        case CertificateLeft(left_s):
            if left_s <= 0:
                return "its TLS certificate has expired"
            return f"its TLS certificate expires in {int(left_s // DAY_S)} days"
        case ClockApart(apart_s, is_ahead):
            return (
                f"its clock is at least {apart_s:.0f} s {'ahead of' if is_ahead else 'behind'} this"
                " machine's; times that clients wrote into their locks might be wrong"
            )
        case EndpointFault():
            return FAULTS[fact]
        case Permission():
            return safe(fact.refusal or fact.note or "works")


def _member(member: MemberFacts) -> str:
    if member.refusal is not None:
        return safe(member.refusal)
    version = safe(member.version)
    if member.leader_id == 0:
        return f"etcd {version} without a leader: too few members can reach each other"
    role = "leader" if member.leader_id == member.member_id else "follower"
    if member.is_learner:
        role = "learner, which serves no reads"
    elif member.leader_id is None:
        role = "has a leader"
    return (
        f"etcd {version or 'of unknown version'}, {role}, term {member.raft_term},"
        f" answered in {member.answered_in_s * 1000:.0f} ms"
    )
