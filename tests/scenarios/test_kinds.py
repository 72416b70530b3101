"""Live registrations, elections and products beside locks: what is judged, planned and treated."""

from __future__ import annotations

import contextlib
import io
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lockdoctor.cli.main import main
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.lock_client import LockClient, Mutex
from tests.lock_clients import etcdctl_lock
from tests.scenarios.run_check import Checked, Checker
from tests.scenarios.run_revoke import Operator
from tests.scenarios.run_scan import Scanned, scan

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(180)]

TTL_S = 5
"""As short as is renewed in time on a busy machine."""
LIMIT = "--max-hold=1s"
LATER_S = 330.0


@pytest.fixture
def client(etcd: EtcdServer) -> Iterator[LockClient]:
    """A process that keeps its leases alive."""
    client = LockClient(etcd.address)
    yield client
    client.close()


@pytest.fixture
def checker(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> Checker:
    """Checks the prefix of the test."""
    return Checker(endpoint=etcd.endpoint, prefix=prefix, history=tmp_path / "history.sqlite3")


@pytest.fixture
def operator(etcd: EtcdServer, tmp_path: Path) -> Operator:
    """Somebody at the server of the tests."""
    return Operator(tmp_path, etcd.endpoint)


def put(client: LockClient, key: bytes, value: bytes = b"", ttl_s: int = 0) -> int:
    """Write a key, with a TTL on a lease that is kept alive; give the lease."""
    lease_id = client.session(ttl_s).lease_id if ttl_s else 0
    client.etcd.put(key, value, lease=lease_id or None)
    return lease_id


def value(client: LockClient, key: bytes) -> bytes | None:
    """What is there now."""
    found: bytes | None = client.etcd.get(key)[0]
    return found


def a_policy(folder: Path, prefix: bytes, *more: str) -> tuple[str, ...]:
    """Allow a revocation below the prefix after two runs."""
    lines = (
        "[[prefix]]",
        f'prefix = "{prefix.decode()}"',
        'max_hold = "1s"',
        'treat = "revoke"',
        'treat_min_held = "1s"',
        "treat_min_runs = 2",
        *more,
    )
    config = folder / "lockdoctor.toml"
    config.write_text("\n".join(lines) + "\n")
    return ("--config", str(config), "--journal", str(folder / "journal.jsonl"), "--no-sessions")


def treating(checker: Checker, flags: tuple[str, ...]) -> list[Checked]:
    """Check and treat often enough for a leak to be treated."""
    found = []
    for _ in range(4):
        found.append(checker.here("--treat", *flags))
        time.sleep(TTL_S + 0.5)
    return found


def test_a_live_registration_is_never_treated(
    checker: Checker, client: LockClient, tmp_path: Path
) -> None:
    """An empty value on a renewed lease may be a lock or a service: nobody has said."""
    key = checker.prefix + b"dubbo/svc/providers/x"
    put(client, key, ttl_s=TTL_S)
    found = treating(checker, a_policy(tmp_path, checker.prefix))

    assert not (tmp_path / "journal.jsonl").exists()
    assert [each.status for each in found] == [0] * 4, found[-1].stdout
    assert value(client, key) == b""


def test_what_the_policy_calls_a_lock_is_treated(
    checker: Checker, client: LockClient, tmp_path: Path
) -> None:
    """The same key below a prefix of locks: a leak, and freed as the policy allows."""
    key = checker.prefix + b"dubbo/svc/providers/x"
    put(client, key, ttl_s=TTL_S)
    found = treating(checker, a_policy(tmp_path, checker.prefix, 'kind = "lock"'))

    assert value(client, key) is None
    assert [each for each in found if " treated=1;" in each.line], found[-1].stdout


def test_without_a_limit_nothing_is_treated(checker: Checker, tmp_path: Path) -> None:
    """Whoever allows a treatment has to state what is too long."""
    flags = a_policy(tmp_path, checker.prefix)
    config = tmp_path / "lockdoctor.toml"
    config.write_text(config.read_text().replace('max_hold = "1s"\n', ""))

    refused = checker.here("--treat", *flags)

    assert (refused.status, "without a limit" in refused.line) == (3, True)
    assert checker.here("--treat", "--max-hold=1s", *flags).status == 0


def test_registrations_of_one_key_are_no_leaks(
    client: LockClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """Twelve workers on one lease, one agent by its address, one by a uuid: shown, left alone."""
    workers = client.session(TTL_S).lease_id
    for number in range(12):
        client.etcd.put(prefix + b"workers/w%d" % number, b"", lease=workers)
    put(client, prefix + b"agents/alive/10.0.0.0", ttl_s=TTL_S)
    put(client, prefix + b"agents/uuid", str(uuid.uuid4()).encode(), ttl_s=TTL_S)
    (agent,) = [prefix + b"agents/uuid"]

    scanned = scan(etcd.endpoint, prefix, LIMIT)
    planned = operator.revoke(b"--prefix", prefix, LIMIT)
    insisted = operator.revoke(
        b"--prefix", prefix, LIMIT, "--even-if-healthy", b"--lock-key", agent
    )
    stated = operator.revoke(b"--prefix", prefix, LIMIT, "--kind=lock", b"--lock-key", agent)

    assert (scanned.status, scanned.findings) == (0, [])
    assert set(scanned.verdicts.values()) == {"undetermined"}
    assert len(scanned.verdicts) == 14
    assert (planned.planned, planned.refused) == ([], [])
    assert (insisted.planned, insisted.refused) == ([], ["kind-unknown"])
    assert [target["verdict"] for target in stated.planned] == ["leaked-lock"]


def test_an_election_whose_leader_has_no_lease(
    client: LockClient, etcd: EtcdServer, prefix: bytes
) -> None:
    """Its process may be gone: the candidates wait for ever, and it is said so at once."""
    name = prefix + b"leader"
    leader = Mutex(client.session(TTL_S), name, b"node-a")
    leader.queue_up()
    client.etcd.put(leader.key, b"node-a")
    for candidate in (b"node-b", b"node-c"):
        Mutex(client.session(TTL_S), name, candidate).queue_up()

    found = scan(etcd.endpoint, prefix, "--window=0")

    _expect_eternal(found, leader.key, waiters=2)


def test_an_election_of_node_whose_leader_has_no_lease(
    client: LockClient, etcd: EtcdServer, prefix: bytes
) -> None:
    """The same where the lease is written in decimal."""
    place = prefix + b"election/cron/"
    put(client, place + b"123", b"host-1")
    second = client.session(TTL_S).lease_id
    client.etcd.put(place + b"%d" % second, b"host-2", lease=second)

    _expect_eternal(scan(etcd.endpoint, prefix, "--window=0"), place + b"123", waiters=1)


def test_a_vitess_lock_whose_oldest_key_has_no_lease(
    client: LockClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """The waiter behind it waits and is not leaked; what the lock guards is data."""
    keyspace = prefix + b"keyspaces/main/"
    put(client, keyspace + b"Keyspace", b"\x0a\x04main")
    put(client, keyspace + b"locks/123", b"{}")
    waiter = client.session(TTL_S).lease_id
    client.etcd.put(keyspace + b"locks/%d" % waiter, b"{}", lease=waiter)

    found = scan(etcd.endpoint, prefix, LIMIT)
    planned = operator.revoke(b"--prefix", prefix, LIMIT, "--verdict=eternal-lock")

    _expect_eternal(found, keyspace + b"locks/123", waiters=1)
    assert set(found.verdicts) == {keyspace[:-1]}
    assert [unseen["what"] for unseen in found.document["unseen"]] == ["keys without a lease"]
    assert [target["holds"][0]["key"] for target in planned.planned] == [
        (keyspace + b"locks/123").decode()
    ]


def test_a_patroni_leader_without_a_lease(
    client: LockClient, etcd: EtcdServer, prefix: bytes, operator: Operator
) -> None:
    """The leader's key is the one finding; the cluster's state is data, and never offered."""
    scope = prefix + b"service/pg/"
    state = (b"config", b"initialize", b"history", b"status", b"sync", b"failover")
    for name in state:
        put(client, scope + name, b"{}")
    said = {"conn_url": "postgres://b:5432/postgres", "api_url": "http://b:8008/patroni"}
    put(client, scope + b"members/node-b", json.dumps(said).encode(), TTL_S)
    put(client, scope + b"leader", b"node-a")

    found = scan(etcd.endpoint, prefix, "--window=0")
    table = scan(etcd.endpoint, prefix, "--window=0", "--format=table").stdout
    planned = operator.revoke(
        b"--prefix", prefix, "--window=0", "--verdict=eternal-lock", "--kind=lock"
    )

    _expect_eternal(found, scope + b"leader", waiters=0)
    assert not [name for name in state if (scope + name).decode() in table]
    keys = [hold["key"] for target in planned.planned for hold in target["holds"]]
    assert keys == [(scope + b"leader").decode()]


def _expect_eternal(found: Scanned, key: bytes, *, waiters: int) -> None:
    """One finding, on this very key, with so many behind it."""
    (finding,) = found.document["findings"]
    told: dict[str, Any] = {each["kind"]: each for each in finding["evidence"]}

    assert (finding["verdict"], finding["severity"]) == ("eternal-lock", "critical")
    assert (finding["confidence"], finding["leases"]) == ("proven", [])
    assert finding["key"] == key.decode()
    assert told.get("waiting", {"waiters": 0})["waiters"] == waiters
    assert found.status == 1


def plan_here(checker: Checker, *flags: str) -> dict[str, Any]:
    """Plan within this process, whose clock is ahead, on what the checks have seen."""
    where = ("--endpoints", checker.endpoint, "--prefix-hex", checker.prefix.hex(), "--window=0")
    written = ("--history", str(checker.history), "--journal", f"{checker.history}.jsonl")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["revoke", "--format=json", *where, *written, *flags]) == 0
    plan: dict[str, Any] = json.loads(out.getvalue())["plan"]
    return plan


def test_a_long_job_is_no_leak_where_no_limit_is_stated(
    etcdctl: Path,
    etcd: EtcdServer,
    checker: Checker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    `etcdctl lock backup sleep 420`: two checks 5 min 30 s apart say OK with its age.

    The clock goes ahead, not the test. `revoke` plans nothing; a limit makes it a proven leak.
    """
    name = checker.prefix + b"backup"
    with etcdctl_lock(etcdctl, etcd.endpoint, name.decode(), ttl=10) as job:
        job.wait_for("locked")
        first = checker.here("--no-sessions")
        ahead = {
            "time": lambda: time.time() + LATER_S,
            "clock_gettime": lambda clock: time.clock_gettime(clock) + LATER_S,
        }
        # seen by our clock alone: gRPC reads the wall clock for its deadlines
        monkeypatch.setattr("lockdoctor.clock.time", SimpleNamespace(**vars(time) | ahead))
        second = checker.here("--no-sessions")
        document = json.loads(checker.here("--no-sessions", "--format=json").stdout)
        limited = checker.here("--no-sessions", "--max-hold=5m")
        planned = plan_here(checker)
        by_limit = plan_here(checker, "--max-hold=5m")

    assert (first.status, second.status) == (0, 0), second.stdout
    assert second.line.startswith(
        f"LOCKDOCTOR OK - No leak proven: 1 lock held, {name.decode()} for at least 5 min 3"
    )
    assert "(no limit stated)" in second.line
    (lock,) = document["locks"]
    assert (lock["verdict"], lock["severity"], document["findings"]) == ("suspected-leak", "ok", [])
    assert (limited.status, "1 leaked lock" in limited.line) == (1, True), limited.stdout
    assert (planned["targets"], planned["unnamed"]) == ([], {"suspected-leak": 1})
    assert [target["verdict"] for target in by_limit["targets"]] == ["leaked-lock"]
