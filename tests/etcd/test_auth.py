"""Users, passwords, tokens that expire, and roles that may not see everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import LOOPBACK, EtcdServer, reserve_port
from lockdoctor.domain.inference.queue_activity import KeyPut
from lockdoctor.domain.model.leases import FailedReading, LeaseId, LeaseReading
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.errors import AccessDeniedError
from lockdoctor.etcd.protos import rpc
from lockdoctor.etcd.writer import EtcdWriter
from tests.etcd.connections import connected, writing
from tests.etcd.guarded_member import ALARM, ONLY_FOR_ROOT, guarded_member
from tests.eventually import run

pytestmark = pytest.mark.etcd

TOKEN_TTL_S = 1
ROOT: dict[str, Any] = {"user": "root", "password": "root-secret"}
READER: dict[str, Any] = {"user": "reader", "password": "reader-secret"}
MAY = b"/may/"


@pytest.fixture(scope="module")
def guarded(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A server with users, whose tokens expire after a second without use."""
    folder = tmp_path_factory.mktemp("guarded")
    flags = ["--auth-token-ttl", str(TOKEN_TTL_S)]
    with EtcdServer(folder, binary=etcd_binary, flags=flags) as server:
        run(_appoint(server))
        yield server


@pytest.fixture(scope="module")
def shared_lease(guarded: EtcdServer) -> LeaseId:
    """A lease with a key that the reader may see, and one it may not."""
    return run(_put_both(guarded))


async def _appoint(server: EtcdServer) -> None:
    async with writing(server.address) as writer:
        await writer.allow(ROOT["user"], ROOT["password"], None)
        await writer.allow(READER["user"], READER["password"], MAY)
        await writer.demand_users()


async def _token(server: EtcdServer) -> str:
    async with writing(server.address) as writer:
        request = rpc.AuthenticateRequest(name=ROOT["user"], password=ROOT["password"])
        return str((await writer.auth.Authenticate(request)).token)


async def _put_both(server: EtcdServer) -> LeaseId:
    async with writing(server.address, await _token(server)) as writer:
        lease_id = await writer.grant(600)
        await writer.put(MAY + b"see", lease_id=lease_id)
        await writer.put(b"/may-not/see", lease_id=lease_id)
        return lease_id


def test_a_user_with_the_right_password(guarded: EtcdServer, shared_lease: LeaseId) -> None:
    """Root sees all of it."""

    async def story() -> None:
        async with connected(guarded.endpoint, **ROOT) as cluster:
            assert len((await cluster.keys(b"")).keys) == 2
            assert shared_lease in (await cluster.leases()).lease_ids
            (reading,) = [r async for r in cluster.read_leases([shared_lease], with_keys=True)]
            assert isinstance(reading, LeaseReading)
            assert reading.attached_keys == (b"/may-not/see", MAY + b"see")

    run(story())


@pytest.mark.parametrize("who", [{"user": "root", "password": "no"}, {"user": "nobody"}])
def test_a_wrong_password_and_an_unknown_user(guarded: EtcdServer, who: dict[str, Any]) -> None:
    """The same answer for both, as etcd gives it, and no password in it."""

    async def story() -> None:
        with pytest.raises(AccessDeniedError, match="--user and --password") as caught:
            async with connected(guarded.endpoint, **who):
                pass
        assert "'no'" not in str(caught.value)

    run(story())


def test_no_user_where_one_is_demanded(guarded: EtcdServer) -> None:
    """It is said that a user is missing, at the latest when keys are read."""

    async def story() -> None:
        with pytest.raises(AccessDeniedError, match="demands a user"):
            async with connected(guarded.endpoint) as cluster:
                await cluster.keys(MAY)

    run(story())


def test_a_user_where_none_is_needed(etcd: EtcdServer, prefix: bytes) -> None:
    """Fine, as for etcdctl: the same settings may serve for several clusters."""

    async def story() -> None:
        async with connected(etcd.endpoint, **ROOT) as cluster:
            assert (await cluster.keys(prefix)).keys == ()

    run(story())


def test_an_expired_token_is_renewed(guarded: EtcdServer, shared_lease: LeaseId) -> None:
    """A pause longer than the token's life is not noticed, by one call or by many."""

    async def story() -> None:
        async with connected(guarded.endpoint, **ROOT) as cluster:
            await asyncio.sleep(TOKEN_TTL_S + 2)  # the server's time, which nobody can fake
            assert len((await cluster.keys(MAY)).keys) == 1
            await asyncio.sleep(TOKEN_TTL_S + 2)
            ids = [shared_lease] * 50
            readings = [r async for r in cluster.read_leases(ids, with_keys=True)]
            assert sum(isinstance(reading, LeaseReading) for reading in readings) == 50
            assert cluster.notes == []

    run(story())


def test_a_watch_that_begins_with_an_expired_token(
    guarded: EtcdServer, shared_lease: LeaseId
) -> None:
    """Etcd calls that "permission denied"; it is not."""

    async def story() -> None:
        assert shared_lease
        async with connected(guarded.endpoint, **READER) as cluster:
            await asyncio.sleep(TOKEN_TTL_S + 2)  # the server's time, which nobody can fake
            events = cluster.watch(MAY, 1)
            assert isinstance(await events.__anext__(), KeyPut)
            await events.aclose()  # type: ignore[attr-defined]  # it is a generator

    run(story())


@pytest.mark.parametrize("is_pipelined", [True, False])
def test_a_role_for_one_prefix_suffices_for_it(
    guarded: EtcdServer, shared_lease: LeaseId, *, is_pipelined: bool
) -> None:
    """
    Its keys, its watch and its leases can be read.

    Whether the list of leases and foreign keys on them can be seen depends on etcd's version.
    """

    async def story() -> None:
        async with connected(guarded.endpoint, is_pipelined=is_pipelined, **READER) as cluster:
            (key,) = (await cluster.keys(MAY)).keys
            assert key.lease_id == shared_lease
            (reading,) = [r async for r in cluster.read_leases([shared_lease], with_keys=True)]
            assert isinstance(reading, LeaseReading)
            assert reading.attached_keys is None or len(reading.attached_keys) == 2
            try:
                assert shared_lease in (await cluster.leases()).lease_ids
            except AccessDeniedError as error:
                assert "list the leases" in str(error)  # noqa: PT017  # denied or not, by version

    run(story())


def test_what_the_role_may_not_read_is_named(guarded: EtcdServer) -> None:
    """User, prefix and the command that grants it stand in the message, for keys and watches."""

    def says(prefix: str) -> str:
        command = f"`etcdctl role grant-permission ROLE read --prefix -- {prefix}`"
        return f"^etcd user 'reader' may not read '{prefix}'. Run: {command}$"

    async def story() -> None:
        async with connected(guarded.endpoint, **READER) as cluster:
            with pytest.raises(AccessDeniedError, match=says("/may-not/")):
                await cluster.keys(b"/may-not/")
            with pytest.raises(AccessDeniedError, match=says("/ma")):
                await cluster.watch(b"/ma", 1).__anext__()
            with pytest.raises(AccessDeniedError, match="ROLE read -- /ma`"):
                await EtcdWriter(cluster.connection, SystemClock()).key(b"/ma")

    run(story())


def test_a_member_that_keeps_its_status_for_root(
    guarded: EtcdServer, shared_lease: LeaseId
) -> None:
    """Any header tells who it is; the status is not asked for again, and root sees all of it."""

    async def story() -> None:
        async with guarded_member(guarded.address) as (endpoint, member):
            dead = f"{LOOPBACK}:{reserve_port()}"
            async with connected(dead, endpoint, **READER) as cluster:
                for _ in range(3):
                    status = await cluster.status()
                assert (status.leader_id, status.version, status.alarms) == (None, "", ())
                assert status.cluster_id != 0 != status.member_id
                assert status.raft_term >= 2
                assert status.revision == (await cluster.keys(MAY)).revision
                (reading,) = [r async for r in cluster.read_leases([shared_lease], with_keys=True)]
                assert isinstance(reading, LeaseReading)
                assert cluster.notes == ["This etcd user may not see: leader, etcd version."]
                assert len(member.denied) == 2  # without a user, then with one
            async with connected(endpoint, **ROOT) as cluster:
                status = await cluster.status()
                assert status.leader_id == status.member_id
                assert status.member_id in await cluster.members()
                assert cluster.notes == []

    run(story())


def test_a_member_that_is_known_to_lead_goes_first(guarded: EtcdServer) -> None:
    """Where one endpoint shows that it leads and the other shows nothing, both of one term."""

    async def story() -> None:
        async with connected(guarded.endpoint, **READER) as cluster:
            is_shown = (await cluster.status()).leader_id is not None  # it depends on the release
        async with (
            guarded_member(guarded.address) as (endpoint, _),
            connected(endpoint, guarded.endpoint, **READER) as cluster,
        ):
            assert (await cluster.status()).endpoint == (guarded.endpoint if is_shown else endpoint)

    run(story())


def test_alarms_that_cannot_be_read_end_nothing(guarded: EtcdServer) -> None:
    """Denied, or not answered: both are said, and the status comes all the same."""

    async def notes(only_for_root: frozenset[str], code: grpc.StatusCode | None) -> list[str]:
        async with guarded_member(guarded.address, only_for_root) as (endpoint, member):
            member.broken = {} if code is None else {ALARM: code}
            async with connected(endpoint, **READER) as cluster:
                assert (await cluster.status()).alarms is None
                return cluster.notes

    denied = run(notes(ONLY_FOR_ROOT | {ALARM}, None))
    assert denied == ["This etcd user may not see: leader, etcd version, alarms."]
    broken, unseen = run(notes(ONLY_FOR_ROOT, grpc.StatusCode.INTERNAL))
    assert broken.startswith("The alarms of etcd could not be read: etcd at ")
    assert unseen == "This etcd user may not see: leader, etcd version."


def test_whoever_may_only_read_writes_nothing(guarded: EtcdServer, shared_lease: LeaseId) -> None:
    """Each write is refused in a sentence that says what the role needs; nothing changes."""

    async def story() -> None:
        async with connected(guarded.endpoint, **READER) as cluster:
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            hold = await key_writer.key(MAY + b"see")
            assert hold is not None
            for write in (key_writer.delete([hold]), key_writer.move([hold], LeaseId(0))):
                with pytest.raises(AccessDeniedError, match="write access"):
                    await write
            with pytest.raises(AccessDeniedError, match="revoke lease"):
                await key_writer.revoke(shared_lease)
            assert await key_writer.key(MAY + b"see") == hold

    run(story())


def test_a_write_with_an_expired_token(guarded: EtcdServer) -> None:
    """A new token is asked for, and the write is carried out once."""

    async def story() -> None:
        async with connected(guarded.endpoint, **ROOT) as cluster:
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            lease_id = await key_writer.grant(60)
            await asyncio.sleep(TOKEN_TTL_S + 2)  # the server's time, which nobody can fake
            assert (await key_writer.revoke(lease_id)).effect is WriteOutcome.DONE

    run(story())


def test_a_restart_forgets_tokens(etcd_binary: Path, tmp_path: Path) -> None:
    """A new one is asked for."""

    async def story(server: EtcdServer) -> None:
        async with connected(server.endpoint, command_timeout_s=60, **ROOT) as cluster:
            server.restart()
            assert (await cluster.keys(MAY)).keys == ()
            answers = [r async for r in cluster.read_leases([LeaseId(7)], with_keys=True)]
            assert not isinstance(answers[0], FailedReading)

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        run(_appoint(server))
        run(story(server))
