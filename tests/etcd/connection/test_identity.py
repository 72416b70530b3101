"""One run, one cluster: the first answer of another one is final, whatever brought it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer, reserve_port
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.errors import ClusterError, WrongClusterError
from lockdoctor.etcd.client import EtcdCluster
from lockdoctor.etcd.connection.identity import ClusterIdentity
from lockdoctor.etcd.protos import kv, rpc
from lockdoctor.etcd.writer import EtcdWriter
from tests.etcd.connections import connected, writing
from tests.etcd.http2_server import Request
from tests.etcd.misbehaving_member import OddMember, Session, serving
from tests.etcd.relay import Relay
from tests.eventually import run
from tests.lock_clients import eventually

OURS, THEIRS = 0xCDF818194E3A8C32, 0xBEEF

KEY = b"/wrong/key"


def header(cluster_id: int) -> Any:
    return rpc.ResponseHeader(cluster_id=cluster_id, member_id=1, revision=1, raft_term=2)


def test_the_first_answer_says_which_cluster_it_is() -> None:
    """And every later one has to say the same."""
    identity = ClusterIdentity()
    for _ in range(2):
        identity.require_answer(rpc.RangeResponse(header=header(OURS)), "a:2379")

    with pytest.raises(WrongClusterError) as raised:
        identity.require_answer(rpc.RangeResponse(header=header(THEIRS)), "b:2379")

    assert str(raised.value) == (
        "b:2379 belongs to etcd cluster beef, but this run is for cluster cdf818194e3a8c32."
        " Use endpoints of cluster cdf818194e3a8c32."
    )


def test_a_mismatch_is_final() -> None:
    """Not even the right cluster is believed afterwards, and the sentence stays the same."""
    identity = ClusterIdentity()
    identity.require(OURS, "a:2379")
    sentences = set()
    for cluster_id in (THEIRS, OURS, 7):
        with pytest.raises(WrongClusterError) as raised:
            identity.require(cluster_id, "b:2379")
        sentences.add(str(raised.value))
    with pytest.raises(WrongClusterError):
        identity.require_no_mismatch()

    assert len(sentences) == 1


def test_what_the_grpc_proxy_of_etcd_leaves_out_is_no_mismatch() -> None:
    """It names no cluster in a list of members, and at the beginning of a watch."""
    identity = ClusterIdentity()
    for nameless in (rpc.MemberListResponse(), rpc.WatchResponse(created=True)):
        identity.require_answer(nameless, "proxy:2379")
        assert identity.cluster_id is None
    identity.require(OURS, "proxy:2379")
    for nameless in (rpc.MemberListResponse(), rpc.WatchResponse(created=True)):
        identity.require_answer(nameless, "proxy:2379")


@pytest.mark.parametrize(
    "answer",
    [
        rpc.RangeResponse(),
        rpc.LeaseTimeToLiveResponse(ID=7, TTL=-1),
        rpc.LeaseLeasesResponse(),
        rpc.WatchResponse(events=[kv.Event()]),
        rpc.MemberListResponse(header=header(THEIRS)),
    ],
)
def test_whatever_has_keys_or_leases_names_its_cluster(answer: Any) -> None:
    """Of etcd's answers, those never come without its ID."""
    identity = ClusterIdentity()
    identity.require(OURS, "a:2379")

    with pytest.raises(WrongClusterError):
        identity.require_answer(answer, "a:2379")


@pytest.fixture
def pair(etcd_binary: Path, tmp_path: Path) -> Iterator[tuple[EtcdServer, EtcdServer]]:
    """Two clusters of one member each."""
    with (
        EtcdServer(tmp_path / "ours", binary=etcd_binary) as ours,
        EtcdServer(tmp_path / "theirs", binary=etcd_binary, name="other") as theirs,
    ):
        yield ours, theirs


async def _status(cluster: EtcdCluster) -> Any:
    return await cluster.status()


async def _keys(cluster: EtcdCluster) -> Any:
    return await cluster.keys(b"/wrong/")


async def _leases(cluster: EtcdCluster) -> Any:
    return await cluster.leases()


async def _members(cluster: EtcdCluster) -> Any:
    return await cluster.members()


async def _look_up(cluster: EtcdCluster) -> Any:
    ids = map(LeaseId, range(1, 200))
    return [each async for each in cluster.read_leases(ids, with_keys=False)]


async def _look_up_with_keys(cluster: EtcdCluster) -> Any:
    return [each async for each in cluster.read_leases([LeaseId(1)], with_keys=True)]


async def _watch(cluster: EtcdCluster) -> Any:
    return await cluster.watch(b"/wrong/", 1).__anext__()


async def _write(cluster: EtcdCluster) -> Any:
    return await EtcdWriter(cluster.connection, SystemClock()).grant(60)


READS = [_status, _keys, _leases, _members, _look_up, _look_up_with_keys, _watch, _write]
Asks = Callable[[EtcdCluster], Awaitable[Any]]


@pytest.mark.etcd
@pytest.mark.parametrize("is_pipelined", [True, False])
@pytest.mark.parametrize("ask", READS)
def test_another_cluster_behind_the_endpoint_ends_the_run(
    pair: tuple[EtcdServer, EtcdServer], ask: Asks, *, is_pipelined: bool
) -> None:
    """Whatever is asked first, nothing is brought, and nothing is asked any more."""
    ours, theirs = pair

    async def story(relay: Relay) -> None:
        async with connected(relay.address, is_pipelined=is_pipelined) as cluster:
            mine = (await cluster.status()).cluster_id
            await _look_up(cluster)
            relay.swap(theirs.address)

            with pytest.raises(WrongClusterError, match=f"this run is for cluster {mine:x}"):
                await ask(cluster)

            asked: list[bytes] = []
            relay.swap(ours.address)
            relay.on_request = asked.append
            for again in READS:
                with pytest.raises(WrongClusterError):
                    await again(cluster)
            assert not any(b"etcdserverpb" in request for request in asked)

    with Relay(ours.address) as relay:
        run(story(relay))


@pytest.mark.etcd
def test_the_faster_reader_alone_meets_another_cluster(
    pair: tuple[EtcdServer, EtcdServer],
) -> None:
    """It has a connection of its own, which may lead elsewhere than that of gRPC's client."""
    ours, theirs = pair

    async def story(relay: Relay) -> None:
        async with connected(relay.address) as cluster:
            await cluster.keys(b"/wrong/")
            relay.upstream = theirs.address

            with pytest.raises(WrongClusterError):
                await _look_up(cluster)
            with pytest.raises(WrongClusterError):
                await cluster.keys(b"/wrong/")

    with Relay(ours.address) as relay:
        run(story(relay))


@pytest.mark.etcd
def test_a_watch_that_resumes_at_another_cluster(pair: tuple[EtcdServer, EtcdServer]) -> None:
    """Its events are not ours."""
    ours, theirs = pair

    async def story(relay: Relay) -> None:
        async with connected(relay.address) as cluster, writing(ours.address) as writer:
            await writer.put(KEY)
            events = cluster.watch(b"/wrong/", 1)
            assert await events.__anext__()
            relay.swap(theirs.address)

            with pytest.raises(WrongClusterError):
                _ = [event async for event in events]

    with Relay(ours.address) as relay:
        run(story(relay))


@pytest.mark.etcd
def test_an_endpoint_that_comes_up_as_another_cluster(
    pair: tuple[EtcdServer, EtcdServer],
) -> None:
    """`--endpoints A,B`: B is down at first and another cluster later, then A dies."""
    ours, theirs = pair

    async def story(later: Relay) -> None:
        async with connected(ours.address, later.address, dial_timeout_s=0.5) as cluster:
            mine = (await cluster.status()).cluster_id
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            before = await _revision(theirs)
            later.upstream = theirs.address
            ours.kill()

            for _ in range(3):
                with pytest.raises(
                    WrongClusterError, match=f"{later.address} belongs to"
                ) as raised:
                    await cluster.keys(b"/wrong/")
                assert f"this run is for cluster {mine:x}" in str(raised.value)
                with pytest.raises(WrongClusterError):
                    await key_writer.grant(60)
                with pytest.raises(WrongClusterError):
                    await key_writer.move([_hold()], LeaseId(0))
            assert await _revision(theirs) == before

    with Relay("127.0.0.1:1") as later:
        run(story(later))


@pytest.mark.etcd
def test_all_connections_of_a_run_share_its_cluster(pair: tuple[EtcdServer, EtcdServer]) -> None:
    """A run that plans over one connection and writes over the next one."""
    ours, theirs = pair

    async def story(relay: Relay) -> None:
        identity = ClusterIdentity()
        async with connected(relay.address, identity=identity):
            relay.swap(theirs.address)
        with pytest.raises(WrongClusterError):
            async with connected(relay.address, identity=identity):
                pass

    with Relay(ours.address) as relay:
        run(story(relay))


@pytest.mark.etcd
def test_everything_goes_through_the_grpc_proxy_of_etcd(etcd: EtcdServer, tmp_path: Path) -> None:
    """Reads, watches and writes; of its answers, the list of members names no cluster."""
    address = f"127.0.0.1:{reserve_port()}"
    listens = ("--listen-addr", address, "--advertise-client-url", address)
    command = [str(etcd.binary), "grpc-proxy", "start", "--endpoints", etcd.address, *listens]

    async def story() -> None:
        async with connected(address) as cluster:
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            members = await cluster.connection.call(
                lambda member: member.cluster.MemberList, rpc.MemberListRequest(), "list"
            )
            assert members.message.header.cluster_id == 0
            assert (await cluster.status()).cluster_id != 0
            await _keys(cluster)
            await _look_up(cluster)
            async with writing(address) as writer:
                for _ in range(2):  # the second joins the watch of the first in the proxy
                    await writer.put(KEY)
                    assert await _watch(cluster)
            hold = await key_writer.key(KEY)
            assert hold is not None
            assert (await key_writer.delete([hold])).effect is WriteOutcome.DONE

    with (tmp_path / "log").open("wb") as log:
        proxy = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            eventually(lambda: _listens(address), within_s=20)
            run(story())
        finally:
            proxy.kill()
            proxy.wait()


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError:
        return False
    return True


async def _revision(server: EtcdServer) -> int:
    async with connected(server.endpoint) as cluster:
        return (await cluster.status()).revision


class TwoFaced(OddMember):
    """A server of our cluster for all that is read, and of another one, maybe, for writes."""

    def __init__(self, *, reads: int = OURS, write: Any = None) -> None:
        """
        Prepare it.

        Args:
            reads: The cluster that reads name.
            write: What it answers to a write; None for etcd's "lease not found".
        """
        super().__init__(lambda _session, _requests: None)
        self.reads = reads
        self.write = write
        self.reads_after: int | None = None
        """The cluster that reads name once a write has come."""
        self.writes = 0

    def reply(self, request: Request) -> bytes:
        """Answer gRPC's own client."""
        method = request.headers[":path"].rpartition("/")[2]
        if method in {"Txn", "LeaseGrant", "LeaseRevoke"}:
            self.writes += 1
            self.reads = self.reads if self.reads_after is None else self.reads_after
            written: bytes = self.write.SerializeToString()
            return written
        answers = {
            "Status": rpc.StatusResponse(
                header=header(self.reads), version="3.5.0", leader=1, raftTerm=2
            ),
            "Range": rpc.RangeResponse(header=header(self.reads)),
            "LeaseTimeToLive": rpc.LeaseTimeToLiveResponse(header=header(self.reads), TTL=-1),
        }
        read: bytes = answers[method].SerializeToString()
        return read


@asynccontextmanager
async def _key_writer(member: OddMember) -> AsyncIterator[EtcdWriter]:
    async with serving(member) as address, connected(address) as cluster:
        yield EtcdWriter(cluster.connection, SystemClock())


@pytest.mark.parametrize(
    ("answer", "became"),
    [
        (rpc.TxnResponse(header=header(THEIRS), succeeded=True), "was carried out there"),
        (rpc.TxnResponse(header=header(THEIRS)), "was refused there by its guard"),
    ],
)
def test_a_write_that_another_cluster_answers_is_told(answer: Any, became: str) -> None:
    """No read can look ahead: the answer tells where the write went, and what it did there."""

    async def story() -> None:
        member = TwoFaced(write=answer)
        async with _key_writer(member) as key_writer:
            with pytest.raises(WrongClusterError) as raised:
                await key_writer.delete([_hold()])
            assert f"A write went to that cluster and {became}: delete '{KEY.decode()}'." in str(
                raised.value
            )
            with pytest.raises(WrongClusterError):
                await key_writer.delete([_hold()])
            assert member.writes == 1

    run(story())


def test_a_write_waits_for_a_read_of_the_right_cluster() -> None:
    """The read right before it shows another one: nothing is sent."""

    async def story() -> None:
        member = TwoFaced()
        async with _key_writer(member) as key_writer:
            member.reads = THEIRS
            with pytest.raises(WrongClusterError):
                await key_writer.delete([_hold()])
            assert member.writes == 0

    run(story())


def test_a_server_without_a_cluster_id_is_read_but_not_written_to() -> None:
    """Nothing would tell whether it is still the same."""

    async def story() -> None:
        member = TwoFaced(reads=0, write=rpc.TxnResponse(succeeded=True))
        async with _key_writer(member) as key_writer:
            assert await key_writer.key(KEY) is None
            with pytest.raises(ClusterError, match="sends no cluster ID"):
                await key_writer.delete([_hold()])
            assert member.writes == 0

    run(story())


class Refusing(TwoFaced):
    """Says of each lease that it does not exist, which is an answer without a header."""

    def refuse(self, session: Session, request: Request) -> bool:
        """Refuse a write."""
        if not request.headers[":path"].endswith("/LeaseRevoke"):
            return False
        self.writes += 1
        self.reads = self.reads if self.reads_after is None else self.reads_after
        session.write(
            session.peer.refuse(request.stream, 5, "etcdserver: requested lease not found")
        )
        return True


def test_a_lease_that_another_cluster_does_not_have_is_not_gone() -> None:
    """An error names no cluster, so that another read has to tell whose it is."""

    async def story() -> None:
        member = Refusing()
        async with _key_writer(member) as key_writer:
            assert (await key_writer.revoke(LeaseId(7))).effect is WriteOutcome.NO_LEASE
            member.reads_after = THEIRS
            with pytest.raises(WrongClusterError):
                await key_writer.revoke(LeaseId(7))
            assert member.writes == 2

    run(story())


def _hold() -> LockKey:
    return LockKey(
        key=KEY,
        create_revision=2,
        mod_revision=2,
        version=1,
        lease_id=LeaseId(7),
        value=b"",
        value_size=0,
    )
