"""What every Cluster does: the fake one of the tests and a real one alike."""

# ruff: noqa: D102, D107  # what the hand does is said once, by Writer's docstrings
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import grpc
import grpc.aio
import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.inference.queue_activity import (
    KeyDeleted,
    KeyPut,
    WatchEvent,
    WatchGap,
    WatchProgress,
)
from lockdoctor.domain.model.leases import (
    FailedReading,
    LeaseId,
    LeaseNotFound,
    LeaseReading,
    Reading,
)
from lockdoctor.etcd.client import connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.ports import Clock, Cluster
from tests.etcd.connections import connected, writing
from tests.etcd.etcd_writer import Writer
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster


class World(Protocol):
    """A cluster to read from, and a hand that writes to it."""

    @property
    def cluster(self) -> Cluster: ...
    @property
    def clock(self) -> Clock: ...
    async def grant(self, ttl_s: int) -> LeaseId: ...
    async def put(self, key: bytes, value: bytes = b"", lease_id: int = 0) -> int: ...
    async def delete(self, key: bytes) -> None: ...
    async def revoke(self, lease_id: LeaseId) -> None: ...
    async def keep_alive(self, lease_id: LeaseId) -> None: ...
    async def compact(self) -> None: ...


class FakeWorld:
    """The simulated one."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)

    async def grant(self, ttl_s: int) -> LeaseId:
        return self.cluster.grant(ttl_s)

    async def put(self, key: bytes, value: bytes = b"", lease_id: int = 0) -> int:
        return self.cluster.put(key, value, LeaseId(lease_id)).mod_revision

    async def delete(self, key: bytes) -> None:
        self.cluster.delete(key)

    async def revoke(self, lease_id: LeaseId) -> None:
        self.cluster.revoke(lease_id)

    async def keep_alive(self, lease_id: LeaseId) -> None:
        self.cluster.keep_alive(lease_id)

    async def compact(self) -> None:
        self.cluster.compact()


class RealWorld(Writer):
    """An etcd server."""

    def __init__(self, cluster: Cluster, clock: Clock, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self.cluster = cluster
        self.clock = clock


Story = Callable[[World], Coroutine[Any, Any, None]]
Tell = Callable[[Story], None]


REAL = pytest.param("etcd", marks=pytest.mark.etcd)
REAL_BY_GRPC = pytest.param("etcd, by gRPC's own client", marks=pytest.mark.etcd)


@pytest.fixture(params=["fake", REAL])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Run a story in each of the worlds."""
    return teller(request)


@pytest.fixture(params=["fake", REAL, REAL_BY_GRPC])
def tell_of_leases(request: pytest.FixtureRequest) -> Tell:
    """Run a story in each of the worlds, in the real one with each of the ways to read leases."""
    return teller(request)


def teller(request: pytest.FixtureRequest) -> Tell:
    """Choose the world."""

    @asynccontextmanager
    async def fake() -> AsyncIterator[World]:
        yield FakeWorld()

    @asynccontextmanager
    async def real() -> AsyncIterator[World]:
        server: EtcdServer = request.getfixturevalue("etcd")
        clock = SystemClock()
        settings = ConnectionSettings(endpoints=(server.endpoint,))
        cluster = await connect(settings, clock, is_pipelined=request.param == "etcd")
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield RealWorld(cluster, clock, channel)
        await cluster.close()
        assert cluster.notes == []

    async def tell_in(story: Story) -> None:
        async with (fake if request.param == "fake" else real)() as world:
            await story(world)

    return lambda story: run(tell_in(story))


async def read(world: World, *lease_ids: int, with_keys: bool = True) -> list[Any]:
    ids = [LeaseId(number) for number in lease_ids]
    return [answer async for answer in world.cluster.read_leases(ids, with_keys=with_keys)]


@contextmanager
def watching(world: World, prefix: bytes, from_revision: int) -> Iterator[list[WatchEvent]]:
    """Collect what a watch tells, until the end of the block."""
    events: list[WatchEvent] = []

    async def collect() -> None:
        async for event in world.cluster.watch(prefix, from_revision):
            events.append(event)  # noqa: PERF401  # the list is looked at meanwhile

    task = asyncio.ensure_future(collect())
    try:
        yield events
    finally:
        task.cancel()


async def until(world: World, holds: Callable[[], bool]) -> None:
    """Wait on the world's own clock."""
    deadline = world.clock.now() + 20
    while not holds():
        assert world.clock.now() < deadline
        await world.clock.sleep(0.02)


def test_status_names_the_member_and_its_leader(tell: Tell) -> None:
    """A single member leads itself, and the answer lies between question and receipt."""

    async def story(world: World) -> None:
        before = world.clock.now()
        status = await world.cluster.status()

        assert before <= status.asked_at <= status.answered_at <= world.clock.now()
        assert status.leader_id == status.member_id != 0
        assert status.cluster_id != 0
        assert status.raft_term >= 2
        assert status.revision >= 1
        assert status.version.startswith("3.")
        assert status.endpoint

    tell(story)


def test_the_member_that_answers_is_among_the_members(tell: Tell) -> None:
    """Whoever lists the members sees the one that it reads from."""

    async def story(world: World) -> None:
        status = await world.cluster.status()

        assert status.member_id in await world.cluster.members()

    tell(story)


def test_keys_come_in_order_with_all_that_a_recipe_needs(tell: Tell, prefix: bytes) -> None:
    """Every key below the prefix and none beside it, with revisions, lease and value."""

    async def story(world: World) -> None:
        lease_id = await world.grant(60)
        await world.put(prefix + b"b", b"value", lease_id)
        created = await world.put(prefix + b"a")
        modified = await world.put(prefix + b"a", b"again")
        await world.put(prefix[:-1] + b"0", b"beside")

        found = await world.cluster.keys(prefix)

        first, second = found.keys
        assert (first.key, first.value, first.version) == (prefix + b"a", b"again", 2)
        assert (first.create_revision, first.mod_revision) == (created, modified)
        assert not first.has_lease
        assert (second.key, second.lease_id) == (prefix + b"b", lease_id)
        assert found.revision >= modified
        assert found.raft_term >= 2
        assert found.asked_at <= found.answered_at

    tell(story)


def test_the_empty_prefix_means_every_key(tell: Tell, prefix: bytes) -> None:
    """Everything is below nothing."""

    async def story(world: World) -> None:
        await world.put(b"\xff\xff" + prefix)
        await world.put(b"\x00" + prefix)

        found = {key.key for key in (await world.cluster.keys(b"")).keys}

        assert {b"\xff\xff" + prefix, b"\x00" + prefix} <= found

    tell(story)


@pytest.mark.parametrize("end", [b"\xff", b"\xff\xff", b"\x00", b"\n[red]\x1b[31m", "ü".encode()])
def test_prefixes_are_bytes(tell: Tell, prefix: bytes, end: bytes) -> None:
    """Bytes that are no text, and the greatest byte there is, make a prefix like any other."""

    async def story(world: World) -> None:
        inside = [prefix + end, prefix + end + b"\x00", prefix + end + b"\xff"]
        for key in [*inside, prefix, prefix + b"\x01"]:
            await world.put(key)

        found = await world.cluster.keys(prefix + end)

        assert [key.key for key in found.keys] == sorted(inside)

    tell(story)


def test_of_a_long_value_only_the_beginning_is_kept(tell: Tell, prefix: bytes) -> None:
    """A mebibyte comes as 4096 bytes and its size."""

    async def story(world: World) -> None:
        await world.put(prefix, b"v" * (1 << 20))

        (key,) = (await world.cluster.keys(prefix)).keys

        assert (key.value, key.value_size) == (b"v" * 4096, 1 << 20)

    tell(story)


def test_a_prefix_without_keys_is_no_error(tell: Tell, prefix: bytes) -> None:
    """Nothing there is an answer too."""

    async def story(world: World) -> None:
        assert (await world.cluster.keys(prefix)).keys == ()

    tell(story)


def test_the_lease_list_has_those_without_keys_too(tell: Tell, prefix: bytes) -> None:
    """A lease is listed from its grant to its end."""

    async def story(world: World) -> None:
        keyless, keyed, ended = [await world.grant(60) for _ in range(3)]
        await world.put(prefix, lease_id=keyed)
        await world.revoke(ended)

        listed = await world.cluster.leases()

        assert {keyless, keyed} <= listed.lease_ids
        assert ended not in listed.lease_ids
        assert listed.asked_at <= listed.answered_at

    tell(story)


def test_a_look_up_reads_ttl_and_attached_keys(tell_of_leases: Tell, prefix: bytes) -> None:
    """The remaining TTL is rounded down, and the keys come sorted."""

    async def story(world: World) -> None:
        lease_id = await world.grant(60)
        for name in (b"c", b"a", b"b"):
            await world.put(prefix + name, lease_id=lease_id)
        await world.put(prefix + b"b")

        (reading,) = await read(world, lease_id)

        assert isinstance(reading, LeaseReading)
        assert reading.granted_ttl_s == 60
        assert 50 <= reading.remaining_ttl_s <= 59
        assert reading.attached_keys == (prefix + b"a", prefix + b"c")
        assert reading.raft_term >= 2
        assert reading.asked_at <= reading.answered_at

    tell_of_leases(story)


def test_keys_that_were_not_asked_for_are_unknown(tell_of_leases: Tell, prefix: bytes) -> None:
    """None is not the same as no keys."""

    async def story(world: World) -> None:
        lease_id = await world.grant(60)
        await world.put(prefix, lease_id=lease_id)

        (without,) = await read(world, lease_id, with_keys=False)
        await world.delete(prefix)
        (keyless,) = await read(world, lease_id, with_keys=True)

        assert (without.attached_keys, keyless.attached_keys) == (None, ())

    tell_of_leases(story)


def test_a_short_ttl_is_raised_to_two_seconds(tell_of_leases: Tell) -> None:
    """No TTL is less than one and a half election time-outs."""

    async def story(world: World) -> None:
        (reading,) = await read(world, await world.grant(1))

        assert reading.granted_ttl_s == 2

    tell_of_leases(story)


def test_a_lease_that_never_was_is_gone(tell_of_leases: Tell) -> None:
    """No such lease is an answer, not an error; a negative identifier is one like others."""

    async def story(world: World) -> None:
        readings = await read(world, 0x7777, -7)

        assert {reading.lease_id for reading in readings} == {0x7777, -7}
        assert all(isinstance(reading, LeaseNotFound) for reading in readings)

    tell_of_leases(story)


def test_a_lease_that_nobody_renews_ends_with_its_keys(tell: Tell, prefix: bytes) -> None:
    """After its deadline neither lease nor key is there."""

    async def story(world: World) -> None:
        lease_id = await world.grant(2)
        await world.put(prefix, lease_id=lease_id)
        answers: list[Reading | FailedReading] = []

        while not answers or not isinstance(answers[-1], LeaseNotFound):
            answers += await read(world, lease_id)
            await world.clock.sleep(0.1)

        alive = [answer for answer in answers if isinstance(answer, LeaseReading)]
        assert all(answer.remaining_ttl_s <= 1 for answer in alive)
        assert answers[-1].asked_at >= alive[0].asked_at + 1.9
        assert (await world.cluster.keys(prefix)).keys == ()

    tell(story)


def test_a_renewal_shows_only_in_the_remaining_ttl(tell_of_leases: Tell) -> None:
    """A keep-alive sets it back to one below the granted TTL, once rounded down."""

    async def story(world: World) -> None:
        lease_id = await world.grant(5)
        await world.clock.sleep(2.1)
        (before,) = await read(world, lease_id)
        await world.keep_alive(lease_id)
        (after,) = await read(world, lease_id)

        assert before.remaining_ttl_s <= 2
        assert after.remaining_ttl_s > before.remaining_ttl_s
        assert after.remaining_ttl_s <= 4
        assert after.raft_term == before.raft_term

    tell_of_leases(story)


@pytest.mark.etcd
def test_a_lease_with_very_many_keys(etcd: EtcdServer, prefix: bytes) -> None:
    """Megabytes of keys come whole, by both ways, beside other answers."""
    keys = sorted(prefix + b"k" * 200 + b"%05d" % number for number in range(10_000))

    async def story() -> None:
        async with writing(etcd.address) as writer:
            lease_id = await writer.grant(60)
            for start in range(0, len(keys), 100):
                await writer.put_all(keys[start : start + 100], lease_id)
            for is_pipelined in (True, False):
                async with connected(etcd.endpoint, is_pipelined=is_pipelined) as cluster:
                    ids = [*map(LeaseId, range(1, 50)), lease_id, *map(LeaseId, range(50, 99))]
                    found = [a async for a in cluster.read_leases(ids, with_keys=True)]
                    assert len(found) == 99
                    (reading,) = [a for a in found if isinstance(a, LeaseReading)]
                    assert reading.attached_keys == tuple(keys)
                    assert cluster.notes == []
            await writer.revoke(lease_id)

    run(story())


def test_every_lease_asked_for_is_answered_once(tell_of_leases: Tell) -> None:
    """Many at a time, none lost, none twice."""

    async def story(world: World) -> None:
        ids = [await world.grant(60) for _ in range(5)] + [LeaseId(n) for n in range(1, 500)]

        readings = await read(world, *ids)

        assert sorted(reading.lease_id for reading in readings) == sorted(ids)

    tell_of_leases(story)


def test_reading_leases_can_be_given_up(tell_of_leases: Tell) -> None:
    """Whoever has seen enough closes the iterator, and the cluster goes on serving."""

    async def story(world: World) -> None:
        answers = world.cluster.read_leases(map(LeaseId, range(1, 200)), with_keys=False)
        assert await answers.__anext__()
        await answers.aclose()  # type: ignore[attr-defined]  # both are generators

        assert await world.cluster.status()

    tell_of_leases(story)


def test_a_watch_tells_what_happened_in_order(tell: Tell, prefix: bytes) -> None:
    """Writes and deletions below the prefix, from the past too, with their revisions."""

    async def story(world: World) -> None:
        lease_id = await world.grant(60)
        first = await world.put(prefix + b"a", b"1", lease_id)
        with watching(world, prefix, first) as events:
            await world.put(prefix[:-1] + b"0")
            second = await world.put(prefix + b"a", b"2", lease_id)
            await world.put(prefix + b"b", lease_id=lease_id)
            await world.delete(prefix + b"b")
            await world.revoke(lease_id)
            await until(world, lambda: sum(isinstance(e, KeyDeleted) for e in events) == 2)

        told = [event for event in events if isinstance(event, KeyPut | KeyDeleted)]
        assert [event.revision for event in told] == sorted(event.revision for event in told)
        put_1, put_2, put_3, deleted_1, deleted_2 = told
        assert isinstance(put_1, KeyPut)
        assert isinstance(put_2, KeyPut)
        assert isinstance(put_3, KeyPut)
        assert (put_1.key.value, put_1.revision, put_1.key.lease_id) == (b"1", first, lease_id)
        assert (put_2.key.value, put_2.revision) == (b"2", second)
        assert put_2.key.create_revision == first
        assert put_3.key.key == prefix + b"b"
        assert (deleted_1.key, deleted_2.key) == (prefix + b"b", prefix + b"a")

    tell(story)


def test_an_idle_watch_says_how_far_it_has_come(tell: Tell, prefix: bytes) -> None:
    """Progress reaches the revision of writes beside the prefix."""

    async def story(world: World) -> None:
        beside = await world.put(prefix[:-1] + b"0")
        with watching(world, prefix, beside + 1) as events:
            await until(
                world,
                lambda: any(
                    isinstance(event, WatchProgress) and event.revision >= beside
                    for event in events
                ),
            )

    tell(story)


def test_a_watch_on_what_was_compacted_tells_of_the_gap(tell: Tell, prefix: bytes) -> None:
    """It says that it missed something, and goes on after it."""

    async def story(world: World) -> None:
        first = await world.put(prefix + b"a")
        await world.put(prefix + b"a")
        await world.put(prefix + b"a")
        await world.compact()
        with watching(world, prefix, first) as events:
            await until(world, lambda: bool(events))
            await world.put(prefix + b"b")
            await until(
                world,
                lambda: any(isinstance(e, KeyPut) and e.key.key == prefix + b"b" for e in events),
            )

        assert isinstance(events[0], WatchGap)

    tell(story)
