"""Treatments of a real etcd that somebody or something crosses, at every step."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.treatment.plan import RevokePlan
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.file_kinds import PLAN
from lockdoctor.outputs.files import write_file
from lockdoctor.outputs.json.treatment import write_plan_file
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment.plan import ExecutionOptions, execute_plan
from tests.etcd.connections import connected, writing
from tests.etcd.etcd_writer import Writer
from tests.etcd.relay import Relay
from tests.etcd_servers import EtcdServers
from tests.eventually import run
from tests.scenarios.run_revoke import Operator
from tests.scenarios.scripted_treatment import context_at, plan_for

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(180)]

WAYS = [Action.REVOKE, Action.RELEASE, Action.QUARANTINE]


class Lock:
    """A Go mutex that one session holds and another waits for."""

    def __init__(self, writer: Writer, name: bytes) -> None:
        """Take it over."""
        self.writer = writer
        self.name = name
        self.holder = LeaseId(0)
        self.waiter = LeaseId(0)

    async def take(self) -> None:
        """Let the first hold it, the second wait."""
        self.holder, self.waiter = await self.writer.grant(600), await self.writer.grant(600)
        await self.contend(self.holder)
        await self.contend(self.waiter)

    async def contend(self, lease: LeaseId) -> None:
        """Write a contender's key."""
        await self.writer.put(self.key(lease), lease_id=lease)

    def key(self, lease: LeaseId) -> bytes:
        """The key of a contender."""
        return self.name + b"/%x" % lease

    async def release(self) -> None:
        """Let the holder unlock: the waiter has the lock."""
        await self.writer.delete(self.key(self.holder))

    async def lock_again(self) -> None:
        """Let the holder unlock and lock again, behind the waiter: the same key, another hold."""
        await self.release()
        await self.contend(self.holder)

    async def write_again(self) -> None:
        """Let the holder give a sign of life."""
        await self.writer.put(self.key(self.holder), b"alive", self.holder)

    async def end(self) -> None:
        """Let the holder close its session."""
        await self.writer.revoke(self.holder)


Race = Callable[[Lock], Awaitable[None]]
RACES = [Lock.release, Lock.lock_again, Lock.write_again, Lock.end]


async def keys_below(server: EtcdServer, prefix: bytes) -> dict[bytes, int]:
    async with connected(server.endpoint) as cluster:
        return {key.key: key.mod_revision for key in (await cluster.keys(prefix)).keys}


@pytest.mark.parametrize("moment", ["after the plan", "before the write"])
@pytest.mark.parametrize("action", WAYS, ids=lambda action: str(action.value))
@pytest.mark.parametrize("race", RACES, ids=lambda race: str(race.__name__))
def test_nobody_who_is_faster_loses_anything(
    race: Race, action: Action, moment: str, etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """What others have made of the lock stays as they made it, and the journal says no more."""

    async def story() -> None:
        journal = tmp_path / "journal.jsonl"
        async with (
            writing(etcd.address) as writer,
            context_at(journal, etcd.endpoint) as (context, key_writer),
        ):
            lock = Lock(writer, prefix + b"orders")
            await lock.take()
            plan = await plan_for(context, lock.name, lock.holder, action)
            left: list[dict[bytes, int]] = []

            async def cross(step: str) -> None:
                if step in {"plan", "delete", "move"} and not left:
                    await race(lock)
                    left.append(await keys_below(etcd, prefix))

            if moment == "after the plan":
                await cross("plan")
            else:
                key_writer.before = cross
            (treated,) = (
                await execute_plan(context, plan, ExecutionOptions(), StopRequest())
            ).treated

            assert treated.result in {Result.REFUSED, Result.ALREADY_GONE}
            assert await keys_below(etcd, prefix) == left[0]
            entries = FileJournal(journal).entries()
            assert len(entries) == (0 if moment == "after the plan" else 1)
            assert all(entry.perhaps_deleted == () for entry in entries)

    run(story())


def test_a_session_that_locks_again_before_its_end(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """The old hold is deleted, the new one on the same key and lease is not."""

    async def story() -> None:
        async with (
            writing(etcd.address) as writer,
            context_at(tmp_path / "journal", etcd.endpoint) as (context, key_writer),
        ):
            lock = Lock(writer, prefix + b"orders")
            await lock.take()
            plan = await plan_for(context, lock.name, lock.holder, Action.REVOKE)

            async def relock(step: str) -> None:
                if step == "delete":
                    await lock.contend(lock.holder)

            key_writer.after = relock
            (treated,) = (
                await execute_plan(context, plan, ExecutionOptions(), StopRequest())
            ).treated

            assert treated.result is Result.PARTLY
            assert lock.key(lock.holder) in await keys_below(etcd, prefix)

    run(story())


KILLS = [
    (Action.REVOKE, "delete", "before", False),
    (Action.REVOKE, "delete", "after", True),
    (Action.REVOKE, "revoke", "before", True),
    (Action.REVOKE, "revoke", "after", True),
    (Action.QUARANTINE, "grant", "after", False),
    (Action.QUARANTINE, "move", "before", False),
    (Action.QUARANTINE, "move", "after", False),
]


@pytest.mark.parametrize(("action", "step", "moment", "is_deleted"), KILLS)
def test_killed_at_any_step(
    action: Action,
    step: str,
    moment: str,
    is_deleted: bool,  # noqa: FBT001  # a column of the table
    etcd: EtcdServer,
    prefix: bytes,
    tmp_path: Path,
) -> None:
    """The journal never claims what is not so: an intent whose outcome nobody knows, or nothing."""
    plan_file, journal = tmp_path / "plan.json", tmp_path / "journal.jsonl"

    async def prepare() -> RevokePlan:
        async with (
            writing(etcd.address) as writer,
            context_at(journal, etcd.endpoint) as (context, _),
        ):
            lock = Lock(writer, prefix + b"orders")
            await lock.take()
            return await plan_for(context, lock.name, lock.holder, action)

    plan = run(prepare())
    hold = plan.targets[0].holds[0]
    write_file(plan_file, PLAN, lambda out: write_plan_file(plan, out))
    words = [
        "-m",
        "tests.scenarios.scripted_treatment",
        step,
        moment,
        plan_file,
        journal,
        etcd.endpoint,
    ]
    killed = subprocess.run([sys.executable, *map(str, words)], check=False, timeout=60)

    assert killed.returncode == -signal.SIGKILL
    entries = FileJournal(journal).entries()
    assert (hold.key not in run(keys_below(etcd, prefix))) is is_deleted
    if step == "grant":  # an empty lease, which ends by itself
        assert entries == ()
    else:
        (entry,) = entries
        assert (entry.outcome, entry.result) == (None, Result.UNKNOWN)
        assert [key.key for key in entry.perhaps_deleted] == [hold.key]
        assert entry.intent.keys[0].create_revision == hold.create_revision


@pytest.fixture
def three(etcd_binary: Path, tmp_path: Path) -> Iterator[EtcdServers]:
    """Three members, of which one may be lost."""
    with EtcdServers(tmp_path / "three", binary=etcd_binary) as servers:
        yield servers


def test_a_leader_that_is_lost_right_after_the_request(three: EtcdServers, tmp_path: Path) -> None:
    """No answer comes; what became of it is looked up at those who are left, and told as it is."""

    async def story(relays: dict[str, Relay]) -> None:
        journal = tmp_path / "journal.jsonl"
        member = three.members[0]
        async with (
            writing(member.address) as writer,
            context_at(journal, *relays, command_timeout_s=3.0, look_up_s=5.0) as (context, _),
        ):
            lock = Lock(writer, b"/l/orders")
            await lock.take()
            plan = await plan_for(context, lock.name, lock.holder, Action.REVOKE)
            status = await context.cluster.status()
            relay = relays[status.endpoint]
            leader = next(m for m in three.members if m.address == relay.upstream)
            assert status.leader_id == status.member_id

            def lose(request: bytes) -> None:
                if b"KV/Txn" in request:
                    leader.freeze()  # the request reaches it, and is never answered
                    threading.Timer(1.0, leader.kill).start()

            relay.on_request = lose
            (treated,) = (
                await execute_plan(context, plan, ExecutionOptions(), StopRequest())
            ).treated

            held = await context.key_writer.key(lock.key(lock.holder))
            (entry,) = FileJournal(journal).entries()
            assert entry.result is treated.result
            assert treated.was_looked_up
            if held is None:
                assert treated.result is Result.DONE
            else:
                assert treated.result is Result.UNKNOWN
                assert held == plan.targets[0].holds[0]
            waiting = await context.key_writer.key(lock.key(lock.waiter))
            assert waiting is not None

    with contextlib.ExitStack() as stack:
        relays = [stack.enter_context(Relay(member.address)) for member in three.members]
        run(story({relay.address: relay for relay in relays}))


def test_a_full_disk_stops_everything(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path, small_disk: Path
) -> None:
    """Where the journal has no room, nothing is done, and that is said."""

    async def take() -> bytes:
        async with writing(etcd.address) as writer:
            lock = Lock(writer, prefix + b"orders")
            await lock.take()
            return lock.key(lock.holder)

    key = run(take())
    filler = small_disk / "filler"
    operator = Operator(tmp_path, etcd.endpoint)
    operator.journal = small_disk / "journal.jsonl"
    operator.journal.touch(0o600)
    with contextlib.suppress(OSError):
        filler.write_bytes(b"x" * 1_000_000)
    named = [b"--prefix", prefix, b"--lock-key", key]
    found = operator.revoke(*named, "--even-if-healthy", "--window=0", "--yes")

    assert (found.status, found.stdout) == (3, "")
    assert "No space left on device" in found.stderr
    assert key in run(keys_below(etcd, prefix))


def test_a_user_who_may_not_write(etcd_binary: Path, tmp_path: Path) -> None:
    """Refused by etcd, nothing is done, the sentence names what the role lacks."""

    async def prepare(server: EtcdServer) -> bytes:
        async with writing(server.address) as writer:
            lock = Lock(writer, b"/l/orders")
            await lock.take()
            await writer.allow("root", "secret", None)
            await writer.allow("reader", "secret", b"/l/")
            await writer.demand_users()
            return lock.key(lock.holder)

    with EtcdServer(tmp_path / "etcd", binary=etcd_binary) as server:
        key = run(prepare(server))
        operator = Operator(tmp_path, server.endpoint)
        who = ["--user=reader:secret", "--prefix=/l/", "--window=0", "--even-if-healthy"]
        found = operator.revoke(*who, "--yes", "--lock-key", key)

        (target,) = found.targets
        assert (found.status, target["result"]) == (1, "failed")
        assert "write access" in target["failure"]
        assert [line["line"] for line in operator.lines] == ["intent", "outcome"]
        assert operator.lines[1]["result"] == "failed"
        again = operator.revoke(*who, "--lock-key", key)
        assert len(again.planned) == 1
