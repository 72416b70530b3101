"""Judge a cluster's members and the permissions of the present user."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.selfcheck.etcd_versions import (
    OLDEST_LINE,
    LeaseBug,
    Line,
    bugs_in,
    guards_leases,
    parse_version,
)

DAY_S = 86_400.0
CERTIFICATE_SOON_S = 14 * DAY_S
"""A certificate that expires within this time is reported: two weeks to issue a new one."""

CLOCKS_APART_S = 5.0
"""Clocks further apart, in seconds, make ages that clients wrote misleading."""


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


class KnownBug(NamedTuple):
    """A bug of the member's release."""

    bug: LeaseBug
    line: Line


class UnreadableVersion(NamedTuple):
    """A version that is empty, or not of etcd's form."""

    version: str


class UntestedVersion(NamedTuple):
    """A version older than each with which lockdoctor is tested."""

    version: str


class CertificateLeft(NamedTuple):
    """Seconds until the TLS certificate of a member expires; negative afterwards."""

    left_s: float


class ClockApart(NamedTuple):
    """Minimum seconds between a member's wall clock and this machine's."""

    at_least_s: float
    is_ahead: bool


class EndpointFault(enum.Enum):
    """What is wrong with the endpoints as a whole."""

    DIFFERENT_CLUSTERS = enum.auto()
    NO_LEADER_AMONG_THEM = enum.auto()


SelfCheckFact: TypeAlias = (
    ClusterAlarm
    | MemberFacts
    | UnreadableVersion
    | UntestedVersion
    | KnownBug
    | CertificateLeft
    | ClockApart
    | EndpointFault
    | Permission
)
"""What an item reports; outputs/text/selfcheck has the sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One line of the result."""

    about: str
    prefix: bytes | None = None
    mark: CheckLevel
    fact: SelfCheckFact


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
        """Return whether a member lists leases only to a role that may read every key."""
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
        yield CheckItem(about="cluster", mark=CheckLevel.PROBLEM, fact=alarm)


def _member(member: MemberFacts, now: float) -> Iterator[CheckItem]:
    about = member.endpoint
    yield CheckItem(about=about, mark=_rank_level(member), fact=member)
    if member.refusal is not None:
        return
    for fact in _version(member.version):
        yield CheckItem(about=about, mark=CheckLevel.NOTE, fact=fact)
    if member.certificate_ends_at is not None:
        left_s = member.certificate_ends_at - now
        mark = _certificate_level(left_s)
        yield CheckItem(about=about, mark=mark, fact=CertificateLeft(left_s))
    if member.clock_ahead_s is not None:
        at_least_s, at_most_s = member.clock_ahead_s
        apart = ClockApart(max(at_least_s, -at_most_s, 0.0), is_ahead=at_least_s > 0)
        if apart.at_least_s >= CLOCKS_APART_S:
            yield CheckItem(about=about, mark=CheckLevel.NOTE, fact=apart)


def _rank_level(member: MemberFacts) -> CheckLevel:
    if member.refusal is not None or member.leader_id == 0:
        return CheckLevel.PROBLEM
    return CheckLevel.NOTE if member.is_learner else CheckLevel.FINE


def _version(text: str) -> Iterator[SelfCheckFact]:
    version = parse_version(text)
    if version is None:
        yield UnreadableVersion(text)
        return
    if version.line < OLDEST_LINE:
        yield UntestedVersion(text)
    yield from (KnownBug(bug, version.line) for bug in bugs_in(version))


def _certificate_level(left_s: float) -> CheckLevel:
    if left_s <= 0:
        return CheckLevel.PROBLEM
    return CheckLevel.NOTE if left_s <= CERTIFICATE_SOON_S else CheckLevel.FINE


def _cluster(members: tuple[MemberFacts, ...]) -> Iterator[CheckItem]:
    answered = [member for member in members if member.refusal is None]
    clusters = {member.cluster_id for member in answered}
    if len(clusters) > 1:
        fault = EndpointFault.DIFFERENT_CLUSTERS
        yield CheckItem(about="endpoints", mark=CheckLevel.PROBLEM, fact=fault)
    elif answered and all(member.leader_id not in {None, member.member_id} for member in answered):
        fault = EndpointFault.NO_LEADER_AMONG_THEM
        yield CheckItem(about="endpoints", mark=CheckLevel.NOTE, fact=fault)


def _permission(tried: Permission) -> CheckItem:
    mark = CheckLevel.NOTE if tried.note else CheckLevel.FINE
    if tried.refusal is not None:
        mark = CheckLevel.NOTE if tried.is_optional else CheckLevel.PROBLEM
    return CheckItem(about=tried.what, prefix=tried.prefix, mark=mark, fact=tried)
