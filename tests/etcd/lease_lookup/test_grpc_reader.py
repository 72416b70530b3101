"""Many look-ups: how fast, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import FailedReading, LeaseId, LeaseReading
from lockdoctor.errors import (
    AccessDeniedError,
    ClusterError,
    ClusterTimeoutError,
    ClusterUnreachableError,
)
from lockdoctor.etcd.connection.attempt import KeyRange, Method, Response
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.lease_lookup.grpc_reader import MAX_TIMEOUTS, OUTSTANDING, RpcLeaseReader
from lockdoctor.etcd.lease_lookup.rate_limit import RateLimiter
from lockdoctor.etcd.protos import rpc
from tests.etcd.connections import connected, writing
from tests.eventually import run
from tests.fakes.cluster import FakeClock


class ScriptedConnection(Connection):
    """Answers each look-up by what the lease's number says."""

    def __init__(self, clock: FakeClock, errors: dict[int, ClusterError]) -> None:
        """Fail for some leases; key 0 stands for look-ups with keys."""
        self.most_outstanding = 0
        self.outstanding: list[int] = []
        self.answers_in_s = 0.01
        self._outstanding = 0
        self._fake_clock = clock
        self._errors = errors

    async def call(
        self, method: Method, request: Any, what: str, keys: KeyRange | None = None
    ) -> Response:
        """Answer after a while."""
        del method, keys
        asked_at = self._fake_clock.now()
        self._outstanding += 1
        self.most_outstanding = max(self.most_outstanding, self._outstanding)
        self.outstanding.append(self._outstanding)
        await self._fake_clock.sleep(self.answers_in_s)
        self._outstanding -= 1
        error = self._errors.get(request.ID) or (self._errors.get(0) if request.keys else None)
        if error is not None:
            raise error
        message = rpc.LeaseTimeToLiveResponse(TTL=5, grantedTTL=10, keys=[b"b", b"a"])
        return Response(asked_at, self._fake_clock.now(), message, what)


def read(errors: dict[int, ClusterError], ids: range, rate: float = 1e9) -> list[Any]:
    """Look leases up on a scripted connection."""

    async def story() -> list[Any]:
        clock = FakeClock()
        reader = RpcLeaseReader(ScriptedConnection(clock, errors), clock, RateLimiter(clock, rate))
        return [answer async for answer in reader.read(map(LeaseId, ids), with_keys=True)]

    return run(story())


def test_the_pace_is_kept() -> None:
    """A thousand turns at a hundred a second take ten seconds, after those of the head start."""
    clock = FakeClock(0.0)

    async def story() -> None:
        rate_limiter = RateLimiter(clock, 100)
        for _ in range(1010):
            await rate_limiter.acquire()

    run(story())
    assert clock.now() == pytest.approx(10, abs=0.05)


def test_a_pause_earns_no_burst() -> None:
    """Who was idle for an hour does not ask an hour's worth at once."""
    clock = FakeClock(0.0)

    async def story() -> None:
        rate_limiter = RateLimiter(clock, 100)
        rate_limiter.consume(11)
        await clock.sleep(3600)
        for _ in range(100):
            await rate_limiter.acquire()

    run(story())
    assert clock.now() == pytest.approx(3601, abs=0.05)


def test_few_are_on_their_way_at_once() -> None:
    """Twenty thousand leases do not make twenty thousand tasks, or open requests."""

    async def story() -> ScriptedConnection:
        clock = FakeClock()
        connection = ScriptedConnection(clock, {})
        reader = RpcLeaseReader(connection, clock, RateLimiter(clock, 1e9))
        tasks = 0
        async for _ in reader.read(map(LeaseId, range(1, 2000)), with_keys=False):
            tasks = max(tasks, len(asyncio.all_tasks()))
        assert tasks < OUTSTANDING + 10
        return connection

    assert run(story()).most_outstanding == OUTSTANDING


def test_fewer_are_on_their_way_when_answers_become_slow() -> None:
    """And as many as before when they are fast again."""

    async def story() -> ScriptedConnection:
        clock = FakeClock()
        connection = ScriptedConnection(clock, {})
        reader = RpcLeaseReader(connection, clock, RateLimiter(clock, 1e9))
        answered = 0
        async for _ in reader.read(map(LeaseId, range(1, 2000)), with_keys=False):
            answered += 1
            connection.answers_in_s = 0.1 if 500 < answered < 700 else 0.01
        assert answered == 1999
        return connection

    outstanding = run(story()).outstanding
    assert max(outstanding[300:500]) == OUTSTANDING
    assert max(outstanding[640:690]) <= 4
    assert max(outstanding[1500:]) == OUTSTANDING


def test_denied_keys_are_done_without() -> None:
    """The lease is read all the same, and its keys are unknown."""
    answers = read({0: AccessDeniedError("no")}, range(1, 5))

    assert len(answers) == 4
    assert all(isinstance(a, LeaseReading) and a.attached_keys is None for a in answers)


def test_one_that_cannot_be_read_is_a_value() -> None:
    """Denied, out of time or broken: the others are read."""
    errors: dict[int, ClusterError] = {
        1: AccessDeniedError("no"),
        2: ClusterTimeoutError("slow"),
        3: ClusterError("odd\nthing"),
    }
    answers = {answer.lease_id: answer for answer in read(errors, range(1, 10))}

    failed = {n: a.reason for n, a in answers.items() if isinstance(a, FailedReading)}
    assert failed == {1: "denied", 2: "timed out", 3: "odd thing"}
    assert len(answers) == 9


def test_a_cluster_that_is_away_is_an_error() -> None:
    """Not a value for each of its leases."""
    with pytest.raises(ClusterUnreachableError):
        read({500: ClusterUnreachableError("gone")}, range(1, 1000))


def test_many_time_outs_in_a_row_are_the_clusters() -> None:
    """One is a lease's, many are not."""
    slow: dict[int, ClusterError] = {n: ClusterTimeoutError("slow") for n in range(1, 1000)}
    with pytest.raises(ClusterTimeoutError):
        read(slow, range(1, 1000))

    few = {n: slow[n] for n in range(1, MAX_TIMEOUTS)}
    assert len(read(few, range(1, 1000))) == 999


@pytest.mark.etcd
@pytest.mark.parametrize("is_pipelined", [True, False])
def test_the_moments_of_a_reading_frame_its_truth(etcd: EtcdServer, *, is_pipelined: bool) -> None:
    """The deadline that a reading proves contains the one that the grant proves."""

    async def story() -> None:
        async with (
            connected(etcd.endpoint, is_pipelined=is_pipelined, max_rate=1e9) as cluster,
            writing(etcd.address) as writer,
        ):
            clock_started = await cluster.status()
            leases = [await writer.grant(30) for _ in range(200)]
            granted_by = (await cluster.status()).asked_at
            async for reading in cluster.read_leases(leases, with_keys=False):
                assert isinstance(reading, LeaseReading)
                assert reading.asked_at + reading.remaining_ttl_s <= granted_by + 30
                latest = reading.answered_at + reading.remaining_ttl_s + 1
                assert latest >= clock_started.answered_at + 30

    run(story())
