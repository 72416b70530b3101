"""Scan: read now, sample until each lease is decided or the window ends, judge."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from lockdoctor.domain.inference.leadership import TERM_CONFIRM_DELAY_S, Leadership
from lockdoctor.domain.inference.lookup_schedule import ROUND_TRIP_S
from lockdoctor.domain.inference.renewals import Traces, trace
from lockdoctor.domain.model.leases import NO_LEASE, LeadershipProbe, LeaseId
from lockdoctor.domain.model.locks import Kind, Lock
from lockdoctor.domain.past.past import NO_PAST
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.report.report import ClusterFacts, Report
from lockdoctor.domain.report.unseen import Part, Unseen, UnseenReason
from lockdoctor.domain.rules.build_case import needed_renewals
from lockdoctor.domain.rules.judge import judge
from lockdoctor.domain.rules.scan_facts import ScanFacts
from lockdoctor.errors import ClusterError
from lockdoctor.ports import (
    Clock,
    Cluster,
    History,
    MemberStatus,
    ProcessSource,
    Progress,
    ScanProgress,
    Stage,
    StopRequest,
)
from lockdoctor.workflows.scan.lease_sampler import LeaseSampler
from lockdoctor.workflows.scan.prefix_reader import PrefixReader
from lockdoctor.workflows.scan.process_poll import ProcessPoll
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.run_history import RunHistory


async def scan(
    cluster: Cluster,
    clock: Clock,
    request: ScanRequest,
    progress: Progress,
    stop: StopRequest,
    history: History | None = None,
    sources: Sequence[ProcessSource] = (),
) -> Report:
    """
    Examine the locks below some prefixes, and return the report.

    Args:
        history: What earlier runs saw, if there is a history; this run is added to it. A history
            that fails never prevents the report, which lists the failure.
        sources: Additional data sources, read at both ends of the window. They never prevent the
            report.

    Raises:
        ClusterError: The keys could not be read even once. A later failure ends the run early, with
            a report of what was seen until then.
        WrongClusterError: Another cluster has answered: there is no report, and no data is stored.
    """
    run = _Scan(cluster, clock, request, progress, stop, history)
    poll = ProcessPoll(sources, stop)
    try:
        poll.open()
        return await poll.complete(await run.report())
    finally:
        await poll.close()
        await run.close()


class _Scan:
    """The steps of one scan, and the data that they have gathered."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        request: ScanRequest,
        progress: Progress,
        stop: StopRequest,
        history: History | None,
    ) -> None:
        self.history = RunHistory(history, request)
        self.cluster = cluster
        self.clock = clock
        self.request = request
        self.progress = progress
        self.stop = stop
        self.started_at = clock.now()
        self.until = self.started_at + request.window_s
        limits = request.policy.thresholds_for(b"")
        self.sampler = LeaseSampler(cluster, clock, stop, self.until, limits.max_idle_session_s)
        self.prefixes: list[PrefixReader] = []
        self.lock_count = 0
        self.probes: list[LeadershipProbe] = []
        self.members: frozenset[int] = frozenset()

    async def report(self) -> Report:
        self.stop.stage = Stage.READ_KEYS
        self.status = await self._probe()
        await self._read_keys()
        steps = {
            Stage.CHOOSE_LEASES: self._follow_locks,
            Stage.LIST_LEASES: self._list_leases,
            Stage.READ_HISTORY: self._recall,
            Stage.READ_LEASES: self._sample,
            Stage.CONFIRM_TERM: self._confirm,
            Stage.WAIT_FOR_LIMIT: self._grow_old,
            Stage.READ_KEYS_AGAIN: self._read_keys_again,
        }
        for stage, step in steps.items():
            self.stop.stage = stage
            if not await self._try(step):
                break
        for keys in self.prefixes:
            keys.require_right_cluster()
        self.sampler.finish()
        facts = self._facts()
        for keys in self.prefixes:
            keys.locks = []  # else nothing frees them while the run is judged
        self.sampler.lists.at_start = frozenset()
        report = judge(facts)
        noted = replace(report, notes=(*report.notes, *self.cluster.notes))
        return self.history.record(facts, noted)

    async def close(self) -> None:
        for keys in self.prefixes:
            await keys.close()

    async def _try(self, step: Callable[[], Awaitable[None]]) -> bool:
        """
        Run a step; return whether it succeeded. A failure ends the run early.

        The report then has what was seen before.
        """
        try:
            await step()
        except ClusterError as failed:
            self.stop.request(str(failed))
            return False
        except asyncio.CancelledError:
            if self.stop.reason is None:  # a requested stop does not wait any longer
                raise
            return False
        return True

    async def _probe(self) -> MemberStatus:
        status = await self.cluster.status()
        self.probes.append(LeadershipProbe(status.asked_at, status.raft_term, status.leader_id))
        return status

    async def _read_keys(self) -> None:
        for prefix in self.request.prefixes:
            snapshot = await self.cluster.keys(prefix)
            self.probes.append(LeadershipProbe(snapshot.asked_at, snapshot.raft_term))
            keys = PrefixReader(prefix, snapshot, self.request.policy)
            self.prefixes.append(keys)
            if self.request.window_s:
                keys.watch(self.cluster, self._left_queue, self.stop)
        self.lock_count = sum(1 for _ in self._examined())

    async def _list_leases(self) -> None:
        if self.request.sessions:
            await self.sampler.list_leases()
        if self.request.sessions or self.request.whole_queue:
            with contextlib.suppress(ClusterError):  # only some roles may; the IDs show a part
                self.members = await self.cluster.members()

    async def _recall(self) -> None:
        leases = self.sampler.lists.at_start | {*self.request.leases}
        snapshots = [keys.first for keys in self.prefixes]
        self.sampler.remember(self.history.recall(self.status, snapshots, leases))

    def _has_doubts(self) -> bool:
        """Return whether confirming the raft term alone would prove a lease renewed."""
        leadership = self._leadership()
        traces = Traces(self.sampler.readings, leadership).values()
        return any(trace.unconfirmed and not trace.renewals for trace in traces)

    async def _follow_locks(self) -> None:
        for lock in self._examined():
            needed = needed_renewals(lock.kind, self._thresholds(lock))
            for key in lock.keys:
                if key.has_lease:
                    matters = key is lock.holder or self.request.whole_queue
                    self.sampler.follow(key, needed if matters else 0)
        for lease_id in self.request.leases:
            self.sampler.follow_session(lease_id)

    async def _sample(self) -> None:
        await self.sampler.run(self._tick)

    async def _confirm(self) -> None:
        """Read the raft term once more: a rise counts only under a confirmed term."""
        while self.sampler.lookups and (self.request.window_s or self._has_doubts()):
            await self.clock.sleep(TERM_CONFIRM_DELAY_S)
            self.status = await self._probe()
            self.sampler.reconsider(self._leadership())
            if not self.sampler.is_waiting:
                return
            await self.sampler.run(self._tick)

    async def _grow_old(self) -> None:
        """Wait until a renewed hold exceeds its stated limit, if the window allows it."""
        if not self.request.window_s:
            return
        leadership = self._leadership()
        limits = [
            keys.first.answered_at + limit_s
            for keys in self.prefixes
            for lock in keys.locks
            if lock.kind is Kind.LOCK
            if (limit_s := self._thresholds(lock).stated_limit_s) is not None
            if self._is_renewed(lock, leadership)
        ]
        moment = max((limit for limit in limits if limit <= self.until), default=0.0)
        while self.clock.now() < moment + ROUND_TRIP_S and not self.stop.reason:
            self._tick()
            await self.sampler.pause(moment + ROUND_TRIP_S - self.clock.now())

    async def _read_keys_again(self) -> None:
        for keys in self.prefixes:
            await keys.read_again(self.cluster, self.clock)

    def _tick(self) -> None:
        self.progress.update(
            ScanProgress(
                locks=self.lock_count,
                leases=self.sampler.followed,
                decided=self.sampler.followed - self.sampler.undecided,
                lookups=self.sampler.lookups,
                elapsed_s=self.clock.now() - self.started_at,
                left_s=self.sampler.left_s,
            )
        )

    def _examined(self) -> Iterator[Lock]:
        found = chain.from_iterable(keys.locks for keys in self.prefixes)
        return (lock for lock in found if lock.kind is not Kind.IGNORE)

    def _left_queue(self, lease_id: LeaseId) -> None:
        """
        Follow a lease whose key was deleted as a session without keys.

        Its lock needs no more look-ups.
        """
        if self.request.sessions and self.sampler.lists.denied is None:
            self.sampler.follow_session(lease_id)
        else:
            self.sampler.let_go(lease_id)

    def _thresholds(self, lock: Lock) -> Thresholds:
        return self.request.policy.thresholds_for(lock.name)

    def _is_renewed(self, lock: Lock, leadership: Leadership) -> bool:
        lease_id = lock.holder.lease_id if lock.holder else NO_LEASE
        readings = self.sampler.readings.get(lease_id, ())
        return trace(lease_id, readings, leadership).renewals > 0

    def _leadership(self) -> Leadership:
        readings = (reading for found in self.sampler.readings.values() for reading in found)
        return Leadership.of(readings, [*(self.history.past or NO_PAST).probes, *self.probes])

    def _facts(self) -> ScanFacts:
        sampler = self.sampler
        return ScanFacts(
            started_at=self.started_at,
            ended_at=self.clock.now(),
            window_s=self.request.window_s,
            lookups=sampler.lookups,
            interrupted=self.stop.reason,
            policy=self.request.policy,
            cluster=self._cluster_facts(),
            past=self.history.past,
            probes=tuple(self.probes),
            prefixes=tuple(keys.facts() for keys in self.prefixes),
            readings=sampler.readings,
            unread=sampler.unread,
            leadership=self._leadership(),
            sessions=sampler.session_facts(self.request.leases),
            unseen=tuple(self._unseen()),
        )

    def _cluster_facts(self) -> ClusterFacts:
        status = self.status
        return ClusterFacts(
            cluster_id=status.cluster_id,
            version=status.version,
            endpoint=status.endpoint,
            raft_term=status.raft_term,
            revision=status.revision,
            leader_changes=len({probe.raft_term for probe in self.probes}) - 1,
            members=self.members,
            alarms=status.alarms,
        )

    def _unseen(self) -> Iterator[Unseen]:
        if self.sampler.lists.denied is not None:
            yield Unseen(what=Part.LEASE_LIST, count=None, why=self.sampler.lists.denied)
        elif not self.request.sessions:
            yield Unseen(what=Part.KEYLESS_LEASES, count=None, why=UnseenReason.NOT_REQUESTED)
