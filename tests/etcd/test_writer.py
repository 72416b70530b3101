"""What every KeyWriter does: the fake one of the tests and a real one alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, LeaseNotFound, LeaseReading
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.etcd.writer import EtcdWriter
from lockdoctor.ports import MAX_KEYS_PER_WRITE, Cluster, KeyWriter
from tests.etcd.connections import connected, writing
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster
from tests.fakes.key_writer import FakeKeyWriter


class Theatre:
    """A key writer, its cluster, and what other clients do there."""

    def __init__(
        self,
        key_writer: KeyWriter,
        cluster: Cluster,
        put: Callable[[bytes, bytes, LeaseId], Coroutine[Any, Any, object]],
    ) -> None:
        """Take them over."""
        self.key_writer = key_writer
        self.cluster = cluster
        self.put = put

    async def hold(self, key: bytes, lease_id: LeaseId = NO_LEASE, value: bytes = b"") -> LockKey:
        """Let somebody write a key, and read it."""
        await self.put(key, value, lease_id)
        found = await self.key_writer.key(key)
        assert found is not None
        return found

    async def keys_on(self, lease_id: LeaseId) -> tuple[bytes, ...] | None:
        """Every key on a lease; None where it is gone."""
        (reading,) = [r async for r in self.cluster.read_leases([lease_id], with_keys=True)]
        return reading.attached_keys if isinstance(reading, LeaseReading) else None


Story = Callable[[Theatre], Coroutine[Any, Any, None]]
Tell = Callable[[Story], None]


@pytest.fixture(params=["fake", pytest.param("etcd", marks=pytest.mark.etcd)])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Run a story on each of the clusters."""

    @asynccontextmanager
    async def fake() -> AsyncIterator[Theatre]:
        clock = FakeClock()
        cluster = FakeCluster(clock)

        async def put(key: bytes, value: bytes, lease_id: LeaseId) -> None:
            cluster.put(key, value, lease_id)

        yield Theatre(FakeKeyWriter(cluster, clock), cluster, put)

    @asynccontextmanager
    async def real() -> AsyncIterator[Theatre]:
        server: EtcdServer = request.getfixturevalue("etcd")
        async with connected(server.endpoint) as cluster, writing(server.address) as writer:
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            yield Theatre(key_writer, cluster, writer.put)

    async def tell_in(story: Story) -> None:
        async with (fake if request.param == "fake" else real)() as theatre:
            await story(theatre)

    return lambda story: run(tell_in(story))


def test_a_key_is_read_with_all_that_guards_it(tell: Tell, prefix: bytes) -> None:
    """Revisions, lease and the whole value; None where there is no such key."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        found = await theatre.hold(prefix + b"a", lease_id, b"value")

        assert (found.value, found.value_size, found.lease_id) == (b"value", 5, lease_id)
        assert found.create_revision == found.mod_revision > 1
        assert await theatre.key_writer.key(prefix) is None

    tell(story)


def test_a_hold_that_is_unchanged_is_deleted(tell: Tell, prefix: bytes) -> None:
    """Only that: its lease lives on, and so do the other keys on it."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        hold = await theatre.hold(prefix + b"a", lease_id)
        await theatre.hold(prefix + b"ab", lease_id)

        written = await theatre.key_writer.delete([hold])

        assert written.effect is WriteOutcome.DONE
        assert written.asked_at <= written.answered_at
        assert await theatre.keys_on(lease_id) == (prefix + b"ab",)

    tell(story)


def test_a_hold_that_was_taken_anew_stays(tell: Tell, prefix: bytes) -> None:
    """A session that unlocks and locks again writes the same key on the same lease."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        old = await theatre.hold(prefix, lease_id)
        await theatre.key_writer.delete([old])
        new = await theatre.hold(prefix, lease_id)

        assert (await theatre.key_writer.delete([old])).effect is WriteOutcome.UNMET
        assert (await theatre.key_writer.move([old], NO_LEASE)).effect is WriteOutcome.UNMET
        assert await theatre.key_writer.key(prefix) == new

    tell(story)


def test_a_hold_that_was_written_again_stays(tell: Tell, prefix: bytes) -> None:
    """A leader that proclaims something has given a sign of life."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        old = await theatre.hold(prefix, lease_id, b"1")
        new = await theatre.hold(prefix, lease_id, b"2")

        assert new.create_revision == old.create_revision
        assert (await theatre.key_writer.delete([old])).effect is WriteOutcome.UNMET
        assert (await theatre.key_writer.move([old], NO_LEASE)).effect is WriteOutcome.UNMET
        assert await theatre.key_writer.key(prefix) == new

    tell(story)


def test_a_key_that_is_gone_is_no_error(tell: Tell, prefix: bytes) -> None:
    """Somebody else was faster: the guard says so."""

    async def story(theatre: Theatre) -> None:
        hold = await theatre.hold(prefix)
        assert (await theatre.key_writer.delete([hold])).effect is WriteOutcome.DONE

        assert (await theatre.key_writer.delete([hold])).effect is WriteOutcome.UNMET
        assert (await theatre.key_writer.move([hold], NO_LEASE)).effect is WriteOutcome.UNMET

    tell(story)


def test_all_holds_or_none(tell: Tell, prefix: bytes) -> None:
    """One that has changed protects those beside it."""

    async def story(theatre: Theatre) -> None:
        kept = await theatre.hold(prefix + b"a")
        changed = await theatre.hold(prefix + b"b")
        await theatre.hold(prefix + b"b")

        assert (await theatre.key_writer.delete([kept, changed])).effect is WriteOutcome.UNMET
        assert await theatre.key_writer.key(kept.key) == kept

    tell(story)


def test_as_many_keys_as_one_write_takes(tell: Tell, prefix: bytes) -> None:
    """So many are within etcd's limit; more are refused before anything is sent."""

    async def story(theatre: Theatre) -> None:
        names = [b"%s%d" % (prefix, n) for n in range(MAX_KEYS_PER_WRITE + 1)]
        holds = [await theatre.hold(name) for name in names]

        with pytest.raises(ValueError, match="in one write"):
            await theatre.key_writer.delete(holds)
        assert (await theatre.key_writer.move(holds[1:], NO_LEASE)).effect is WriteOutcome.DONE
        assert (await theatre.key_writer.delete(holds[:1])).effect is WriteOutcome.DONE

    tell(story)


def test_a_hold_in_quarantine_keeps_its_place_and_comes_back(tell: Tell, prefix: bytes) -> None:
    """Value and create revision stay; the old lease loses the key, and gets it back."""

    async def story(theatre: Theatre) -> None:
        old, ours = await theatre.key_writer.grant(60), await theatre.key_writer.grant(30)
        hold = await theatre.hold(prefix, old, b"value")

        assert (await theatre.key_writer.move([hold], ours)).effect is WriteOutcome.DONE
        moved = await theatre.key_writer.key(prefix)
        assert moved is not None
        assert replace(moved, mod_revision=0, version=0) == replace(
            hold, mod_revision=0, version=0, lease_id=ours
        )
        assert (await theatre.keys_on(old), await theatre.keys_on(ours)) == ((), (prefix,))

        assert (await theatre.key_writer.move([moved], old)).effect is WriteOutcome.DONE
        assert (await theatre.keys_on(old), await theatre.keys_on(ours)) == ((prefix,), ())

    tell(story)


def test_a_key_can_be_moved_off_its_lease(tell: Tell, prefix: bytes) -> None:
    """Without a lease it stays for ever, as one that had none must come back."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        hold = await theatre.hold(prefix, lease_id, b"value")

        assert (await theatre.key_writer.move([hold], NO_LEASE)).effect is WriteOutcome.DONE

        moved = await theatre.key_writer.key(prefix)
        assert moved is not None
        assert (moved.lease_id, moved.value) == (NO_LEASE, b"value")

    tell(story)


def test_no_key_goes_onto_a_lease_that_has_ended(tell: Tell, prefix: bytes) -> None:
    """Nothing is written, and the reason is told."""

    async def story(theatre: Theatre) -> None:
        hold = await theatre.hold(prefix)
        ended = await theatre.key_writer.grant(60)
        await theatre.key_writer.revoke(ended)

        assert (await theatre.key_writer.move([hold], ended)).effect is WriteOutcome.NO_LEASE
        missing = replace(hold, key=prefix + b"missing")
        assert (await theatre.key_writer.create([missing], ended)).effect is WriteOutcome.NO_LEASE
        assert await theatre.key_writer.key(prefix) == hold
        assert await theatre.key_writer.key(missing.key) is None

    tell(story)


def test_keys_are_put_back_only_where_there_is_none(tell: Tell, prefix: bytes) -> None:
    """Whoever has taken the lock meanwhile keeps it."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        hold = await theatre.hold(prefix, lease_id, b"value")
        assert (await theatre.key_writer.create([hold], NO_LEASE)).effect is WriteOutcome.UNMET
        await theatre.key_writer.delete([hold])

        assert (await theatre.key_writer.create([hold], lease_id)).effect is WriteOutcome.DONE

        back = await theatre.key_writer.key(prefix)
        assert back is not None
        assert (back.value, back.lease_id) == (b"value", lease_id)
        assert back.create_revision > hold.create_revision

    tell(story)


def test_a_revoked_lease_takes_its_keys_along(tell: Tell, prefix: bytes) -> None:
    """Every key, whatever it is; and a second time there is nothing to revoke."""

    async def story(theatre: Theatre) -> None:
        lease_id = await theatre.key_writer.grant(60)
        await theatre.hold(prefix + b"a", lease_id)
        await theatre.hold(prefix + b"b", lease_id)

        assert (await theatre.key_writer.revoke(lease_id)).effect is WriteOutcome.DONE
        assert (await theatre.key_writer.revoke(lease_id)).effect is WriteOutcome.NO_LEASE
        assert (await theatre.cluster.keys(prefix)).keys == ()
        (reading,) = [r async for r in theatre.cluster.read_leases([lease_id], with_keys=True)]
        assert isinstance(reading, LeaseNotFound)

    tell(story)
