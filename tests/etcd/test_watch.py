"""A watch goes on through what breaks it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.inference.queue_activity import KeyPut, WatchEvent, WatchGap, WatchProgress
from lockdoctor.errors import ClusterUnreachableError
from lockdoctor.etcd.client import EtcdCluster
from tests.etcd.connections import connected, writing
from tests.etcd_servers import EtcdServers
from tests.eventually import eventually, run

pytestmark = pytest.mark.etcd


@asynccontextmanager
async def watching(
    cluster: EtcdCluster, prefix: bytes, revision: int
) -> AsyncIterator[list[WatchEvent]]:
    """Collect what a watch tells; its own error comes out at the end."""
    events: list[WatchEvent] = []

    async def collect() -> None:
        async for event in cluster.watch(prefix, revision):
            events.append(event)  # noqa: PERF401  # the list is looked at meanwhile

    task = asyncio.ensure_future(collect())
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.wait({task})


def written(events: list[WatchEvent]) -> list[bytes]:
    return [event.key.key for event in events if isinstance(event, KeyPut)]


async def exhaust(events: AsyncIterator[WatchEvent]) -> None:
    async for _ in events:
        pass


def test_a_restart_of_the_server_loses_nothing(
    etcd_binary: Path, tmp_path: Path, prefix: bytes
) -> None:
    """What was written before and after comes once, in order, without a gap."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=90) as cluster:
            async with watching(cluster, prefix, 1) as events:
                async with writing(server.address) as writer:
                    await writer.put(prefix + b"1")
                await eventually(lambda: len(written(events)) == 1, within_s=10)
                await asyncio.to_thread(server.restart)
                async with writing(server.address) as writer:
                    await writer.put(prefix + b"2")
                await eventually(lambda: len(written(events)) == 2, within_s=20)

            assert written(events) == [prefix + b"1", prefix + b"2"]
            assert not any(isinstance(event, WatchGap) for event in events)

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(story(server))


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_another_member_takes_over(
    etcd_binary: Path, tmp_path: Path, prefix: bytes, how: str
) -> None:
    """The member watched on dies, or keeps its connections and says nothing."""

    async def story(servers: EtcdServers) -> None:
        async with connected(*servers.endpoints, dial_timeout_s=0.5) as cluster:
            watched = (await cluster.status()).endpoint
            lost = next(member for member in servers.members if member.endpoint == watched)
            other = next(member for member in servers.members if member is not lost)
            async with watching(cluster, prefix, 1) as events, writing(other.address) as writer:
                await writer.put(prefix + b"1")
                await eventually(lambda: len(written(events)) == 1, within_s=10)
                getattr(lost, how)()
                await asyncio.to_thread(other.wait_until_ready)
                await writer.put(prefix + b"2")
                await eventually(lambda: len(written(events)) == 2, within_s=30)

            assert written(events) == [prefix + b"1", prefix + b"2"]

    with EtcdServers(tmp_path, binary=etcd_binary) as servers:
        run(story(servers))


def test_compaction_during_a_break_is_told(
    etcd_binary: Path, tmp_path: Path, prefix: bytes
) -> None:
    """What was forgotten meanwhile cannot be known, what comes after can; one gap is told."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=90) as cluster:
            async with watching(cluster, prefix, 1) as events:
                async with writing(server.address) as writer:
                    await writer.put(prefix + b"1")
                await eventually(lambda: len(written(events)) == 1, within_s=10)
                await asyncio.to_thread(server.stop)
                # Written where the watch cannot see it: on another port, with the same data.
                elsewhere = EtcdServer(server.folder, binary=server.binary)
                await asyncio.to_thread(elsewhere.start)
                async with writing(elsewhere.address) as writer:
                    for _ in range(3):
                        await writer.put(prefix + b"unseen")
                    await writer.compact()
                await asyncio.to_thread(elsewhere.stop)
                await asyncio.to_thread(server.start)
                async with writing(server.address) as writer:
                    await writer.put(prefix + b"2")
                await eventually(lambda: prefix + b"2" in written(events), within_s=80)

            assert sum(isinstance(event, WatchGap) for event in events) == 1

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(story(server), within_s=110)


def test_compaction_up_to_what_is_needed_is_no_gap(etcd: EtcdServer, prefix: bytes) -> None:
    """Nothing was missed, so nothing is said, and the watch does not begin again for ever."""

    async def story() -> None:
        async with connected(etcd.endpoint) as cluster, writing(etcd.address) as writer:
            await writer.put(prefix + b"0")
            revision = await writer.put(prefix + b"1")
            await writer.compact()
            async with watching(cluster, prefix, revision) as events:
                await eventually(lambda: bool(written(events)), within_s=10)
                await eventually(lambda: len(events) > 1, within_s=10)

        assert written(events) == [prefix + b"1"]
        assert not any(isinstance(event, WatchGap) for event in events)

    run(story())


def test_a_server_that_stays_away_ends_the_watch(
    etcd_binary: Path, tmp_path: Path, prefix: bytes
) -> None:
    """After the command time-out it is said so."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=1.0) as cluster:
            events = cluster.watch(prefix, 1)
            assert isinstance(await events.__anext__(), WatchProgress)
            server.kill()
            with pytest.raises(ClusterUnreachableError, match="connection refused"):
                await exhaust(events)

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(story(server), within_s=20)


class EndsWhileWritten:
    """A call of grpc.aio to which the first few requests can be written, and no more."""

    def __init__(self, call: Any, requests: int) -> None:
        """Pass everything on to a real one."""
        self._call = call
        self._left = requests

    async def write(self, request: Any) -> None:
        """Fail as grpc.aio does where the call ends at this very moment."""
        self._left -= 1
        if self._left < 0:
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.INTERNAL,
                grpc.aio.Metadata(),
                grpc.aio.Metadata(),
                details="Internal error from Core",
            )
        await self._call.write(request)

    def __getattr__(self, name: str) -> Any:
        """Read, cancel."""
        return getattr(self._call, name)


@pytest.mark.parametrize("requests", [0, 1, 2])
def test_a_call_that_ends_while_it_is_written_to(
    etcd: EtcdServer, prefix: bytes, requests: int
) -> None:
    """The watch goes on in another one."""

    async def story() -> None:
        async with connected(etcd.endpoint) as cluster, writing(etcd.address) as writer:
            revision = (await cluster.status()).revision
            stub = cluster.connection._member.watch
            begin, calls = stub.Watch, iter([requests])
            stub.Watch = lambda **words: EndsWhileWritten(begin(**words), next(calls, 1_000))
            async with watching(cluster, prefix, revision) as events:
                await writer.put(prefix + b"1")
                await eventually(lambda: len(written(events)) == 1, within_s=10)
                await asyncio.sleep(1.5)  # it is asked how far it has come
                await writer.put(prefix + b"2")
                await eventually(lambda: len(written(events)) == 2, within_s=10)
            assert next(calls, None) is None

        assert written(events) == [prefix + b"1", prefix + b"2"]
        assert not any(isinstance(event, WatchGap) for event in events)

    run(story())


def test_closing_a_watch_makes_no_noise(
    etcd: EtcdServer, prefix: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing on stderr, no complaint of asyncio, whether it was closed or its task cancelled."""

    async def story() -> None:
        complaints: list[object] = []

        def note_complaint(_: asyncio.AbstractEventLoop, said: dict[str, Any]) -> None:
            if str(said.get("exception")) != "Event loop is closed":  # an earlier test's
                complaints.append(said)

        asyncio.get_running_loop().set_exception_handler(note_complaint)
        async with connected(etcd.endpoint) as cluster:
            revision = (await cluster.status()).revision
            events = cluster.watch(prefix, revision)
            assert isinstance(await events.__anext__(), WatchProgress)
            await events.aclose()  # type: ignore[attr-defined]  # it is a generator
            async with watching(cluster, prefix, revision):
                await asyncio.sleep(0)
            async with watching(cluster, prefix, revision) as told:
                await eventually(lambda: bool(told), within_s=10)
        gc.collect()
        assert complaints == []

    run(story())
    assert capfd.readouterr().err == ""


def test_a_watch_ends_whenever_it_is_cancelled(etcd: EtcdServer, prefix: bytes) -> None:
    """From its first step to its first answer, at no moment is the cancellation lost."""

    async def story() -> None:
        async with connected(etcd.endpoint) as cluster:
            revision = (await cluster.status()).revision
            for steps in range(200):
                task = asyncio.ensure_future(exhaust(cluster.watch(prefix, revision)))
                for _ in range(steps // 4):
                    await asyncio.sleep(0)
                task.cancel()
                ended, _ = await asyncio.wait({task}, timeout=5)
                assert ended, f"after {steps // 4} steps"

    run(story())
