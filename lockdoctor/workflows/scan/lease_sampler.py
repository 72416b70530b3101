"""Look up leases until each is decided, or the window is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.lease_expiry import CONFIRM_AFTER_S, gone_since, is_late
from lockdoctor.domain.inference.lookup_schedule import ROUND_TRIP_S, next_look
from lockdoctor.domain.inference.renewals import trace
from lockdoctor.domain.inference.session_growth import MIN_NEW
from lockdoctor.domain.model.leases import (
    FailedReading,
    LeaseId,
    LeaseNotFound,
    LeaseReading,
    Reading,
)
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.rules.scan_facts import SessionFacts
from lockdoctor.errors import AccessDeniedError
from lockdoctor.ports import Clock, Cluster, LeaseList, StopRequest
from lockdoctor.workflows.pausing import pause
from lockdoctor.workflows.scan.lease_lists import LeaseLists
from lockdoctor.workflows.scan.lookup_plan import LookupPlan

TOGETHER_S = 0.05
"""
Look-ups that fall due within this many seconds are sent together; the schedule has more slack than
that.
"""

TICK_S = 0.2
"""The minimum time between two reports of progress, in seconds."""


class LeaseSampler:
    """
    Follow leases: choose the next look-up, collect readings, find when to stop.

    A lease is followed for its lock, whose keys were read, or as a session, which matters only
    while it has no keys.
    """

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        stop: StopRequest,
        until: float,
        max_idle_s: float | None = None,
    ) -> None:
        """
        Follow no lease yet; plan no look-up after the given moment.

        Args:
            max_idle_s: Look up a session once more when it has been without keys for this many
                seconds.
        """
        self.readings: dict[LeaseId, tuple[Reading, ...]] = {}
        self.unread: dict[LeaseId, str] = {}
        self.lookups = 0
        self.keyless: set[LeaseId] = set()
        self.lists = LeaseLists()
        self._cluster = cluster
        self._clock = clock
        self._stop = stop
        self._until = until
        self._max_idle_s = max_idle_s
        self._past: Mapping[LeaseId, Sequence[Reading]] = {}
        self._needed: dict[LeaseId, int] = {}
        self._own_keys: dict[LeaseId, bytes] = {}
        self._sessions: set[LeaseId] = set()
        self._plan = LookupPlan()
        self._leaving: set[LeaseId] = set()
        self._left: set[LeaseId] = set()
        self._gone: dict[LeaseId, float] = {}
        self._in_doubt = False
        """Whether the next list is to show a lease that was listed, and then not found."""
        self._has_started = False
        self._has_extended = False
        self._next_tick_at = 0.0

    @property
    def followed(self) -> int:
        """Return the number of leases that the run has to decide."""
        return len(self._needed)

    @property
    def undecided(self) -> int:
        """Return the number of followed leases that have a look-up planned."""
        return len(self._plan)

    @property
    def is_waiting(self) -> bool:
        """Return whether a look-up is planned that the run waits for."""
        lists = self._in_doubt and self.lists.next_at < self._until
        return bool(self._plan.awaited or lists) and not self._stop.reason

    @property
    def left_s(self) -> float:
        """Return the seconds until the last planned look-up."""
        return max(0.0, min(self._plan.last_awaited_at, self._until) - self._clock.now())

    def remember(self, readings: Mapping[LeaseId, Sequence[Reading]]) -> None:
        """Store the readings of earlier runs; they count once a lease is looked up again."""
        self._past = readings

    def follow(self, key: LockKey, needed: int) -> None:
        """Look up a key's lease until some renewals are seen; 0 for one look-up."""
        lease_id = key.lease_id
        if needed:
            self._own_keys[lease_id] = key.key
        known = self._needed.get(lease_id)
        self._needed[lease_id] = max(needed, known or 0)
        if known is None:
            self._look_up_at(lease_id, self._clock.now())

    def follow_session(self, lease_id: LeaseId) -> None:
        """
        Look up a lease until it is renewed without keys; stop if it has keys.

        A lease with a waiting lock is looked up once more, to find whether it is gone with its key.
        """
        self._sessions.add(lease_id)
        self._needed[lease_id] = 1
        self._leaving |= {lease_id} & self._plan.awaited
        self._look_up_at(lease_id, self._clock.now())

    def let_go(self, lease_id: LeaseId) -> None:
        """Stop looking up a lease."""
        self._left.add(lease_id)
        self._plan.drop(lease_id)
        self._sessions.discard(lease_id)

    async def list_leases(self) -> None:
        """Read the cluster's list of leases; follow new ones as sessions."""
        try:
            listed = await self._cluster.leases()
        except AccessDeniedError as denied:
            self.lists.deny(str(denied))
        else:
            self._take_list(listed)

    async def run(self, tick: Callable[[], None]) -> None:
        """
        Look up leases until all are decided, the window is over or a stop is requested.

        Leases granted during the run are looked up as well, but not waited for, unless there are so
        many that they might be a leak, which takes another round to prove.

        Args:
            tick: Called a few times a second.
        """
        self._has_started = True
        while self.is_waiting or self._grows():
            now = self._clock.now()
            if now >= self._next_tick_at:
                self._next_tick_at = now + TICK_S
                tick()
            if self.lists.next_at <= now < self._until:
                await self.list_leases()
            due = self._plan.take_due(now + TOGETHER_S)
            if due:
                await self._look_up(due)
            else:
                await self.pause(min(self._plan.next_at, self.lists.next_at) - now)

    def session_facts(self, requested: Iterable[LeaseId]) -> SessionFacts:
        """Return what the lists of leases show; the requested leases count as listed."""
        lists = self.lists
        return SessionFacts(
            first_listed_at=lists.first_listed_at,
            at_start=(lists.at_start & self.keyless).union(requested),
            is_counted=lists.has_any,
            listed=tuple(lists.at_start),
            keyless=frozenset(self.keyless),
            still_listed=lists.still_listed,
        )

    def finish(self) -> None:
        """Plan no more look-ups; the readings stay."""
        self._past, self._needed, self._plan = {}, {}, LookupPlan()
        self._sessions, self._own_keys = set(), {}

    def reconsider(self, leadership: Leadership) -> None:
        """Plan more look-ups of leases that a change of the leader left undecided."""
        for lease_id, needed in self._needed.items():
            readings = self.readings.get(lease_id)
            if not needed or not readings or isinstance(readings[-1], LeaseNotFound):
                continue
            shown = trace(lease_id, readings, leadership)
            if shown.unconfirmed and shown.renewals < needed:
                self._plan_next(lease_id, readings[-1:], needed - shown.renewals, wait=True)

    async def pause(self, seconds: float) -> None:
        """Wait for some seconds, at most one, or until a stop is requested."""
        await pause(self._clock, self._stop, min(1.0, seconds))

    def _grows(self) -> bool:
        """Return whether to wait, once, for new sessions that might be a leak."""
        if self._has_extended:
            return False
        self._has_extended = True
        fresh = self.keyless - self.lists.at_start
        undecided = {lease_id for lease_id in fresh if lease_id in self._plan}
        if len(undecided) < MIN_NEW or len(fresh - undecided) >= MIN_NEW:
            return False
        self._plan.awaited |= undecided
        return self.is_waiting

    def _take_list(self, listed: LeaseList) -> None:
        for lease_id in self.lists.add(listed, self._needed) - self._needed.keys():
            self.follow_session(lease_id)
        self._look_for_ghosts(listed)

    def _look_for_ghosts(self, listed: LeaseList) -> None:
        """Look up once more each listed lease that an earlier look-up found gone."""
        self._in_doubt = False
        still_listed = self.lists.still_listed
        known = {lease for lease, at in self._gone.items() if at < listed.asked_at}
        for lease_id in known & listed.lease_ids:
            again_at = self._gone[lease_id] + CONFIRM_AFTER_S + ROUND_TRIP_S + self.lists.interval_s
            if lease_id not in still_listed and again_at <= self._until:
                self._look_up_at(lease_id, again_at, wait=True)
            still_listed[lease_id] = listed.asked_at
        for lease_id in still_listed.keys() - listed.lease_ids:
            del still_listed[lease_id]
            self.let_go(lease_id)

    def _look_up_at(self, lease_id: LeaseId, at: float, *, wait: bool = False) -> None:
        self._plan.add(lease_id, at, wait=wait or not self._has_started)

    def _plan_next(
        self, lease_id: LeaseId, readings: Sequence[Reading], needed: int, *, wait: bool = False
    ) -> None:
        last, at = readings[-1], None
        if isinstance(last, LeaseNotFound):
            at, wait = self._look_at_gone(lease_id, readings), True
        elif last.asked_at < self._until and (needed or is_late(last)):
            at = next_look(readings, needed)
        if at is None and lease_id in self._sessions:
            at = self._idle_moment(readings)
        if at is None or at > self._until:
            self._plan.drop(lease_id)
        else:
            self._look_up_at(lease_id, at, wait=wait)

    def _look_at_gone(self, lease_id: LeaseId, readings: Sequence[Reading]) -> float | None:
        """Return when to look up a gone lease again, while a lock's key on it exists."""
        since = self._gone.setdefault(lease_id, readings[-1].answered_at)
        self._in_doubt = self._in_doubt or lease_id in self.lists.at_start
        has_left = lease_id in self._sessions or lease_id in self._left
        if has_left or gone_since(readings) is not None:
            return None
        return since + CONFIRM_AFTER_S + ROUND_TRIP_S

    def _idle_moment(self, readings: Sequence[Reading]) -> float | None:
        """
        Return when a decided session will have been without keys for too long.

        Returns:
            None where it already has been, or where the lease is gone.
        """
        if self._max_idle_s is None or isinstance(readings[-1], LeaseNotFound):
            return None
        moment = readings[0].answered_at + self._max_idle_s
        return moment if readings[-1].asked_at < moment else None

    async def _look_up(self, lease_ids: list[LeaseId]) -> None:
        """
        Look up leases, and ask for their keys where they are needed.

        The keys of a session are read every time, those of a lock's lease once, a waiter's never.
        """
        wanted = {lease for lease in lease_ids if self._wants_keys(lease)}
        for group, with_keys in ((wanted, True), (set(lease_ids) - wanted, False)):
            if group:
                await self._read(group, with_keys=with_keys)

    def _wants_keys(self, lease_id: LeaseId) -> bool:
        is_first = lease_id not in self.readings and self._needed[lease_id] > 0
        return lease_id in self._sessions or is_first

    async def _read(self, lease_ids: set[LeaseId], *, with_keys: bool) -> None:
        self.lookups += len(lease_ids)
        async for answer in self._cluster.read_leases(lease_ids, with_keys=with_keys):
            if isinstance(answer, FailedReading):
                self.unread[answer.lease_id] = answer.reason
                self.let_go(answer.lease_id)
            else:
                self._take(answer)

    def _take(self, reading: Reading) -> None:
        lease_id = reading.lease_id
        self.unread.pop(lease_id, None)
        if lease_id in self._sessions and isinstance(reading, LeaseReading):
            if reading.attached_keys != ():
                self._drop_session(lease_id, reading)
                return
            self.keyless.add(lease_id)
        if isinstance(reading, LeaseReading):
            self._gone.pop(lease_id, None)
            reading = self._sharing(reading)
        before = self.readings.get(lease_id) or tuple(self._past.get(lease_id, ()))
        readings = self.readings[lease_id] = (*before, reading)
        if lease_id in self._leaving:
            self._plan.awaited.discard(lease_id)
        self._plan_next(lease_id, readings, self._needed[lease_id])

    def _sharing(self, reading: LeaseReading) -> LeaseReading:
        """Return the same reading; share the stored key if it is alone on its lease."""
        own = self._own_keys.pop(reading.lease_id, None)
        if own is None or reading.attached_keys != (own,):
            return reading
        return reading._replace(attached_keys=(own,))

    def _drop_session(self, lease_id: LeaseId, reading: LeaseReading) -> None:
        """Stop following a lease that has keys; it is not a leaked session."""
        self.let_go(lease_id)
        if reading.attached_keys is None:
            self.unread[lease_id] = "this role may not see whether they have keys"
        if lease_id in self.readings:
            self.readings[lease_id] += (reading,)
        else:
            del self._needed[lease_id]
