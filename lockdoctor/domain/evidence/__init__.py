"""The pieces of evidence that carry a verdict: data with its numbers, worded by the outputs."""

from __future__ import annotations

import enum
from typing import TypeAlias

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.values import dataclass

TOLERANCE = 0.05
"""Two numbers that were not counted at the same moment agree if they differ by no more."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The readings prove that a client renewed the lease."""

    renewals: int
    """The fewest that explain the readings."""
    watched_s: float
    """From the first reading to the last."""
    at_most_every_s: float | None
    """The mean time between renewals is at most this; None where fewer than two are proven."""


@dataclass(frozen=True, slots=True)
class Held:
    """How long one hold has stood."""

    at_least_s: float
    at_most_s: float | None


@dataclass(frozen=True, slots=True)
class EstimatedAge:
    """The hold's age if the cluster always wrote as fast as during this run: an estimate only."""

    about_s: float
    revisions_since: int
    revisions_per_s: float


class Sign(enum.Enum):
    """Something that speaks for a leak, or against it, and proves neither."""

    STILL = "still"
    """Nobody was served for long, though others wanted it."""
    GAVE_UP = "gave-up"
    """Attempts waited, and gave up; those that leave at once merely tried."""
    LEFT_SESSIONS = "left-sessions"
    """Attempts that gave up left their sessions open."""
    WAITED_LONG = "waited-long"
    """Somebody who waits now has waited for long."""
    WAITED = "waited"
    """Others wait."""
    STOOD = "stood"
    """The key is proven to have stood longer than a hold may last; it may have waited at first."""
    LOOKS_OLD = "looks-old"
    """By the cluster's revisions the key is older than a hold may be."""
    LOOKS_YOUNG = "looks-young"
    """By the cluster's revisions the key is young."""
    CLAIMS_OLD = "claims-old"
    """By the client's clock the hold is older than it may be."""
    CLAIMS_YOUNG = "claims-young"
    """By the client's clock it is young."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a sign speaks for a leak; less than nothing speaks against it."""

    sign: Sign
    points: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """What speaks for a leak and against it, added up."""

    points: int
    needed: int
    """So many make a leak likely."""
    weights: tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class ClaimedAge:
    """The time that the client itself wrote into the lock, by the client's own clock."""

    claimed_s: float


@dataclass(frozen=True, slots=True)
class NoHandOver:
    """The lock did not change hands while it was watched."""

    watched_s: float


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The lock was released, or changed hands, while it was watched."""

    releases: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Others wait for the lock."""

    waiters: int
    longest_at_least_s: float
    """How long the one who has waited longest was seen to wait."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Attempts on the lock came, waited, and left without it."""

    attempts: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class NoLease:
    """The key has no lease, so etcd never deletes it by itself."""

    in_lock_shape: bool
    """False where neither its layout nor the policy says that it is a lock's."""


@dataclass(frozen=True, slots=True)
class ForeignHolder:
    """The key that blocks the queue is not a contender: it merely lies below the lock's name."""

    key: bytes


@dataclass(frozen=True, slots=True)
class NotRenewed:
    """The lease counts down."""

    unrenewed_for_s: float
    """At least so long without a renewal, at the last reading."""
    remaining_s: float
    """Seconds left at the last reading, at most."""
    granted_s: int


@dataclass(frozen=True, slots=True)
class LeaseEnded:
    """The lease is gone: it expired or was revoked while it was watched."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The time of leases is over, but etcd has not ended them."""

    leases: int
    for_s: float
    """So long past its end was the latest of them, at least, at the last reading."""


@dataclass(frozen=True, slots=True)
class ListedButGone:
    """Look-ups found no such leases, yet etcd's list has them."""

    leases: int
    for_s: float
    """So long after a look-up had found one gone the list still had it."""


@dataclass(frozen=True, slots=True)
class LostItsLease:
    """Look-ups found no such lease, yet the key that hangs on it stands."""

    for_s: float
    """So long after a look-up had found the lease gone."""


@dataclass(frozen=True, slots=True)
class OtherKeys:
    """The lease carries keys outside the lock, too."""

    count: int
    keys: tuple[bytes, ...]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class PossiblePhantom:
    """Signs that the holder gave up long ago, and that its key reached etcd all the same."""

    unclosed: int
    """Attempts on the lock were seen to give up; so many of their sessions live on."""
    gave_up_elsewhere: bool
    """The holder's own session was seen to give up on another lock."""


@dataclass(frozen=True, slots=True)
class LateRenewal:
    """A renewal came when little of the TTL was left."""

    remaining_at_most_s: float
    granted_s: int


@dataclass(frozen=True, slots=True)
class LongTtl:
    """A crash of the holder would keep the lock this long."""

    granted_s: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class ByDesign:
    """A key that its process keeps as long as it lives is normal here."""

    key_kind: str
    """`election` or `registration`."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Its client keeps the key alive by writing it again, onto a fresh lease."""

    times: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class WithinLimit:
    """The hold is younger than the longest time that a hold may take."""

    limit_s: float


@dataclass(frozen=True, slots=True)
class Unobservable:
    """The window was too short to see what would decide."""

    needed_s: float
    """A window of this many seconds would do."""
    granted_s: int


@dataclass(frozen=True, slots=True)
class Unread:
    """The lease could not be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnknownShape:
    """Neither the key's layout nor the policy says that it is a lock's."""


@dataclass(frozen=True, slots=True)
class QueueCut:
    """The scanned prefix may leave out contenders of this lock."""


@dataclass(frozen=True, slots=True)
class LeaderChanged:
    """A new leader reset every lease while it was watched; rises across that prove nothing."""

    discarded: int
    """Readings that could not be used because of it."""


@dataclass(frozen=True, slots=True)
class SessionsGrew:
    """More renewed leases without keys came than ended; those that came were not there before."""

    before: int
    """Those there now that are not among the new ones, and those that ended ..."""
    after: int
    """... and all that are there now."""
    watched_s: float
    steps: int
    """In how many runs, or parts of the window, more came than ended: once may be a start-up."""
    new: int
    """No earlier list of leases had them, whether or not they had keys then."""
    ended: int
    over_runs: bool
    """They came from run to run; false where they came while one run watched."""


@dataclass(frozen=True, slots=True)
class SessionsAlike:
    """Sessions without keys that one member granted, with one TTL, and one rhythm of renewals."""

    sessions: int
    member: str | None
    """The member's ID in hexadecimal; None where it is not known."""
    member_bits: str | None
    """What the leases' IDs tell of it; None where no present member gives such IDs."""
    granted_ttl_s: int
    every_at_most_s: float | None
    """They are renewed at least so often; None where no renewal is proven."""
    granted_after_at: float | None
    """None of them was granted before this moment of the member's clock: POSIX seconds."""


@dataclass(frozen=True, slots=True)
class FromGivenUpAttempts:
    """Sessions whose attempt on a lock was seen to give up, and which live on."""

    sessions: int


@dataclass(frozen=True, slots=True)
class SessionsIdle:
    """Sessions that were never seen with a key."""

    sessions: int
    longest_at_least_s: float
    """How long the one was watched that was watched longest."""
    limit_s: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the growth so far comes to, if it goes on."""

    per_hour: float
    sessions_in_a_day: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The same finding in the runs before this one."""

    runs: int
    """In so many runs in a row, this one included."""
    for_s: float
    """Since the first of them ..."""
    since_at: float
    """... which began at this moment: POSIX seconds."""


@dataclass(frozen=True, slots=True)
class KeptAliveBy:
    """A process's goroutines name the lease, or some of them: it is this process that renews."""

    process: str
    kept: int
    of: int
    """Leases that the verdict is about."""
    saved: bool
    """It did when the profile was saved."""


@dataclass(frozen=True, slots=True)
class LiveSessions:
    """How many sessions live in a process that was asked, beside what etcd has."""

    process: str
    sessions: int
    before: int | None
    """At the beginning of the time watched; None where it was not asked then."""
    watched_s: float
    waiting: int
    """Of them, those that wait for their turn, and so have a key."""
    keyless_leases: int
    """Renewed leases without keys that etcd has."""
    kept: int | None
    """So many of those it keeps alive, by their IDs; None where its profile shows none."""
    agreement: str
    """Without those that wait, the sessions are `as-many`, `fewer` or `more`, within 5 %."""
    saved: bool
    """They did when the profile was saved."""

    @property
    def keeps_the_leak(self) -> bool:
        """Whether the process keeps nearly all leases of a leak alive, by their IDs."""
        leases = self.keyless_leases
        return leases > 0 and (self.kept or 0) >= leases * (1 - TOLERANCE)


@dataclass(frozen=True, slots=True)
class FromElsewhere:
    """Leases without keys that no goroutine of the processes names, though each names its own."""

    leases: int
    processes: int
    """The ones that answered."""


@dataclass(frozen=True, slots=True)
class ServerCounted:
    """What etcd's own counters say of the time watched, over all of its leases."""

    granted: int
    revoked: int
    """Ended in any way, those that ran out included."""
    expired: int | None
    """Ran out; None where the leader was not asked."""
    watched_s: float


@dataclass(frozen=True, slots=True)
class RingWait:
    """One session of a circle, and whom it waits for: the next one, or a session of its client."""

    waiter: LeaseId
    waits_for: bytes
    """The lock's name."""
    behind: LeaseId
    is_holder: bool
    """False where the other one does not hold the lock yet, but gets it before the waiter."""


@dataclass(frozen=True, slots=True)
class WaitCircle:
    """Sessions that wait for one another, so that none can go on before another has."""

    ring: tuple[RingWait, ...]
    """A short way around."""
    sessions: int
    """All that are caught in it."""
    stood_s: float
    """How long it was seen to stand, unchanged; 0 where it was seen once only."""


@dataclass(frozen=True, slots=True)
class LeastHarm:
    """The one session whose end undoes the circle with the least damage."""

    lease: LeaseId
    keys: int
    """Keys that go with it, as far as is known."""
    waiters: int
    """Those who wait for the locks that it holds."""


@dataclass(frozen=True, slots=True)
class NoSingleWayOut:
    """No session undoes the circle alone: more than one has to end."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Others are blocked in all, in this queue and in those of the locks behind it."""

    waiters: int
    locks: int
    """Locks blocked behind, because their holders wait."""


@dataclass(frozen=True, slots=True)
class HolderWaits:
    """The holder's session waits for another lock itself, which may be why it does not release."""

    lock: bytes


@dataclass(frozen=True, slots=True)
class Keyless:
    """The lease carries no key."""


Evidence: TypeAlias = (
    Renewed
    | Held
    | EstimatedAge
    | Weighed
    | ClaimedAge
    | NoHandOver
    | HandedOver
    | Waiting
    | GaveUp
    | NoLease
    | ForeignHolder
    | NotRenewed
    | LeaseEnded
    | Expired
    | ListedButGone
    | LostItsLease
    | OtherKeys
    | PossiblePhantom
    | LateRenewal
    | LongTtl
    | ByDesign
    | Rewritten
    | WithinLimit
    | Unobservable
    | Unread
    | UnknownShape
    | QueueCut
    | LeaderChanged
    | SessionsGrew
    | SessionsAlike
    | FromGivenUpAttempts
    | SessionsIdle
    | Forecast
    | Standing
    | KeptAliveBy
    | LiveSessions
    | FromElsewhere
    | ServerCounted
    | WaitCircle
    | LeastHarm
    | NoSingleWayOut
    | Blocks
    | HolderWaits
    | Keyless
)
"""One thing that was seen; every output can word it."""
