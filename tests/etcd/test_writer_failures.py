"""Writes to an etcd that does not answer: never repeated, and never taken for done or undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.errors import ClusterUnreachableError
from lockdoctor.etcd.client import EtcdCluster
from lockdoctor.etcd.connection.errors import WriteOutcomeUnknownError
from lockdoctor.etcd.writer import EtcdWriter
from tests.etcd.connections import connected, writing
from tests.etcd.relay import Relay
from tests.eventually import run

pytestmark = pytest.mark.etcd

KEY = b"/frozen"

WRITE = b"KV/Txn"
WRITES = {"delete": WRITE, "move": WRITE, "grant": b"Lease/LeaseGrant"}
"""How each write begins on the wire."""


@pytest.fixture
def own(etcd_binary: Path, tmp_path: Path) -> Iterator[EtcdServer]:
    """A server that may be frozen and killed."""
    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        yield server


async def _hold(server: EtcdServer, cluster: EtcdCluster) -> tuple[EtcdWriter, LockKey]:
    key_writer = EtcdWriter(cluster.connection, SystemClock())
    async with writing(server.address) as writer:
        await writer.put(KEY)
    found = await key_writer.key(KEY)
    assert found is not None
    return key_writer, found


def test_a_frozen_server_leaves_it_open(own: EtcdServer) -> None:
    """No answer in time is no answer: only a look afterwards tells what became of it."""

    async def story(relay: Relay) -> None:
        async with connected(relay.address, command_timeout_s=1.0) as cluster:
            key_writer, hold = await _hold(own, cluster)
            relay.on_request = lambda request: own.freeze() if WRITE in request else None
            written = await key_writer.delete([hold])
            own.thaw()

            assert written.effect is WriteOutcome.UNCLEAR
            assert "delete '/frozen'" in written.why
            assert await key_writer.key(KEY) in {None, hold}

    with Relay(own.address) as relay:
        run(story(relay))


@pytest.mark.parametrize("write", WRITES)
def test_a_server_that_dies_leaves_it_open(own: EtcdServer, write: str) -> None:
    """A connection that breaks tells nothing; a lease that was asked for is no lease of ours."""

    async def story(relay: Relay, write: str) -> None:
        async with connected(relay.address, command_timeout_s=1.0) as cluster:
            key_writer, hold = await _hold(own, cluster)
            relay.on_request = lambda request: own.kill() if WRITES[write] in request else None
            match write:
                case "delete":
                    assert (await key_writer.delete([hold])).effect is WriteOutcome.UNCLEAR
                case "move":
                    assert (await key_writer.move([hold], NO_LEASE)).effect is WriteOutcome.UNCLEAR
                case _:
                    with pytest.raises(WriteOutcomeUnknownError, match="grant a lease"):
                        await key_writer.grant(60)

    with Relay(own.address) as relay:
        run(story(relay, write))


def test_a_server_that_cannot_be_read_is_not_written_to(own: EtcdServer) -> None:
    """A read comes right before each write; where it fails, the write is certainly not done."""

    async def story() -> None:
        async with connected(own.endpoint, command_timeout_s=1.0) as cluster:
            key_writer, hold = await _hold(own, cluster)
            own.kill()
            with pytest.raises(ClusterUnreachableError):
                await key_writer.delete([hold])

    run(story())
