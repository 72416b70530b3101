"""Real Go clients, and the one command that writes: what is freed, what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.etcd.connections import connected, writing
from tests.eventually import run
from tests.lock_clients import GoClient, eventually
from tests.scenarios.run_revoke import Operator, raw

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 2
LIMIT = "--max-hold=1s"


@pytest.fixture
def operator(etcd: EtcdServer, tmp_path: Path) -> Operator:
    """Somebody at the server of the tests."""
    return Operator(tmp_path, etcd.endpoint)


def below(prefix: bytes) -> tuple[bytes | str, ...]:
    return (b"--prefix", prefix, LIMIT)


def keys(server: EtcdServer, prefix: bytes) -> dict[bytes, int]:
    """The keys that are there now, with their leases."""

    async def read() -> dict[bytes, int]:
        async with connected(server.endpoint) as cluster:
            return {key.key: key.lease_id for key in (await cluster.keys(prefix)).keys}

    return run(read())


def put(server: EtcdServer, key: bytes, lease: str) -> None:
    """Write a key onto somebody's lease."""

    async def write() -> None:
        async with writing(server.address) as writer:
            await writer.put(key, b"value", int(lease, 16))

    run(write())


def delete(server: EtcdServer, key: bytes) -> None:
    """Delete a key, as its client does when it unlocks."""

    async def write() -> None:
        async with writing(server.address) as writer:
            await writer.delete(key)

    run(write())


@pytest.mark.go
def test_a_leaked_holder_is_revoked(
    go: GoClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """
    The first waiter gets the lock, and the leaked session ends: its client renews no more.

    First the plan alone, which changes nothing, then the action; the journal has both.
    """
    name = prefix + b"orders"
    with go.start("leak", name, ttl=TTL_S) as leak:
        (locked,) = leak.wait_for("locked")
        with go.start("wait", name, ttl=TTL_S) as first:
            first.wait_for("session")
            eventually(lambda: len(keys(etcd, name)) == 2, within_s=10)
            with go.start("wait", name, ttl=TTL_S) as second:
                second.wait_for("session")
                planned = operator.revoke(*below(prefix))
                assert (planned.status, planned.document["treatment"]) == (0, None)
                assert len(keys(etcd, name)) == 3
                assert operator.lines == []

                done = operator.revoke(*below(prefix), "--yes")
                (got,) = first.wait_for("locked")
                leak.wait_for("ended")

    (target,) = done.targets
    assert (done.status, target["result"], target["lease"]) == (0, "done", locked["lease"])
    assert raw(target["queues"][0], "holder") == got["key"].encode()
    assert target["queues"][0]["was_next"]
    assert 0 < target["took_s"] < 30
    assert not any(event["event"] == "locked" for event in second.events)
    intent, outcome = operator.lines
    assert (intent["line"], intent["lease"]) == ("intent", locked["lease"])
    assert (outcome["line"], outcome["result"]) == ("outcome", "done")
    assert operator.journal.stat().st_mode & 0o777 == 0o600


@pytest.mark.go
def test_a_released_session_lives_on(
    go: GoClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """Only its hold is gone; its client is told nothing."""
    with go.start("leak", prefix + b"orders", ttl=TTL_S) as leak:
        (locked,) = leak.wait_for("locked")
        assert operator.revoke(*below(prefix), "--yes", "--how=release").status == 0

        assert keys(etcd, prefix) == {}
        assert alive(etcd, locked["lease"])
        assert not any(event["event"] == "ended" for event in leak.events)


@pytest.mark.go
def test_a_quarantine_is_undone_or_runs_out(
    go: GoClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """The waiter waits on while the hold is in quarantine, and gets the lock when that is over."""
    name = prefix + b"orders"
    with go.start("leak", name, ttl=TTL_S) as leak:
        (locked,) = leak.wait_for("locked")
        with go.start("wait", name, ttl=TTL_S) as waiter:
            waiter.wait_for("session")
            eventually(lambda: len(keys(etcd, name)) == 2, within_s=10)
            held = locked["key"].encode()
            away = operator.revoke(
                *below(prefix), "--yes", "--how=quarantine", "--quarantine-for=60s"
            )
            assert keys(etcd, name)[held] != int(locked["lease"], 16)
            back = operator.revoke("--undo", away.targets[0]["entry"])
            assert (back.status, back.document["result"]) == (0, "done")
            assert keys(etcd, name)[held] == int(locked["lease"], 16)
            assert not any(event["event"] == "locked" for event in waiter.events)

            operator.revoke(*below(prefix), "--yes", "--how=quarantine", "--quarantine-for=2s")
            waiter.wait_for("locked")
            assert alive(etcd, locked["lease"])


@pytest.mark.go
def test_a_lease_with_keys_elsewhere_is_refused(
    go: GoClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """Until its own flag allows it; --yes alone does not."""
    outside = b"/elsewhere" + prefix
    with go.start("leak", prefix + b"orders", ttl=TTL_S) as leak:
        (locked,) = leak.wait_for("locked")
        put(etcd, outside, locked["lease"])
        refused = operator.revoke(*below(prefix), "--yes")
        assert (refused.status, refused.refused) == (1, ["outside-keys"])
        assert outside in keys(etcd, outside)
        assert operator.lines == []

        done = operator.revoke(*below(prefix), "--yes", "--include-outside-keys")
        assert (done.status, done.targets[0]["result"]) == (0, "done")
        assert keys(etcd, outside) == {}


@pytest.mark.go
def test_a_saved_plan_is_not_carried_out_on_somebody_else(
    go: GoClient, etcd: EtcdServer, prefix: bytes, operator: Operator, tmp_path: Path
) -> None:
    """The lock was released and taken by another: refused, and it is said what has changed."""
    name, plan = prefix + b"orders", str(tmp_path / "plan.json")
    with go.start("leak", name, ttl=TTL_S) as leak:
        (locked,) = leak.wait_for("locked")
        assert operator.revoke(*below(prefix), "--plan", plan).status == 0
        assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600
        with go.start("wait", name, ttl=TTL_S) as other:
            other.wait_for("session")
            eventually(lambda: len(keys(etcd, name)) == 2, within_s=10)
            delete(etcd, locked["key"].encode())
            (got,) = other.wait_for("locked")
            refused = operator.revoke("--from-plan", plan, "--yes")
            now = keys(etcd, name)

    (target,) = refused.targets
    assert (refused.status, target["result"]) == (1, "refused")
    assert {each["kind"] for each in target["changed"]} == {"key-gone", "holder-changed"}
    assert list(now) == [got["key"].encode()]
    assert operator.lines == []


@pytest.mark.go
def test_a_leak_that_comes_back_is_told(go: GoClient, prefix: bytes, operator: Operator) -> None:
    """The process still runs and takes its lock anew, on another lease, and renews that."""
    name = prefix + b"orders"
    with go.start("relapse", name, ttl=TTL_S) as leak:
        leak.wait_for("locked")
        done = operator.revoke(*below(prefix), "--yes", "--verify=6s")
        leak.wait_for("locked", 2)

    assert done.status == 1
    (relapse,) = done.document["treatment"]["relapses"]
    assert (raw(relapse, "lock"), relapse["was_waiting"]) == (name, False)
    assert relapse["renewals"] >= 1


@pytest.mark.go
def test_many_sessions_at_a_pace(lockclient: Path, etcd_binary: Path, tmp_path: Path) -> None:
    """A thousand leases without keys are ended one by one; one that has a key by then is not."""
    with EtcdServer(tmp_path / "etcd", binary=etcd_binary, flags=["--unsafe-no-fsync"]) as server:
        operator = Operator(tmp_path, server.endpoint)
        plan = str(tmp_path / "plan.json")
        with GoClient(lockclient, server.endpoint).start("pool", ttl=12, n=1000) as pool:
            pool.wait_for("session", 1000)
            planned = operator.revoke(
                "--sessions", "--even-if-healthy", "--max=2000", "--plan", plan
            )
            at_work = planned.planned[500]["lease"]
            put(server, b"/late", at_work)
            done = operator.revoke("--from-plan", plan, "--yes", "--pause=1ms")

        results = [target["result"] for target in done.targets]
        assert (results.count("done"), results.count("refused")) == (999, 1)
        assert keys(server, b"/late") == {b"/late": int(at_work, 16)}
        assert len(operator.lines) == 2 * 999


def alive(server: EtcdServer, lease: str) -> bool:
    """Whether a lease exists."""

    async def look() -> bool:
        async with connected(server.endpoint) as cluster:
            return int(lease, 16) in (await cluster.leases()).lease_ids

    return run(look())
