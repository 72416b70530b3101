"""Deadlocks of Go's own lock client: proven, told from mere queues, gone once they are broken."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient, Locker, eventually
from tests.scenarios.run_scan import scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3


@contextmanager
def nested(go: GoClient, names: Sequence[bytes]) -> Iterator[list[Locker]]:
    """Processes each of which holds the lock of its turn and waits for the next one's."""
    with ExitStack() as stack:
        lockers = []
        for name, then in zip(names, [*names[1:], names[0]], strict=True):
            words = {"then": then.decode(), "on_signal": True, "ttl": TTL_S}
            lockers.append(stack.enter_context(go.start("nest", name, **words)))
        for locker in lockers:
            locker.wait_for("locked")
        for locker in lockers:
            locker.go_on()
        for locker in lockers:
            locker.wait_for("wants")
        yield lockers


def the_locks(prefix: bytes, parties: int) -> list[bytes]:
    return [prefix + b"lock-%d" % number for number in range(parties)]


def of_kind(finding: dict[str, Any], kind: str) -> dict[str, Any]:
    """The only evidence of a kind."""
    (found,) = (each for each in finding["evidence"] if each["kind"] == kind)
    return dict(found)


def test_circles_of_processes_with_one_session_each(
    go: GoClient, etcd: EtcdServer, etcdctl: Path, prefix: bytes
) -> None:
    """
    Two and three processes, each with one session, hold what the next one wants.

    It is proven who holds what and waits for what; ending the named session frees the next one.
    """
    rings = {parties: the_locks(prefix + b"%d/" % parties, parties) for parties in (2, 3)}
    with nested(go, rings[2]) as two, nested(go, rings[3]) as three:
        eventually(lambda: waiters(etcd, prefix) == 5, within_s=20)
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.findings) == (1, ["deadlock"] * 2)
        assert found.verdicts == dict.fromkeys(rings[2] + rings[3], "deadlock")
        for finding in found.document["findings"]:
            circle = of_kind(finding, "wait-circle")
            parties = len(circle["ring"])
            lockers = {2: two, 3: three}[parties]
            held = [locker.wait_for("locked")[0]["lease"] for locker in lockers]

            assert (finding["severity"], finding["confidence"]) == ("critical", "proven")
            assert {wait["waiter"] for wait in circle["ring"]} == set(held)
            for wait in circle["ring"]:
                name = rings[parties][held.index(wait["behind"])].decode()
                assert (wait["waits_for"], wait["is_holder"]) == (name, True)

            named = of_kind(finding, "least-harm")["lease"]
            end(etcd, etcdctl, named)
            assert len(lockers[held.index(named) - 1].wait_for("locked", 2)) == 2
        assert "deadlock" not in scan(etcd.endpoint, prefix, "--window=0").findings


def test_locks_behind_a_leaked_one(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """A chain is no circle: the leak is the root, and what it blocks in all makes it critical."""
    names = the_locks(prefix, 3)
    with ExitStack() as stack:
        stack.enter_context(go.start("leak", names[0], ttl=TTL_S)).wait_for("locked")
        for name, then in zip(names[1:], names, strict=False):
            words = {"then": then.decode(), "ttl": TTL_S}
            stack.enter_context(go.start("nest", name, **words)).wait_for("wants")
        stack.enter_context(go.start("wait", names[2], ttl=TTL_S))
        eventually(lambda: waiters(etcd, prefix) == 3, within_s=20)
        found = scan(etcd.endpoint, prefix, "--max-hold=3s")

        assert found.findings == ["leaked-lock"] * 3
        first, *others = found.document["findings"]
        assert (first["lock"], first["severity"]) == (names[0].decode(), "critical")
        assert of_kind(first, "blocks")["locks"] == 2
        assert {of_kind(other, "holder-waits")["lock"] for other in others} == {
            name.decode() for name in names[:2]
        }
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
