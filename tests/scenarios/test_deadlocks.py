"""Deadlocks of Go's own lock client: proven, told from mere queues, gone once they are broken."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.demo.server import EtcdServer
from tests.lockers import GoClient, Locker, eventually
from tests.scenarios.scanning import Scanned, scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3


@contextmanager
def nested(go: GoClient, names: Sequence[bytes], **flags: object) -> Iterator[list[Locker]]:
    """Processes each of which holds the lock of its turn and waits for the next one's."""
    with ExitStack() as stack:
        following = [*names[1:], names[0]]
        lockers = [
            stack.enter_context(
                go.start("nest", name, then=then.decode(), pause="500ms", **{"ttl": TTL_S, **flags})
            )
            for name, then in zip(names, following, strict=True)
        ]
        for locker in lockers:
            locker.wait_for("wants")
        yield lockers


def circle_of(found: Scanned) -> dict[str, Any]:
    """The circle of the only deadlock."""
    (circle,) = (
        evidence
        for evidence in found.finding("deadlock")["evidence"]
        if evidence["kind"] == "wait-circle"
    )
    return dict(circle)


@pytest.mark.parametrize("parties", [2, 3])
def test_a_circle_of_processes_with_one_session_each(
    go: GoClient, etcd: EtcdServer, etcdctl: Path, prefix: bytes, parties: int
) -> None:
    """Who holds what and waits for what is proven; ending the named session frees the next one."""
    names = [prefix + b"lock-%d" % number for number in range(parties)]
    with nested(go, names) as lockers:
        eventually(lambda: waiters(etcd, prefix) == parties, within_s=20)
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.findings) == (1, ["deadlock"])
        finding = found.finding("deadlock")
        assert (finding["severity"], finding["confidence"]) == ("critical", "proven")
        assert found.verdicts == dict.fromkeys(names, "deadlock")
        held = [locker.wait_for("locked")[0]["lease"] for locker in lockers]
        circle = circle_of(found)
        assert {wait["waiter"] for wait in circle["ring"]} == set(held)
        assert len(circle["ring"]) == circle["sessions"] == parties
        for wait in circle["ring"]:
            holder = names[held.index(wait["behind"])].decode()
            assert (wait["waits_for"], wait["is_holder"]) == (holder, True)

        (harm,) = (each for each in finding["evidence"] if each["kind"] == "least-harm")
        end(etcd, etcdctl, harm["lease"])
        freed = lockers[held.index(harm["lease"]) - 1]
        assert len(freed.wait_for("locked", 2)) == 2
        assert "deadlock" not in scan(etcd.endpoint, prefix, "--window=0").findings


def test_locks_behind_a_leaked_one(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """A chain is no circle: the leak is the root, and what it blocks in all makes it critical."""
    names = [prefix + b"lock-%d" % number for number in range(3)]
    with (
        go.start("leak", names[0], ttl=TTL_S) as leak,
        go.start("nest", names[1], then=names[0].decode(), ttl=TTL_S) as middle,
        go.start("nest", names[2], then=names[1].decode(), ttl=TTL_S) as last,
        go.start("wait", names[2], ttl=TTL_S),
    ):
        leak.wait_for("locked")
        middle.wait_for("wants")
        last.wait_for("wants")
        eventually(lambda: waiters(etcd, prefix) == 3, within_s=20)
        found = scan(etcd.endpoint, prefix)

        assert set(found.findings) == {"suspected-leak"}
        first = found.document["findings"][0]
        assert (first["lock"], first["severity"]) == (names[0].decode(), "critical")
        assert first["confidence"] == "likely"
        assert [
            (each["level"], each["lock"], each["blocks"]) for each in found.document["blocking"]
        ] == [(0, names[0].decode(), 3), (1, names[1].decode(), None), (2, names[2].decode(), None)]


def waiters(etcd: EtcdServer, prefix: bytes) -> int:
    """Count those who wait, as one reading sees them."""
    locks = scan(etcd.endpoint, prefix, "--window=0").document["locks"]
    return sum(len(lock["waiters"]) for lock in locks)


def end(etcd: EtcdServer, etcdctl: Path, lease: str) -> None:
    """Revoke a lease, as the report advises."""
    words = [str(etcdctl), "--endpoints", etcd.endpoint, "lease", "revoke", lease]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
