"""The question at a terminal, and Ctrl-C in the middle of a treatment."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.etcd.connections import connected, watchers, writing
from tests.eventually import run
from tests.lock_clients import eventually
from tests.scenarios.run_revoke import Operator, finish
from tests.scenarios.run_scan import PROGRAM

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(120)]

WITHIN_S = 40.0


def take(server: EtcdServer, prefix: bytes, number: int) -> None:
    """Hold some locks, each with a session of its own."""

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


def answered(
    server: EtcdServer, prefix: bytes, answer: bytes, state: Path, *, early: bytes = b""
) -> tuple[int, str]:
    """Run at a terminal of 80 columns, and answer the question; return status and screen."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [
            *(*PROGRAM, "revoke", "--endpoints", server.endpoint),
            *(b"--prefix", prefix, "--whole-prefix", "--window=0"),
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"XDG_STATE_HOME": str(state), "COLUMNS": "80", "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, early)
    screen, has_answered, deadline = b"", False, time.monotonic() + WITHIN_S
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    read = os.read(ours, 65536)
                except OSError:  # how Linux says that nobody is at the other end any more
                    break
                if not read:
                    break
                screen += read
            if not has_answered and b"Anything else cancels: " in screen:
                os.write(ours, answer)
                has_answered = True
        return running.wait(WITHIN_S), screen.decode()
    finally:
        running.kill()
        running.wait()
        os.close(ours)


def test_a_bare_yes_changes_nothing(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> None:
    """The question names the locks and what to type; anything else cancels."""
    take(etcd, prefix, 2)
    status, screen = answered(etcd, prefix, b"y\n", tmp_path)

    assert (status, held(etcd, prefix)) == (0, 2)
    assert "Canceled: you typed 'y', not '2'. etcd was not changed." in screen
    assert f"revoke {prefix.decode()}0, lease " in screen
    assert not (tmp_path / "lockdoctor" / "journal.jsonl").exists()


def test_the_right_answer_carries_the_plan_out(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """Two targets: whoever has read the plan types 2."""
    take(etcd, prefix, 2)
    status, screen = answered(etcd, prefix, b"2\n", tmp_path)

    assert (status, held(etcd, prefix)) == (0, 0)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen)
    assert "2 of 2 targets done." in plain
    assert all(len(line) <= 80 for line in plain.split("Anything else", 1)[1].splitlines()[1:])


def test_what_was_typed_before_the_question_is_no_answer(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """Enter, or a number, while the scan still ran."""
    take(etcd, prefix, 2)
    status, screen = answered(etcd, prefix, b"n\n", tmp_path, early=b"2\n")

    assert (status, held(etcd, prefix)) == (0, 2)
    assert "Canceled: you typed 'n', not '2'." in screen


def test_no_answer_changes_nothing(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> None:
    """Ctrl-D ends the input: nobody has agreed to anything."""
    take(etcd, prefix, 1)
    status, screen = answered(etcd, prefix, b"\x04", tmp_path)

    assert (status, held(etcd, prefix)) == (0, 1)
    assert "Traceback" not in screen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_before_there_is_a_plan(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path, number: signal.Signals
) -> None:
    """Whoever ends it while it still looks is told that nothing was written."""
    take(etcd, prefix, 1)
    before = watchers(etcd)
    operator = Operator(tmp_path, etcd.endpoint)
    running = operator.start("--prefix", prefix, "--whole-prefix", "--window=1h", "--yes")
    eventually(lambda: watchers(etcd) > before, within_s=WITHIN_S)
    running.send_signal(number)
    found = finish(running)

    assert (found.status, found.stdout) == (130, "")
    assert found.stderr == "lockdoctor: Interrupted while planning. etcd was not changed.\n"
    assert (held(etcd, prefix), operator.lines) == (1, [])


def test_ctrl_c_finishes_the_current_one(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> None:
    """The report tells what was done and how much was left; the journal agrees."""
    take(etcd, prefix, 3)
    operator = Operator(tmp_path, etcd.endpoint)
    running = operator.start(
        "--format=json", "--prefix", prefix, "--whole-prefix", "--window=0", "--yes", "--pause=1m"
    )
    assert running.stderr is not None
    assert "1 of 3" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    found = finish(running)

    assert found.status == 130
    assert [target["result"] for target in found.targets] == ["done"]
    assert found.document["treatment"]["stopped"] == "Ctrl-C"
    assert found.document["treatment"]["untouched"] == 2
    assert held(etcd, prefix) == 2
    assert [line["line"] for line in operator.lines] == ["intent", "outcome"]
