"""`lockdoctor demo` from the outside: what it shows, and that nothing of it is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import final

import pytest

from lockdoctor.demo.lock_client import LockClient
from tests.folders import ROOT
from tests.lock_clients import eventually

PROGRAM = (sys.executable, "-m", "lockdoctor")

THE_PERSONS_OWN = {
    "ETCDCTL_ENDPOINTS": "127.0.0.1:1",
    "ETCDCTL_CACERT": "/no/such/file",
    "ETCDCTL_USER": "somebody:secret",
}
THE_PERSONS_FILE = '[prefix."/my-lock/"]\nkind = "ignore"\n'

pytestmark = [pytest.mark.etcd, pytest.mark.slow]
needs_etcd = pytest.mark.usefixtures("etcd_binary")


@final
class Demo:
    """A demo in a process of its own, with its own folder for what is temporary."""

    def __init__(self, folder: Path, *argv: str, **environ: str) -> None:
        """Start it."""
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._out, self._err = folder / "out", folder / "err"
        own = {"TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
        with self._out.open("w") as out, self._err.open("w") as err:
            self._process = subprocess.Popen(
                [*PROGRAM, "demo", *argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=os.environ | own | environ,
                cwd=folder,
            )

    @property
    def report(self) -> str:
        """What it has printed on standard output."""
        return self._out.read_text()

    @property
    def talk(self) -> str:
        """What it has printed on standard error."""
        return self._err.read_text()

    def says(self, text: str) -> bool:
        """Whether it has said this on standard error; it must be running still."""
        assert self._process.poll() is None, self.talk
        return text in self.talk

    def address(self) -> str:
        """Host and port of its etcd, once it has named it."""
        found = eventually(lambda: re.search(r"127\.0\.0\.1:\d+", self.talk), within_s=60)
        return found[0] if found else ""

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it alone."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait for its end."""
        return self._process.wait(100)

    def left_behind(self) -> list[str]:
        """Temporary files, and processes that work on them."""
        running = subprocess.run(
            ["ps", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout
        processes = [line for line in running.splitlines() if str(self.temporary) in line]
        return processes + [path.name for path in self.temporary.iterdir()]

    def clear(self) -> None:
        """End it, where a test has failed before it ended."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)


@pytest.fixture(scope="module")
def shown(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that has run to its end, started by a person with settings of their own."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "lockdoctor.toml").write_text(THE_PERSONS_FILE)
    own = THE_PERSONS_OWN | {
        "LOCKDOCTOR_HISTORY": str(folder / "history"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    demo = Demo(folder, LOCKDOCTOR_ETCD=str(etcd_binary), **own)
    demo.end()
    yield demo
    demo.clear()


def verdicts(report: str) -> dict[str, str]:
    """Read the verdict on each lock out of the report's table."""
    rows = re.findall(r"^([a-z]+(?:-[a-z]+)*) +(/my-lock/\S+)", report, re.MULTILINE)
    return {lock: verdict for verdict, lock in rows}


def test_it_ends_well_and_leaves_nothing(shown: Demo) -> None:
    """A demo that finds its leaks is a success: status 0, no process, no folder."""
    assert shown.end() == 0, shown.talk
    assert shown.left_behind() == []


def test_it_leaves_the_persons_history_alone(shown: Demo) -> None:
    """What is made up for show is not remembered for anything real."""
    folder = shown.temporary.parent

    assert not (folder / "history").exists()
    assert not (folder / "state").exists()


def test_it_finds_what_leaks(shown: Demo) -> None:
    """The leaked lock and the open sessions are findings; what may be data is not judged."""
    found = verdicts(shown.report)

    assert found["/my-lock/orders"] in {"suspected-leak", "leaked-lock"}
    assert found["/my-lock/migration"] == "undetermined"
    assert "leaked-session" in shown.report


def test_it_clears_what_only_looks_so(shown: Demo) -> None:
    """The worker and the election are healthy, and the crashed holder's lock frees itself."""
    found = verdicts(shown.report)

    assert found.get("/my-lock/invoices", "healthy") == "healthy"
    assert found["/my-lock/leader"] == "healthy"
    assert found["/my-lock/backup"] == "expiring"


def test_it_says_what_it_does(shown: Demo) -> None:
    """Where the etcd is, what happens in it, and the command for the person's own etcd."""
    assert "127.0.0.1:" in shown.talk
    assert "never unlocks" in shown.talk
    assert "lockdoctor scan --endpoints HOST:2379 --prefix /your/locks/" in shown.talk
    assert max(map(len, shown.talk.splitlines())) <= 80


def test_nothing_goes_wrong_in_the_background(shown: Demo) -> None:
    """No thread and no gRPC channel complains while all is cleared away."""
    assert "Traceback" not in shown.talk
    assert "Exception" not in shown.talk


@needs_etcd
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_reports_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C or SIGTERM in the middle: what was seen is reported, all is cleaned up, status 130."""
    demo = Demo(tmp_path)
    with closing(LockClient(demo.address())) as client:
        # So many requests stand in the queue two seconds after the scan has begun.
        eventually(lambda: len(client.etcd.get_prefix_response("/my-lock/").kvs) > 10, within_s=60)

    demo.send(number)

    assert demo.end() == 130, demo.talk
    assert "/my-lock/orders" in demo.report
    assert demo.left_behind() == []


@needs_etcd
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_impatient_leave_nothing_either(tmp_path: Path, number: signal.Signals) -> None:
    """A second signal, which cuts the summing up short, leaves nothing behind."""
    demo = Demo(tmp_path)
    with closing(LockClient(demo.address())) as client:
        eventually(lambda: len(client.etcd.get_prefix_response("/my-lock/").kvs) > 10, within_s=60)

    demo.send(number)
    demo.send(number)

    assert demo.end() == 130, demo.talk
    assert demo.left_behind() == []


@needs_etcd
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_start_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """A signal before the scan ends the demo as well, and all is cleaned up."""
    demo = Demo(tmp_path)
    eventually(lambda: list(demo.temporary.iterdir()), within_s=60)

    demo.send(number)

    assert demo.end() == 130, demo.talk
    assert demo.left_behind() == []


@needs_etcd
def test_what_is_kept_can_be_scanned_until_ctrl_c(tmp_path: Path) -> None:
    """With --keep etcd and its leaks are there after the report; Ctrl-C ends them, status 0."""
    demo = Demo(tmp_path, "--keep")
    eventually(lambda: demo.says("until Ctrl-C"), within_s=90)
    scan = subprocess.run(
        [*PROGRAM, "scan", "--prefix", "/my-lock/", "--window", "0", "--kind", "lock"],
        env=os.environ | {"ETCDCTL_ENDPOINTS": demo.address(), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    demo.send(signal.SIGINT)

    assert scan.returncode == 1, scan.stderr
    assert f"export ETCDCTL_ENDPOINTS={demo.address()}" in demo.talk
    assert demo.end() == 0, demo.talk
    assert demo.left_behind() == []


def test_without_an_etcd_it_says_what_to_install(tmp_path: Path) -> None:
    """No server: one sentence, status 3, nothing left behind."""
    demo = Demo(tmp_path, LOCKDOCTOR_ETCD=str(tmp_path / "no-etcd"))

    assert demo.end() == 3
    assert demo.talk.startswith("lockdoctor: ")
    assert demo.talk.count("\n") == 1
    assert demo.left_behind() == []
