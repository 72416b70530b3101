"""What keys are, on a real etcd: stuck leader keys, recipes of one's own, and why."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import lockdoctor.etcd.protos  # noqa: F401  # makes etcd3 load on today's protobuf
from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import eventually
from tests.scenarios.run_revoke import Operator, raw
from tests.scenarios.run_scan import PROGRAM, scan

import etcd3  # isort: skip

pytestmark = [pytest.mark.etcd, pytest.mark.timeout(120)]

CONFIG = b'{"ttl": 30, "loop_wait": 10, "retry_timeout": 10}'
OWN = """\
[[recipe]]
name = "tasks"
match = "{root:path}/tasks/{lock}/{worker}"
holder = "lowest-create-revision"
kind = "lock"
"""


@pytest.fixture
def client(etcd: EtcdServer) -> Any:
    """A client of another library."""
    host, port = etcd.address.split(":")
    return etcd3.client(host=host, port=int(port), timeout=10)


def explained(etcd: EtcdServer, key: bytes, *flags: str) -> dict[str, Any]:
    words = [*PROGRAM, "show", key.decode(), "--explain-kind", "--format", "json", *flags]
    done = subprocess.run(
        [*words, "--endpoints", etcd.endpoint],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_stuck_leader_is_found_and_the_data_beside_it_stay_data(
    etcd: EtcdServer, client: Any, prefix: bytes
) -> None:
    """Patroni's leader was put without its lease: that alone is said, and nothing else offered."""
    place = prefix + b"service/pg/"
    for name, value in (
        (b"leader", b"node-a"),
        (b"config", CONFIG),
        (b"initialize", b"7301234567890123456"),
        (b"status", b'{"optime": 1}'),
        (b"sync", b'{"leader": "node-a"}'),
    ):
        client.put(place + name, value)
    found = scan(etcd.endpoint, prefix, "--window", "0")
    finding = found.finding("eternal-lock")

    assert (finding["severity"], finding["confidence"]) == ("critical", "proven")
    assert found.findings == ["eternal-lock"]
    assert list(found.verdicts) == [place + b"leader"]
    why = explained(etcd, place + b"leader")
    assert (why["taken_by"], why["kind"], why["kind_basis"]) == ("patroni", "election", "layout")
    assert explained(etcd, place + b"sync")["kind"] == "data"


def test_a_recipe_of_ones_own_makes_locks_of_keys(
    etcd: EtcdServer, client: Any, prefix: bytes, tmp_path: Path
) -> None:
    """With it, the oldest key holds and the other one waits; without it, both are unknown."""
    file = tmp_path / "lockdoctor.toml"
    file.write_text(OWN)
    first, second = client.lease(60), client.lease(60)
    client.put(prefix + b"tasks/mail/b", b"x", lease=first)
    client.put(prefix + b"tasks/mail/a", b"x", lease=second)
    known = scan(etcd.endpoint, prefix, "--window", "0", "--config", str(file))
    lock = known.lock(prefix + b"tasks/mail")

    assert (lock["recipe"], lock["kind"], len(lock["waiters"])) == ("tasks", "lock", 1)
    assert lock["holder"]["key"].endswith("/b")
    unknown = scan(etcd.endpoint, prefix, "--window", "0")
    assert {lock["kind"] for lock in unknown.document["locks"]} == {"unknown"}
    why = explained(etcd, prefix + b"tasks/mail/a", "--config", str(file))
    assert (why["taken_by"], why["kind_basis"]) == ("tasks", "own-recipe")


@contextmanager
def renewed(lease: Any, every_s: float = 0.5) -> Iterator[None]:
    """Renew a lease without end, as a client does whose job hangs."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(every_s):
            lease.refresh()

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def first(client: Any, folder: bytes, order: str) -> bytes | None:
    """The key that its client takes for the holder: each reads the queue and looks for itself."""
    queue = [(getattr(meta, order), meta.key) for _, meta in client.get_prefix(folder)]
    return min(queue)[1] if queue else None


@pytest.mark.parametrize(("order", "writes"), [("create_revision", "ba"), ("mod_revision", "aba")])
def test_a_leak_of_ones_own_recipe_is_revoked(
    etcd: EtcdServer, client: Any, prefix: bytes, tmp_path: Path, order: str, writes: str
) -> None:
    """The plan has its holder and who is next; then the waiter has the lock."""
    file = tmp_path / "lockdoctor.toml"
    file.write_text(OWN.replace("create-revision", order.replace("_", "-")))
    operator, folder = Operator(tmp_path, etcd.endpoint), prefix + b"tasks/mail/"
    leases = {"a": client.lease(2), "b": client.lease(2)}
    flags = ("--config", str(file), "--max-hold=1s")
    where = (b"--prefix", prefix, *flags)
    with renewed(leases["a"]), renewed(leases["b"]):
        for worker in writes:
            client.put(folder + worker.encode(), b"x", lease=leases[worker])
        found = scan(etcd.endpoint, prefix, *flags)
        assert found.lock(folder[:-1])["verdict"] == "leaked-lock"
        quarantine = operator.revoke(*where, "--how=quarantine")
        planned = operator.revoke(*where)
        assert first(client, folder, order) == folder + b"b"
        done = operator.revoke(*where, "--yes", "--verify=1s")
        eventually(lambda: first(client, folder, order) == folder + b"a", within_s=10)

    lost_place = ["loses-place"] if order == "mod_revision" else []
    assert quarantine.refused == lost_place
    (hold,) = planned.planned[0]["holds"]
    assert (raw(hold, "key"), raw(hold, "next")) == (folder + b"b", folder + b"a")
    (target,) = done.targets
    assert (done.status, target["result"]) == (0, "done")
    assert raw(target["queues"][0], "holder") == folder + b"a"
    assert target["queues"][0]["was_next"]
