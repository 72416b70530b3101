"""Another cluster behind the endpoint in the middle of a command: nothing of it is believed."""

from __future__ import annotations

import contextlib
import os
import pty
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.journal.file import FileJournal
from tests.etcd.connections import connected, watchers, writing
from tests.etcd.relay import Relay
from tests.eventually import run
from tests.factories.reports import an_intent, an_outcome
from tests.lock_clients import eventually
from tests.scenarios.run_revoke import Operator, finish
from tests.scenarios.run_scan import PROGRAM

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(120)]

PREFIX = b"/swap/"
WITHIN_S = 40.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A cluster behind a relay, and another one that is to come in its place."""

    ours: EtcdServer
    theirs: EtcdServer
    relay: Relay
    operator: Operator
    folder: Path

    @property
    def mine(self) -> int:
        """The ID of our cluster."""
        return cluster_id(self.ours)

    @property
    def other(self) -> int:
        """The ID of the other one."""
        return cluster_id(self.theirs)

    def swap(self) -> None:
        """Let the other one come."""
        self.relay.swap(self.theirs.address)

    def swap_at(self, marker: bytes) -> None:
        """Let the other one come when a request of this kind does."""
        self.relay.on_request = lambda request: self.swap() if marker in request else None

    def assert_sentence(self, text: str, *, wanted: int | None = None) -> None:
        """One line, which names the endpoint and both IDs in hex."""
        assert text.count("\n") == 1
        assert f"{self.relay.address} belongs to etcd cluster {self.other:x}," in text
        assert f"is for cluster {self.mine if wanted is None else wanted:x}." in text

    @property
    def runs(self) -> list[Any]:
        """What the history has stored."""
        path = self.folder / "lockdoctor" / "history.sqlite3"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as history:
            return history.execute("SELECT * FROM run").fetchall()


def cluster_id(server: EtcdServer) -> int:
    """The ID of a cluster."""

    async def read() -> int:
        async with connected(server.endpoint) as cluster:
            return (await cluster.status()).cluster_id

    return run(read())


def contents(server: EtcdServer) -> tuple[int, frozenset[bytes], int]:
    """All that a write would change: revision, keys, and how many leases there are."""

    async def read() -> tuple[int, frozenset[bytes], int]:
        async with connected(server.endpoint) as cluster:
            found = await cluster.keys(b"")
            listed = await cluster.leases()
            return found.revision, frozenset(key.key for key in found.keys), len(listed.lease_ids)

    return run(read())


def hold(server: EtcdServer, number: int = 2) -> None:
    """Hold some locks, the same in both clusters, down to keys, revisions and leases."""

    async def write() -> None:
        async with writing(server.address) as writer:
            for n in range(number):
                lease = 0x694D000000000001 + n
                await writer.grant(600, lease)
                await writer.put(b"%s%d/%x" % (PREFIX, n, lease), lease_id=lease)

    run(write())


@pytest.fixture
def pair(etcd_binary: Path, tmp_path: Path) -> Iterator[Pair]:
    """Two clusters with the same locks."""
    with (
        EtcdServer(tmp_path / "ours", binary=etcd_binary) as ours,
        EtcdServer(tmp_path / "theirs", binary=etcd_binary, name="other") as theirs,
        Relay(ours.address) as relay,
    ):
        for server in (ours, theirs):
            hold(server)
        yield Pair(ours, theirs, relay, Operator(tmp_path, relay.address), tmp_path)


WHERE = ("--prefix", PREFIX)
ALL = (*WHERE, "--whole-prefix", "--window=0", "--yes", "--no-history")


def test_in_the_window_of_a_scan(pair: Pair) -> None:
    """No report, nothing stored, status 3."""
    before = watchers(pair.ours)
    running = pair.operator.start(*WHERE, "--window=1h", command="scan")
    eventually(lambda: watchers(pair.ours) > before, within_s=WITHIN_S)
    pair.swap()
    found = finish(running)

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)
    assert pair.runs == []


@pytest.mark.parametrize("marker", [b"KV/Range", b"Lease/LeaseLeases", b"Watch/Watch", PREFIX])
def test_at_a_step_of_a_scan(pair: Pair, marker: bytes) -> None:
    """Wherever it comes, and though it has locks of the same names."""
    pair.swap_at(marker)
    found = finish(pair.operator.start(*WHERE, "--window=5s", command="scan"))

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)
    assert pair.runs == []


def test_behind_the_look_ups_alone(pair: Pair) -> None:
    """They have a connection of their own, the second one: the others stay where they were."""
    connections: list[bytes] = []

    def note(request: bytes) -> None:
        if request.startswith(b"PRI * HTTP/2.0"):
            connections.append(request)
            pair.relay.upstream = pair.theirs.address

    pair.relay.on_request = note
    found = finish(pair.operator.start(*WHERE, "--window=5s", command="scan"))

    assert len(connections) >= 2
    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)


def test_in_a_check(pair: Pair) -> None:
    """UNKNOWN, and the history has only the run before."""
    check = (*WHERE, "--max-hold=2s")
    assert finish(pair.operator.start(*check, command="check")).status == 0
    pair.swap_at(b"KV/Range")
    found = finish(pair.operator.start(*check, command="check"))

    assert found.status == 3
    assert found.stdout.startswith("LOCKDOCTOR UNKNOWN - ")
    assert f"{pair.relay.address} belongs to etcd cluster {pair.other:x}" in found.stdout
    pair.assert_sentence(found.stderr)
    pair.relay.on_request = lambda _: None
    assert len(pair.runs) == 1


@pytest.mark.parametrize(("command", "words"), [("show", (PREFIX + b"0",)), ("selfcheck", WHERE)])
def test_in_what_else_reads(pair: Pair, command: str, words: tuple[str | bytes, ...]) -> None:
    """No page, and no table that mixes them up."""
    pair.swap_at(b"KV/Range")
    found = finish(pair.operator.start(*words, command=command))

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)


@pytest.mark.parametrize("how", ["revoke", "release", "quarantine"])
def test_before_a_revocation_is_planned(pair: Pair, how: str) -> None:
    """No plan, nothing written anywhere."""
    before = contents(pair.ours), contents(pair.theirs)
    pair.swap_at(b"KV/Range")
    found = finish(pair.operator.start(*ALL, f"--how={how}"))

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)
    assert pair.operator.lines == []
    assert (contents(pair.ours), contents(pair.theirs)) == before


@pytest.mark.parametrize(
    ("how", "marker", "result"),
    [
        ("revoke", b"KV/Txn", "unknown"),
        ("revoke", b"Lease/LeaseRevoke", "unknown"),
        ("release", b"KV/Txn", "unknown"),
        ("quarantine", b"KV/Txn", "unknown"),
    ],
)
def test_when_a_write_is_on_its_way(pair: Pair, how: str, marker: bytes, result: str) -> None:
    """The journal gets its outcome, the report is given, and the next target is not touched."""
    before = contents(pair.theirs)
    pair.swap_at(marker)
    found = finish(pair.operator.start("--format=json", *ALL, f"--how={how}"))

    assert found.status == 3
    pair.assert_sentence(found.stderr.splitlines(keepends=True)[-1])
    assert [target["result"] for target in found.targets] == [result]
    assert found.document["treatment"]["untouched"] == 1
    assert [line["line"] for line in pair.operator.lines] == ["intent", "outcome"]
    assert pair.operator.lines[1]["result"] == result
    assert contents(pair.theirs) == before


@pytest.mark.parametrize("how", ["revoke", "release"])
def test_right_before_a_write(pair: Pair, how: str) -> None:
    """The read before it shows another cluster: nothing was sent, and the journal says so."""
    before = contents(pair.ours), contents(pair.theirs)
    pair.swap_at(b"Lease/LeaseTimeToLive")
    found = finish(pair.operator.start("--format=json", *ALL, f"--how={how}"))

    assert found.status == 3
    pair.assert_sentence(found.stderr.splitlines(keepends=True)[-1])
    assert [target["result"] for target in found.targets] == ["failed"]
    assert [line.get("result") for line in pair.operator.lines] == [None, "failed"]
    assert (contents(pair.ours), contents(pair.theirs)) == before


def test_right_before_the_lease_of_a_quarantine(pair: Pair) -> None:
    """Not even that is granted, and nothing was to be written down yet."""
    before = contents(pair.ours), contents(pair.theirs)
    pair.swap_at(b"Lease/LeaseTimeToLive")
    found = finish(pair.operator.start("--format=json", *ALL, "--how=quarantine"))

    assert (found.status, found.stdout, pair.operator.lines) == (3, "", [])
    pair.assert_sentence(found.stderr)
    assert (contents(pair.ours), contents(pair.theirs)) == before


def test_between_two_targets(pair: Pair) -> None:
    """What was done is reported; then it ends."""
    before = contents(pair.theirs)
    running = pair.operator.start("--format=json", *ALL, "--pause=3s")
    assert running.stderr is not None
    assert "1 of 2" in running.stderr.readline()
    pair.swap()
    found = finish(running)

    assert found.status == 3
    pair.assert_sentence(found.stderr)
    assert [target["result"] for target in found.targets] == ["done"]
    assert f"belongs to etcd cluster {pair.other:x}" in found.document["treatment"]["stopped"]
    assert [line["line"] for line in pair.operator.lines] == ["intent", "outcome"]
    assert contents(pair.theirs) == before


def test_while_it_watches_for_a_relapse(pair: Pair) -> None:
    """What was done is reported; of a relapse nothing is said."""
    running = pair.operator.start("--format=json", *ALL, "--pause=0s", "--verify=1m")
    assert running.stderr is not None
    while "watching for" not in running.stderr.readline():
        pass
    pair.swap()
    found = finish(running)

    assert found.status == 3
    pair.assert_sentence(found.stderr)
    assert [target["result"] for target in found.targets] == ["done", "done"]
    assert found.document["treatment"]["relapses"] == []


def test_a_saved_plan_of_another_cluster(pair: Pair) -> None:
    """Its sentence says that it is the plan's."""
    plan = pair.folder / "plan.json"
    words = (*WHERE, "--whole-prefix", "--window=0", "--no-history")
    assert finish(pair.operator.start(*words, "--plan", str(plan))).status == 0
    before = contents(pair.theirs)
    pair.relay.upstream = pair.theirs.address
    found = finish(pair.operator.start("--from-plan", str(plan), "--yes"))

    assert found.status == 3
    pair.assert_sentence(found.stderr)
    assert "but the plan is for cluster" in found.stderr
    assert (pair.operator.lines, contents(pair.theirs)) == ([], before)


def quarantined(pair: Pair) -> str:
    """Put the locks into quarantine, and name an entry of it."""
    done = pair.operator.revoke(*ALL, "--how=quarantine", "--quarantine-for=10m")
    assert done.status == 0
    return str(done.targets[0]["entry"])


def test_in_an_undo(pair: Pair) -> None:
    """The journal gets its outcome; once the right cluster is back, it can be completed."""
    entry = quarantined(pair)
    before, lines = contents(pair.theirs), len(pair.operator.lines)
    pair.swap_at(b"KV/Txn")
    found = pair.operator.revoke("--undo", entry)

    assert (found.status, found.document["result"]) == (3, "unknown")
    pair.assert_sentence(found.stderr)
    assert [line["line"] for line in pair.operator.lines[lines:]] == ["intent", "outcome"]
    assert contents(pair.theirs) == before

    pair.relay.on_request = lambda _: None
    pair.relay.upstream = pair.ours.address
    assert pair.operator.revoke("--undo", entry).status == 0


def test_an_undo_in_another_cluster(pair: Pair) -> None:
    """It is refused before anything is read of the keys."""
    entry = quarantined(pair)
    before, lines = contents(pair.theirs), pair.operator.lines
    pair.relay.upstream = pair.theirs.address
    found = pair.operator.revoke("--undo", entry)

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)
    assert f"but entry {entry} of the journal is for cluster" in found.stderr
    assert (pair.operator.lines, contents(pair.theirs)) == (lines, before)


def revoked(pair: Pair) -> str:
    """Revoke the locks, and name an entry of it."""
    done = pair.operator.revoke(*ALL)
    assert done.status == 0
    return str(done.targets[0]["entry"])


@pytest.mark.parametrize("marker", [b"KV/Range", b"Lease/LeaseTimeToLive", b"KV/Txn"])
def test_in_a_restore(pair: Pair, marker: bytes) -> None:
    """A key and its value never go to another cluster."""
    entry = revoked(pair)
    before, lines = contents(pair.theirs), len(pair.operator.lines)
    pair.swap_at(marker)
    found = finish(pair.operator.start(entry, "--yes", command="journal restore"))

    assert found.status == 3
    pair.assert_sentence(found.stderr)
    written = [line["line"] for line in pair.operator.lines[lines:]]
    assert written == ([] if marker == b"KV/Range" else ["intent", "outcome"])
    assert contents(pair.theirs) == before


def test_while_a_restore_asks(pair: Pair) -> None:
    """It was planned in ours: the connection that would write finds another one."""
    entry = revoked(pair)
    before, lines = contents(pair.theirs), pair.operator.lines
    ours, theirs = pty.openpty()
    words = ("journal", "restore", entry, "--endpoints", pair.relay.address)
    with subprocess.Popen(
        [*PROGRAM, *words, "--journal", str(pair.operator.journal)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"COLUMNS": "200"},
    ) as process:
        os.close(theirs)
        screen = b""
        while not screen.endswith(b"Anything else cancels: "):
            screen += os.read(ours, 1000)
        pair.swap()
        os.write(ours, screen.rpartition(b"Type ")[2].split()[0] + b"\n")
        process.communicate(timeout=WITHIN_S)
        screen = os.read(ours, 10_000)
    os.close(ours)

    assert process.returncode == 3
    pair.assert_sentence(screen.decode().partition("\r\n")[2])
    assert (pair.operator.lines, contents(pair.theirs)) == (lines, before)


def test_an_entry_that_another_cluster_wrote(pair: Pair) -> None:
    """The journal says of which cluster it is."""
    journal = FileJournal(pair.operator.journal)
    journal.write(an_intent("e1", cluster_id=pair.mine))
    journal.write(an_outcome("e1"))
    pair.relay.upstream = pair.theirs.address
    found = finish(pair.operator.start("e1", "--yes", command="journal restore"))

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr)


def test_an_endpoint_that_comes_up_as_another_cluster(pair: Pair) -> None:
    """A2: B is down at first and another cluster later; A dies in the run."""
    both = f"{pair.ours.address},{pair.relay.address}"
    pair.relay.swap("127.0.0.1:1")
    before = watchers(pair.ours), contents(pair.theirs)
    mine = pair.mine
    running = Operator(pair.folder, both).start(*WHERE, "--window=1h", command="scan")
    eventually(lambda: watchers(pair.ours) > before[0], within_s=WITHIN_S)
    pair.relay.upstream = pair.theirs.address
    pair.ours.kill()
    found = finish(running)

    assert (found.status, found.stdout) == (3, "")
    pair.assert_sentence(found.stderr, wanted=mine)
    assert contents(pair.theirs) == before[1]


def test_another_cluster_on_the_same_port(etcd_binary: Path, tmp_path: Path) -> None:
    """Etcd is ended and another one started in its place, with another token."""
    ours = EtcdServer(tmp_path / "ours", binary=etcd_binary)
    theirs = EtcdServer(
        tmp_path / "theirs", binary=etcd_binary, flags=("--initial-cluster-token", "other")
    )
    theirs.client_port = ours.client_port
    with ours:
        hold(ours)
        mine, before = cluster_id(ours), watchers(ours)
        operator = Operator(tmp_path, ours.address)
        running = operator.start(*WHERE, "--window=1h", command="scan")
        eventually(lambda: watchers(ours) > before, within_s=WITHIN_S)
        ours.kill()
        with theirs:
            hold(theirs)
            found = finish(running)
            other = cluster_id(theirs)

    assert (found.status, found.stdout) == (3, "")
    assert found.stderr.count("\n") == 1
    assert f"{ours.address} belongs to etcd cluster {other:x}" in found.stderr
    assert f"is for cluster {mine:x}" in found.stderr
