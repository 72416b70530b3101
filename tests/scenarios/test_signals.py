"""Ctrl-C, SIGTERM and a lost terminal at each step: the outcome is written down, then 130."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lockdoctor.cli.runtime.signals import NUMBERS
from lockdoctor.demo.etcd_server import EtcdServer
from tests.etcd.connections import connected, watchers, writing
from tests.etcd.relay import Relay
from tests.eventually import run
from tests.lock_clients import eventually
from tests.scenarios.run_revoke import Operator, Run, finish
from tests.scenarios.run_scan import PROGRAM

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(120)]

WITHIN_S = 40.0
SOON_S = 5.0
"""Much less than what a write without an answer is looked up for."""

signals = pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)


class Gate:
    """Holds back a request of some kind until it is opened."""

    def __init__(self, relay: Relay, marker: bytes) -> None:
        """Close it."""
        self.opened = threading.Event()
        self._reached = threading.Event()
        self._marker = marker
        relay.on_request = self._pass

    def wait(self) -> None:
        """Wait until such a request has come."""
        assert self._reached.wait(WITHIN_S)

    def _pass(self, request: bytes) -> None:
        if self._marker in request:
            self._reached.set()
            self.opened.wait(WITHIN_S)


@pytest.fixture
def relay(etcd: EtcdServer) -> Iterator[Relay]:
    """What lies between lockdoctor and etcd."""
    with Relay(etcd.address) as relay:
        yield relay


@pytest.fixture
def operator(relay: Relay, tmp_path: Path) -> Operator:
    """Somebody who works through the relay."""
    return Operator(tmp_path, relay.address)


def hold(server: EtcdServer, prefix: bytes, number: int = 2) -> None:
    """Hold some locks."""

    async def write() -> None:
        async with writing(server.address) as writer:
            for n in range(number):
                lease = await writer.grant(600)
                await writer.put(b"%s%d/%x" % (prefix, n, lease), lease_id=lease)

    run(write())


def held(server: EtcdServer, prefix: bytes) -> int:
    """Count the locks that are held."""

    async def read() -> int:
        async with connected(server.endpoint) as cluster:
            return len((await cluster.keys(prefix)).keys)

    return run(read())


def below(prefix: bytes) -> tuple[str | bytes, ...]:
    return ("--prefix", prefix, "--whole-prefix", "--window=0", "--no-history")


def signalled(
    running: subprocess.Popen[str], gate: Gate, number: signal.Signals, *, times: int = 1
) -> Run:
    """Send a signal while a request is held back, and open the gate unless it came twice."""
    gate.wait()
    running.send_signal(number)
    time.sleep(0.3)  # or it is taken in after the answer
    if times == 1:
        gate.opened.set()
        return finish(running)
    began_at = time.monotonic()
    running.send_signal(number)
    try:
        found = finish(running)
    finally:
        gate.opened.set()
    assert time.monotonic() - began_at < SOON_S
    return found


@signals
def test_in_the_window_of_a_scan(
    etcd: EtcdServer, operator: Operator, prefix: bytes, number: signal.Signals
) -> None:
    """The report of what was seen until then."""
    hold(etcd, prefix)
    before = watchers(etcd)
    running = operator.start(
        "--prefix", prefix, "--window=1h", "--format=json", "--no-history", command="scan"
    )
    eventually(lambda: watchers(etcd) > before, within_s=WITHIN_S)
    running.send_signal(number)
    found = finish(running)

    assert (found.status, found.stderr) == (130, "")
    assert len(found.document["locks"]) == 2
    name = "Ctrl-C" if number is signal.SIGINT else number.name
    assert found.document["run"]["interrupted"] == name


@signals
@pytest.mark.parametrize(
    ("command", "words", "says"),
    [
        ("scan", ("--prefix", "{}", "--window=0", "--no-history"), "2 locks"),
        ("check", ("--prefix", "{}"), "LOCKDOCTOR "),
        ("show", ("{}0", "--window=0", "--no-history"), "{}0"),
        ("selfcheck", ("--prefix", "{}"), "not tried: ended by "),
    ],
)
def test_while_something_is_read(
    etcd: EtcdServer,
    relay: Relay,
    operator: Operator,
    prefix: bytes,
    command: str,
    words: tuple[str, ...],
    says: str,
    number: signal.Signals,
) -> None:
    """The step is finished, and what was seen is reported."""
    hold(etcd, prefix)
    gate = Gate(relay, b"KV/Range")
    given = [word.format(prefix.decode()) for word in words]
    found = signalled(operator.start(*given, command=command), gate, number)

    assert (found.status, found.stderr) == (130, "")
    assert says.format(prefix.decode()) in found.stdout


@signals
def test_before_a_revocation_is_planned(
    etcd: EtcdServer, relay: Relay, operator: Operator, prefix: bytes, number: signal.Signals
) -> None:
    """Nothing was written, and that is said."""
    hold(etcd, prefix)
    gate = Gate(relay, b"KV/Range")
    found = signalled(operator.start(*below(prefix), "--yes"), gate, number)

    assert (found.status, found.stdout) == (130, "")
    assert found.stderr == "lockdoctor: Interrupted while planning. etcd was not changed.\n"
    assert (held(etcd, prefix), operator.lines) == (2, [])


WRITES = [
    ("revoke", b"KV/Txn"),
    ("revoke", b"Lease/LeaseRevoke"),
    ("release", b"KV/Txn"),
    ("quarantine", b"Lease/LeaseGrant"),
    ("quarantine", b"KV/Txn"),
]


@pytest.mark.parametrize(
    ("how", "marker", "number"),
    [
        *(("revoke", b"Lease/LeaseTimeToLive", number) for number in NUMBERS),
        *(("revoke", b"KV/Txn", number) for number in NUMBERS),
        *((*write, signal.SIGHUP) for write in WRITES[1:]),
    ],
)
def test_before_and_in_a_write(
    etcd: EtcdServer,
    relay: Relay,
    operator: Operator,
    prefix: bytes,
    how: str,
    marker: bytes,
    number: signal.Signals,
) -> None:
    """The current target is finished, with its outcome in the journal; the next is not begun."""
    hold(etcd, prefix)
    gate = Gate(relay, marker)
    running = operator.start("--format=json", *below(prefix), "--yes", f"--how={how}")
    found = signalled(running, gate, number)

    assert found.status == 130
    assert [target["result"] for target in found.targets] == ["done"]
    assert found.document["treatment"]["untouched"] == 1
    assert [line.get("result") for line in operator.lines] == [None, "done"]


@pytest.mark.parametrize(
    ("how", "marker", "number"),
    [
        *((*WRITES[0], number) for number in NUMBERS),
        *((*write, signal.SIGINT) for write in WRITES[1:]),
    ],
)
def test_twice_in_a_write(
    etcd: EtcdServer,
    relay: Relay,
    operator: Operator,
    prefix: bytes,
    how: str,
    marker: bytes,
    number: signal.Signals,
) -> None:
    """No answer is waited for: the outcome in the journal is that it is not known."""
    hold(etcd, prefix)
    gate = Gate(relay, marker)
    running = operator.start("--format=json", *below(prefix), "--yes", f"--how={how}")
    found = signalled(running, gate, number, times=2)

    assert found.status == 130
    is_early = marker == b"Lease/LeaseGrant"  # of a lease that ends by itself
    assert [target["result"] for target in found.targets] == ([] if is_early else ["unknown"])
    written = [line.get("result") for line in operator.lines]
    assert written == ([] if is_early else [None, "unknown"])


def test_twice_before_a_write(
    etcd: EtcdServer, relay: Relay, operator: Operator, prefix: bytes, tmp_path: Path
) -> None:
    """A server that accepts and never answers: no run ends without a word."""
    hold(etcd, prefix)
    plan = tmp_path / "plan.json"
    assert finish(operator.start(*below(prefix), "--plan", str(plan))).status == 0
    gate = Gate(relay, b"Maintenance/Status")
    running = operator.start("--from-plan", str(plan), "--yes")
    found = signalled(running, gate, signal.SIGINT, times=2)

    assert found.status == 130
    assert "To check whether etcd was changed: `lockdoctor journal`" in found.stderr
    assert (operator.lines, held(etcd, prefix)) == ([], 2)


@signals
def test_between_two_targets(
    etcd: EtcdServer, operator: Operator, prefix: bytes, number: signal.Signals
) -> None:
    """What was done is reported; the pause is not waited for."""
    hold(etcd, prefix, 3)
    running = operator.start("--format=json", *below(prefix), "--yes", "--pause=1m")
    assert running.stderr is not None
    assert "1 of 3" in running.stderr.readline()
    running.send_signal(number)
    found = finish(running)

    assert found.status == 130
    assert [target["result"] for target in found.targets] == ["done"]
    assert (held(etcd, prefix), len(operator.lines)) == (2, 2)


@signals
def test_while_it_watches_for_a_relapse(
    etcd: EtcdServer, operator: Operator, prefix: bytes, number: signal.Signals
) -> None:
    """What was done is reported."""
    hold(etcd, prefix)
    running = operator.start("--format=json", *below(prefix), "--yes", "--pause=0s", "--verify=1h")
    assert running.stderr is not None
    while "watching for" not in running.stderr.readline():
        pass
    running.send_signal(number)
    found = finish(running)

    assert found.status == 130
    assert [target["result"] for target in found.targets] == ["done", "done"]


def quarantined(operator: Operator, prefix: bytes) -> str:
    """Put a lock into quarantine, and name the entry."""
    done = operator.revoke(*below(prefix), "--yes", "--how=quarantine", "--quarantine-for=10m")
    assert done.status == 0
    return str(done.targets[0]["entry"])


@signals
@pytest.mark.parametrize("times", [1, 2])
def test_in_an_undo(
    etcd: EtcdServer,
    relay: Relay,
    operator: Operator,
    prefix: bytes,
    times: int,
    number: signal.Signals,
) -> None:
    """It comes to its end, or is not waited for; the journal has its outcome."""
    hold(etcd, prefix, 1)
    entry = quarantined(operator, prefix)
    gate = Gate(relay, b"KV/Txn")
    running = operator.start("--format=json", "--undo", entry)
    found = signalled(running, gate, number, times=times)

    result = "done" if times == 1 else "unknown"
    assert (found.status, found.document["result"]) == (130, result)
    assert [line.get("result") for line in operator.lines][2:] == [None, result]


@signals
def test_before_the_first_write_of_an_undo(
    etcd: EtcdServer, relay: Relay, operator: Operator, prefix: bytes, number: signal.Signals
) -> None:
    """Nothing is put back, and nothing written down."""
    hold(etcd, prefix, 1)
    entry = quarantined(operator, prefix)
    gate = Gate(relay, b"KV/Range")
    found = signalled(operator.start("--format=json", "--undo", entry), gate, number)

    assert (found.status, found.document["result"]) == (130, "failed")
    assert len(operator.lines) == 2


@signals
@pytest.mark.parametrize("times", [1, 2])
def test_in_a_restore(
    etcd: EtcdServer,
    relay: Relay,
    operator: Operator,
    prefix: bytes,
    times: int,
    number: signal.Signals,
) -> None:
    """The key that is being put back is finished, or not waited for; the other is left."""

    async def write() -> str:
        async with writing(etcd.address) as writer:
            lease = await writer.grant(600)
            await writer.put(b"%s0/%x" % (prefix, lease), lease_id=lease)
            await writer.put(prefix + b"config", b"value", lease)
        return f"{lease:x}"

    done = operator.revoke(run(write()), *below(prefix)[:2], "--window=0", *FORCED)
    assert done.status == 0
    entry = done.targets[0]["entry"]
    gate = Gate(relay, b"KV/Txn")
    running = operator.start(entry, "--yes", command="journal restore")
    found = signalled(running, gate, number, times=times)

    assert found.status == 130
    assert f"Restored {2 - times} of 2 keys" in found.stdout
    written = [line.get("result") for line in operator.lines[2:]]
    assert written == [None, "partly" if times == 1 else "unknown"]


FORCED = ("--even-if-healthy", "--yes", "--no-history")


def at_a_terminal(
    words: Sequence[str | bytes],
    until: bytes,
    then: Callable[[subprocess.Popen[bytes], int], object],
    state: Path,
    stdout: int | None = None,
) -> tuple[int, bytes]:
    """Run at a terminal of its own, do something once it shows some text; status and screen."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*PROGRAM, *words],
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env=os.environ | {"XDG_STATE_HOME": str(state), "COLUMNS": "100", "TERM": "xterm"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no threads there
    )
    os.close(theirs)
    screen, is_done, deadline = b"", False, time.monotonic() + WITHIN_S
    try:
        while running.poll() is None and time.monotonic() < deadline:
            if not is_done and until in screen:
                then(running, ours)
                is_done = True
            try:
                if select.select([ours], [], [], 0.1)[0]:
                    screen += os.read(ours, 65536)
            except OSError:  # nobody is at the other end, or we have hung up
                time.sleep(0.05)
        with contextlib.suppress(OSError):  # what it said last
            while select.select([ours], [], [], 0.1)[0]:
                screen += os.read(ours, 65536)
        return running.wait(WITHIN_S), screen
    finally:
        running.kill()
        running.wait()


def send(number: signal.Signals) -> Callable[[subprocess.Popen[bytes], int], object]:
    return lambda running, _: running.send_signal(number)


@signals
def test_at_the_question(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path, number: signal.Signals
) -> None:
    """Nothing was done, and that is said."""
    hold(etcd, prefix, 1)
    words = ["revoke", "--endpoints", etcd.endpoint, *below(prefix)]
    status, screen = at_a_terminal(words, b"Anything else cancels: ", send(number), tmp_path)

    assert (status, held(etcd, prefix)) == (130, 1)
    assert b"Interrupted. etcd was not changed." in screen
    assert b"Traceback" not in screen


@signals
def test_at_the_question_of_a_restore(
    etcd: EtcdServer, operator: Operator, prefix: bytes, tmp_path: Path, number: signal.Signals
) -> None:
    """Nothing was put back, and that is said."""
    hold(etcd, prefix, 1)
    entry = operator.revoke(*below(prefix), "--yes").targets[0]["entry"]
    where = ("--endpoints", etcd.endpoint, "--journal", str(operator.journal))
    words = ["journal", "restore", entry, *where]
    status, screen = at_a_terminal(words, b"Anything else cancels: ", send(number), tmp_path)

    assert (status, held(etcd, prefix)) == (130, 0)
    assert b"etcd was not changed" in screen


@signals
def test_at_the_question_for_a_password(
    etcd: EtcdServer, tmp_path: Path, number: signal.Signals
) -> None:
    """The terminal shows again what is typed."""
    echoes: list[bool] = []

    def then(running: subprocess.Popen[bytes], ours: int) -> None:
        eventually(lambda: not termios.tcgetattr(ours)[3] & termios.ECHO, within_s=5)
        running.send_signal(number)
        running.wait(WITHIN_S)
        echoes.append(bool(termios.tcgetattr(ours)[3] & termios.ECHO))

    words = ["scan", "--endpoints", etcd.endpoint, "--user", "ops", "--prefix", "/l/"]
    status, screen = at_a_terminal(words, b"Password of", then, tmp_path)

    assert (status, echoes) == (130, [True])
    assert b"Traceback" not in screen


def hang_up(_: subprocess.Popen[bytes], ours: int) -> None:
    """Close the terminal, as a dropped SSH session does: the kernel sends SIGHUP."""
    os.close(ours)


def test_a_dropped_session_leaves_the_report_in_its_file(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """The progress bar has no terminal any more, which keeps nobody from the report."""
    hold(etcd, prefix)
    report = tmp_path / "report.json"
    words = ("scan", "--endpoints", etcd.endpoint, "--prefix", prefix, "--window=1h")
    with report.open("wb") as out:
        status, _ = at_a_terminal(
            (*words, "--format=json"), b"decided", hang_up, tmp_path, stdout=out.fileno()
        )

    assert status == 130
    assert b'"interrupted": "SIGHUP"' in report.read_bytes()


def test_a_dropped_session_in_a_treatment(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> None:
    """The report has nowhere to go; the journal has the outcome, and the status is 130."""
    hold(etcd, prefix, 3)
    words = ["revoke", "--endpoints", etcd.endpoint, *below(prefix), "--yes", "--pause=1m"]
    status, _ = at_a_terminal(words, b"lockdoctor: 1 of 3", hang_up, tmp_path)

    lines = (tmp_path / "lockdoctor" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert (status, held(etcd, prefix), len(lines)) == (130, 2, 2)
    assert '"done"' in lines[1]


def test_under_nohup_a_dropped_session_is_no_news(
    etcd: EtcdServer, operator: Operator, prefix: bytes
) -> None:
    """Who asked for it to go on gets the whole report."""
    hold(etcd, prefix)
    before = watchers(etcd)
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which is inherited
    try:
        running = operator.start(
            "--prefix", prefix, "--window=3s", "--format=json", "--no-history", command="scan"
        )
    finally:
        signal.signal(signal.SIGHUP, handler)
    eventually(lambda: watchers(etcd) > before, within_s=WITHIN_S)
    running.send_signal(signal.SIGHUP)
    found = finish(running)

    assert found.status in {0, 1}
    assert found.document["run"]["interrupted"] is None
