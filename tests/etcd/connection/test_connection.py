"""Which member is asked, and what is said when there is none."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer, reserve_port
from lockdoctor.domain.model.leases import LeaseId, LeaseReading
from lockdoctor.errors import ClusterError, ClusterUnreachableError, WrongClusterError
from lockdoctor.etcd.connection.settings import ConnectionSettings
from tests.etcd.connections import connected, writing
from tests.etcd_servers import EtcdServers
from tests.eventually import run

pytestmark = pytest.mark.etcd


@pytest.fixture
def three(etcd_binary: Path, tmp_path: Path) -> Iterator[EtcdServers]:
    """A cluster of three."""
    with EtcdServers(tmp_path, binary=etcd_binary) as servers:
        yield servers


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections, and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


@pytest.fixture
def web_port() -> Iterator[int]:
    """A web server that is no etcd."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


class QuietHandler(BaseHTTPRequestHandler):
    """Says hello to everybody."""

    def do_GET(self) -> None:
        """Say it."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing to the terminal."""


async def refused(*endpoints: str, dial_timeout_s: float = 1.0) -> str:
    """Fail to connect, and give what is said about it."""
    with pytest.raises(ClusterUnreachableError) as caught:
        async with connected(*endpoints, dial_timeout_s=dial_timeout_s):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def leader_of(servers: EtcdServers) -> EtcdServer:
    async def ask() -> str:
        async with connected(*servers.endpoints) as cluster:
            return (await cluster.status()).endpoint

    endpoint = run(ask())
    return next(member for member in servers.members if member.endpoint == endpoint)


def test_a_closed_first_endpoint_is_passed_over(etcd: EtcdServer) -> None:
    """The one that answers serves."""

    async def story() -> None:
        async with connected(f"127.0.0.1:{reserve_port()}", etcd.address) as cluster:
            assert (await cluster.status()).endpoint == etcd.address

    run(story())


def test_a_silent_first_endpoint_costs_the_dial_timeout(etcd: EtcdServer, silent_port: int) -> None:
    """Not the command time-out, and not gRPC's own twenty seconds."""

    async def story() -> None:
        silent = f"127.0.0.1:{silent_port}"
        async with connected(silent, etcd.address, dial_timeout_s=0.5) as cluster:
            assert (await cluster.status()).endpoint == etcd.address

    run(story(), within_s=8)


def test_the_name_localhost_and_a_bare_address_work(etcd: EtcdServer) -> None:
    """With and without a scheme."""

    async def story() -> None:
        for endpoint in (f"localhost:{etcd.client_port}", etcd.address, etcd.endpoint):
            async with connected(endpoint) as cluster:
                assert (await cluster.status()).endpoint == endpoint

    run(story())


def test_nothing_listens() -> None:
    """The sentence says so, for every endpoint."""
    first, second = (f"127.0.0.1:{reserve_port()}" for _ in range(2))

    said = run(refused(first, second))

    assert f"{first}: connection refused" in said
    assert f"{second}: connection refused" in said


def test_a_server_that_never_answers(silent_port: int) -> None:
    """It is told from a closed port."""
    assert "no answer within 0.5 s" in run(refused(f"127.0.0.1:{silent_port}", dial_timeout_s=0.5))


def test_a_name_that_nobody_has() -> None:
    """The name is blamed."""
    said = run(refused("no-such-host.invalid:2379", dial_timeout_s=10))

    assert "the name no-such-host.invalid cannot be resolved" in said


def test_a_web_server_that_is_no_etcd(web_port: int) -> None:
    """Probably the wrong port."""
    said = run(refused(f"127.0.0.1:{web_port}"))

    assert "an HTTP server answers there, but not etcd: is the port right?" in said


def test_another_protocol() -> None:
    """A server that greets first, as SSH does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    with peer:
                        peer.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        said = run(refused(f"127.0.0.1:{listener.getsockname()[1]}"))
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert "is the port right?" in said


def test_the_leader_is_preferred(three: EtcdServers) -> None:
    """In whatever order the endpoints are given."""

    async def story() -> None:
        for endpoints in (three.endpoints, three.endpoints[::-1]):
            async with connected(*endpoints) as cluster:
                status = await cluster.status()
                assert status.leader_id == status.member_id

    run(story())


def test_a_killed_leader_is_replaced(three: EtcdServers, prefix: bytes) -> None:
    """Reading goes on with the others, and a higher term."""
    leader = leader_of(three)
    others = [member for member in three.members if member is not leader]

    async def story() -> None:
        async with connected(*three.endpoints) as cluster, writing(others[0].address) as writer:
            lease_id = await writer.grant(60)
            await writer.put(prefix, lease_id=lease_id)
            before = await cluster.status()
            leader.kill()

            (reading,) = [r async for r in cluster.read_leases([lease_id], with_keys=True)]

            assert isinstance(reading, LeaseReading)
            assert reading.attached_keys == (prefix,)
            assert len((await cluster.keys(prefix)).keys) == 1
            after = await cluster.status()
            assert after.endpoint in {member.endpoint for member in others}
            assert after.raft_term > before.raft_term

    run(story())


def test_a_frozen_leader_is_replaced(three: EtcdServers, prefix: bytes) -> None:
    """A member that keeps its connections and says nothing costs half a time-out."""
    leader = leader_of(three)

    async def story() -> None:
        async with connected(
            *three.endpoints, dial_timeout_s=0.5, command_timeout_s=12.0
        ) as cluster:
            leader.freeze()

            assert (await cluster.keys(prefix)).keys == ()
            assert (await cluster.status()).endpoint != leader.endpoint

    run(story())


def test_a_member_without_a_leader_is_not_read_from(three: EtcdServers) -> None:
    """Two of three frozen: it is said of each what is wrong, and all is well when they are back."""
    alive, *frozen = three.members
    for member in frozen:
        member.freeze()

    async def lost_leader() -> str:
        """Until it notices, an election time-out later, the member believes in its leader."""
        while True:
            with contextlib.suppress(pytest.fail.Exception):
                return await refused(*three.endpoints, dial_timeout_s=0.5)

    async def story() -> None:
        said = await lost_leader()
        assert f"{alive.endpoint}: it has no leader" in said
        assert f"{frozen[0].endpoint}: no answer within 0.5 s" in said

        for member in frozen:
            member.thaw()
        while True:
            with contextlib.suppress(ClusterUnreachableError):
                async with connected(*three.endpoints) as cluster:
                    assert await cluster.leases()
                    return

    run(story())


def test_endpoints_of_two_clusters(etcd: EtcdServer, etcd_binary: Path, tmp_path: Path) -> None:
    """To mix them up would be worse than to stop."""

    async def story(other: EtcdServer) -> None:
        with pytest.raises(WrongClusterError, match="belongs to etcd cluster"):
            async with connected(etcd.endpoint, other.endpoint):
                pass

    with EtcdServer(tmp_path, binary=etcd_binary, name="other") as other:
        run(story(other))


def test_a_restart_is_waited_for(etcd_binary: Path, tmp_path: Path) -> None:
    """A read that begins while the only member is away ends well when it is back in time."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=30) as cluster:
            server.kill()
            server.start(wait=False)

            assert (await cluster.status()).raft_term > 2

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(story(server))


def test_a_cluster_that_went_away_is_told_once_for_all_look_ups(
    etcd_binary: Path, tmp_path: Path
) -> None:
    """A thousand look-ups do not wait one after the other for a dead server."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=1.0) as cluster:
            server.kill()
            with pytest.raises(ClusterUnreachableError, match="connection refused"):
                async for _ in cluster.read_leases(map(LeaseId, range(1, 1000)), with_keys=False):
                    pass

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(story(server), within_s=20)


def test_a_frozen_cluster_is_told_once_for_all_look_ups(etcd_binary: Path, tmp_path: Path) -> None:
    """The same with one that says nothing."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=1.0, dial_timeout_s=0.5) as cluster:
            server.freeze()
            with pytest.raises(ClusterError, match="no answer within"):
                async for _ in cluster.read_leases(map(LeaseId, range(1, 1000)), with_keys=False):
                    pass

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(story(server), within_s=20)


def test_the_password_is_not_shown() -> None:
    """Settings may end up in a log."""
    assert "secret" not in repr(ConnectionSettings(user="root", password="secret"))


def test_the_late_end_of_a_call_of_an_earlier_loop_is_no_news(
    etcd: EtcdServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong in this loop is told all the same."""

    async def story() -> None:
        async with connected(etcd.endpoint):
            for words in ("Event loop is closed", "something else"):
                trouble = {"message": words, "exception": RuntimeError(words)}
                asyncio.get_running_loop().call_exception_handler(trouble)

    run(story())
    assert "something else" in caplog.text
    assert "Event loop is closed" not in caplog.text
