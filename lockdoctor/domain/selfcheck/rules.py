"""Judge a cluster's members and the permissions of the present user."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.selfcheck.etcd_versions import (
    OLDEST_LINE,
    bugs_in,
    guards_leases,
    parse_version,
)

DAY_S = 86_400.0
CERTIFICATE_SOON_S = 14 * DAY_S
"""
A certificate that expires within this many seconds is reported: two weeks, time to have a new one
issued.
"""

CLOCKS_APART_S = 5.0
"""
Clocks further apart than this, in seconds, make the ages that clients wrote themselves misleading.
"""


class CheckLevel(enum.Enum):
    """The level of one item."""

    FINE = "ok"
    NOTE = "note"
    """Good to know; everything works."""
    PROBLEM = "problem"
    """A scan needs this, and it does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFacts:
    """One endpoint, and what its member answers."""

    endpoint: str
    refusal: str | None = None
    """Why it did not answer; the other fields are unknown then."""
    cluster_id: int = 0
    member_id: int = 0
    leader_id: int | None = 0
    """0 where the member has no leader, None where this user may not see it."""
    raft_term: int = 0
    version: str = ""
    """Empty where it could not be read."""
    is_learner: bool = False
    answered_in_s: float = 0.0
    certificate_ends_at: float | None = None
    """POSIX seconds; None without TLS."""
    clock_ahead_s: tuple[float, float] | None = None
    """
    The minimum and the maximum time by which its wall clock is ahead of this machine's, in seconds;
    None where it does not answer.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One step of a scan, tried."""

    what: str
    prefix: bytes | None = None
    """The prefix with which it was tried; None where that makes no difference."""
    refusal: str | None = None
    """Why it cannot be done."""
    is_optional: bool = False
    """A scan can do without it, and reports what it could not read."""
    note: str | None = None
    """Other facts about it, where it can be done or was not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckFacts:
    """Everything that was examined."""

    now: float
    """POSIX seconds."""
    members: tuple[MemberFacts, ...]
    login: Permission | None = None
    """None where no user was given."""
    permissions: tuple[Permission, ...] = ()
    """Empty where no member could be read from."""
    local: tuple[Permission, ...] = ()
    """Items about this machine: history, journal."""
    alarms: tuple[ClusterAlarm, ...] | None = None
    """The alarms of the cluster, the worst first; None where they could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One line of the result."""

    about: str
    prefix: bytes | None = None
    mark: CheckLevel
    text: str
    """It may quote a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """The result, and the facts behind it."""

    facts: SelfCheckFacts
    remarks: tuple[CheckItem, ...]

    @property
    def has_problem(self) -> bool:
        """Return whether a step that a scan needs does not work."""
        return any(remark.mark is CheckLevel.PROBLEM for remark in self.remarks)

    @property
    def is_blind(self) -> bool:
        """Return whether etcd could not be read at all."""
        return not self.facts.permissions

    @property
    def guards_leases(self) -> bool:
        """
        Return whether a member guards its list of leases.

        Such a member shows it only to a role that may read every key.
        """
        versions = (parse_version(member.version) for member in self.facts.members)
        return any(guards_leases(version) for version in versions if version)


def judge(facts: SelfCheckFacts) -> SelfCheck:
    """Return the level of everything that was examined."""
    remarks = [*_alarms(facts.alarms or ())]
    remarks += [remark for member in facts.members for remark in _member(member, facts.now)]
    remarks += _cluster(facts.members)
    tried = [*([facts.login] if facts.login else []), *facts.permissions, *facts.local]
    remarks += [_permission(each) for each in tried]
    return SelfCheck(facts=facts, remarks=tuple(remarks))


def _alarms(alarms: tuple[ClusterAlarm, ...]) -> Iterator[CheckItem]:
    """Yield the alarms first: an alarm might be the cause of everything else."""
    for alarm in alarms:
        yield CheckItem(about="cluster", mark=CheckLevel.PROBLEM, text=alarm.sentence)


def _member(member: MemberFacts, now: float) -> Iterator[CheckItem]:
    about = member.endpoint
    if member.refusal is not None:
        yield CheckItem(about=about, mark=CheckLevel.PROBLEM, text=member.refusal)
        return
    yield CheckItem(about=about, mark=_rank_mark(member), text=_rank(member))
    yield from (CheckItem(about=about, mark=m, text=text) for m, text in _version(member.version))
    if member.certificate_ends_at is not None:
        mark, text = _certificate(member.certificate_ends_at - now)
        yield CheckItem(about=about, mark=mark, text=text)
    if member.clock_ahead_s is not None:
        yield from _clock(about, *member.clock_ahead_s)


def _rank_mark(member: MemberFacts) -> CheckLevel:
    if member.leader_id == 0:
        return CheckLevel.PROBLEM
    return CheckLevel.NOTE if member.is_learner else CheckLevel.FINE


def _rank(member: MemberFacts) -> str:
    if member.leader_id == 0:
        return f"etcd {member.version} without a leader: too few members can talk to each other"
    rank = "leads" if member.leader_id == member.member_id else "follows"
    if member.is_learner:
        rank = "is a learner, which serves no reads"
    elif member.leader_id is None:
        rank = "has a leader"
    return (
        f"etcd {member.version or 'of unknown version'}, {rank}, term {member.raft_term},"
        f" answered in {member.answered_in_s * 1000:.0f} ms"
    )


def _version(text: str) -> Iterator[tuple[CheckLevel, str]]:
    version = parse_version(text)
    if not text:
        yield CheckLevel.NOTE, "its version is not known, so bugs of its version are not listed"
        return
    if version is None:
        yield CheckLevel.NOTE, f"{text!r} is no version that lockdoctor can read"
        return
    if version.line < OLDEST_LINE:
        oldest = ".".join(map(str, OLDEST_LINE))
        yield CheckLevel.NOTE, f"lockdoctor is tested with etcd {oldest} and newer; this is {text}"
    for bug in bugs_in(version):
        mended = bug.mended_in[version.line]
        major, minor = version.line
        cure = f"mended in {major}.{minor}.{mended}" if mended else f"not mended in {major}.{minor}"
        yield CheckLevel.NOTE, f"known bug: {bug.what} ({bug.source}; {cure})"


def _certificate(left_s: float) -> tuple[CheckLevel, str]:
    days = int(left_s // DAY_S)
    if left_s <= 0:
        return CheckLevel.PROBLEM, "its TLS certificate has ended"
    if left_s <= CERTIFICATE_SOON_S:
        return CheckLevel.NOTE, f"its TLS certificate ends in {days} days"
    return CheckLevel.FINE, f"its TLS certificate is good for {days} more days"


def _clock(about: str, at_least_s: float, at_most_s: float) -> Iterator[CheckItem]:
    apart_s = max(at_least_s, -at_most_s, 0.0)
    if apart_s >= CLOCKS_APART_S:
        which = "ahead of" if at_least_s > 0 else "behind"
        text = (
            f"its clock is at least {apart_s:.0f} s {which} this machine's;"
            " times that clients wrote into their locks may mislead"
        )
        yield CheckItem(about=about, mark=CheckLevel.NOTE, text=text)


def _cluster(members: tuple[MemberFacts, ...]) -> Iterator[CheckItem]:
    answered = [member for member in members if member.refusal is None]
    clusters = {member.cluster_id for member in answered}
    if len(clusters) > 1:
        text = "they belong to different clusters: give the endpoints of one"
        yield CheckItem(about="endpoints", mark=CheckLevel.PROBLEM, text=text)
    elif answered and all(member.leader_id not in {None, member.member_id} for member in answered):
        text = (
            "none of them is the leader, which answers look-ups of leases about twice as fast:"
            " add its endpoint"
        )
        yield CheckItem(about="endpoints", mark=CheckLevel.NOTE, text=text)


def _permission(tried: Permission) -> CheckItem:
    if tried.refusal is None:
        mark, text = (CheckLevel.NOTE, tried.note) if tried.note else (CheckLevel.FINE, "works")
    else:
        mark = CheckLevel.NOTE if tried.is_optional else CheckLevel.PROBLEM
        text = tried.refusal
    return CheckItem(about=tried.what, prefix=tried.prefix, mark=mark, text=text)
