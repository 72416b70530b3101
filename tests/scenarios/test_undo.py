"""A quarantine of many keys that kill -9 ends between two writes, on a real etcd."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.ports import MAX_KEYS_PER_WRITE
from tests.etcd.connections import connected, writing
from tests.etcd.relay import Relay
from tests.eventually import run
from tests.scenarios.run_revoke import Operator, Run

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(120)]

NUMBER = 100
WITHIN_S = 40.0


class Session:
    """A session that holds many locks."""

    def __init__(self, server: EtcdServer, prefix: bytes) -> None:
        """Take them."""
        self.server = server
        self.prefix = prefix
        self.lease = run(self._take())

    async def _take(self) -> int:
        async with writing(self.server.address) as writer:
            lease = await writer.grant(600)
            for n in range(NUMBER):
                await writer.put(self.key(n, lease), b"", lease)
        return lease

    def key(self, number: int, lease: int | None = None) -> bytes:
        """The key of one of its locks."""
        return b"%s%03d/%x" % (self.prefix, number, lease or self.lease)

    @property
    def moved(self) -> int:
        """How many of its keys are not on its lease; none may be missing."""

        async def read() -> int:
            async with connected(self.server.endpoint) as cluster:
                keys = (await cluster.keys(self.prefix)).keys
            assert len(keys) == NUMBER
            return sum(key.lease_id != self.lease for key in keys)

        return run(read())


@pytest.fixture
def session(etcd: EtcdServer, prefix: bytes) -> Session:
    """A session."""
    return Session(etcd, prefix)


@pytest.fixture
def relay(etcd: EtcdServer) -> Iterator[Relay]:
    """What lies between lockdoctor and etcd."""
    with Relay(etcd.address) as relay:
        yield relay


@pytest.fixture
def operator(relay: Relay, tmp_path: Path) -> Operator:
    """Somebody who works through the relay."""
    return Operator(tmp_path, relay.address)


def quarantine(session: Session) -> tuple[str | bytes, ...]:
    """The words that put all its holds into quarantine."""
    where = (f"{session.lease:x}", "--prefix", session.prefix, "--window=0", "--no-history")
    return (*where, "--even-if-healthy", "--how=quarantine", "--quarantine-for=10m", "--yes")


def killed(operator: Operator, relay: Relay, key: bytes, *words: str | bytes) -> None:
    """Run, and kill -9 it when a guarded write of this key is on its way, which never arrives."""
    reached = threading.Event()

    def hold_back(request: bytes) -> None:
        if request.count(key) > 1:  # a read has it once, a guard compares it three times
            reached.set()
            raise ConnectionAbortedError

    relay.on_request = hold_back
    running = operator.start(*words)
    assert reached.wait(WITHIN_S)
    running.kill()
    running.communicate(timeout=WITHIN_S)
    relay.on_request = lambda _: None


def undo(operator: Operator) -> Run:
    """Undo the first entry of the journal."""
    return operator.revoke("--undo", operator.lines[0]["entry"])


@pytest.mark.parametrize("batch", [0, 1, 2])
def test_an_undo_that_was_killed_is_completed(
    operator: Operator, relay: Relay, session: Session, batch: int
) -> None:
    """What is back is left alone, and is no sign of life of anybody."""
    assert operator.revoke(*quarantine(session)).status == 0
    entry = operator.lines[0]["entry"]
    killed(operator, relay, session.key(MAX_KEYS_PER_WRITE * batch), "--undo", entry)
    assert session.moved == NUMBER - MAX_KEYS_PER_WRITE * batch
    assert operator.lines[-1]["line"] == "intent"

    completed, again = undo(operator), undo(operator)

    assert (completed.status, completed.document["result"]) == (0, "done")
    assert completed.document["changed"] == []
    assert (again.status, again.document["result"]) == (0, "already-gone")
    assert session.moved == 0


def test_a_quarantine_that_was_killed_is_undone(
    operator: Operator, relay: Relay, session: Session
) -> None:
    """The keys that never left are left alone."""
    killed(operator, relay, session.key(MAX_KEYS_PER_WRITE), *quarantine(session))
    assert session.moved == MAX_KEYS_PER_WRITE

    assert undo(operator).status == 0

    assert session.moved == 0
