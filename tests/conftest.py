"""What all floors of the tests share: a real etcd where there is one, a prefix of their own."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.find_etcd import find_etcd
from lockdoctor.errors import DemoError

SMALL_DISK_BYTES = 400_000

_numbers = itertools.count(1)

settings.register_profile("busy", deadline=None)  # a slow machine is no failure
settings.load_profile("busy")

# nohup, and a shell's background jobs, have signals ignored, which every program that the tests
# start would inherit and obey.
for _number, _handler in (
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGINT, signal.default_int_handler),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that approves pages; see tests/approved/test_pages.py."""
    parser.addoption("--update", action="store_true", help="rewrite the approved pages")


@pytest.fixture(scope="session")
def etcd_binary() -> Path:
    """The etcd server to test with; without one the test is skipped, in CI it fails."""
    try:
        return find_etcd()
    except DemoError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def etcd(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A server shared by all tests of this worker; keep to your own prefix."""
    with EtcdServer(tmp_path_factory.mktemp("etcd"), binary=etcd_binary) as server:
        yield server


@pytest.fixture
def prefix() -> bytes:
    """A prefix that no other test writes to."""
    return b"/test-%d/" % next(_numbers)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few hundred kilobytes, where the system lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={SMALL_DISK_BYTES}"
    command = ["mount", "-t", "tmpfs", "-o", size, "lockdoctor-test", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(autouse=True)
def _no_failure_is_hidden(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fail where a source broke and the run went on, as a user wants and a test does not."""
    caplog.set_level(logging.WARNING, logger="lockdoctor.etcd")  # its calls are no failures
    caplog.set_level(logging.DEBUG, logger="lockdoctor")  # last: it sets the handler's level, too
    yield
    if request.node.get_closest_marker("foresees_failures") is None:
        records = [each for each in caplog.get_records("call") if each.name != "lockdoctor.etcd"]
        hidden = [each for each in records if each.name.startswith("lockdoctor")]
        assert not [each.getMessage() for each in hidden]


@pytest.fixture(autouse=True)
def _clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep settings and history of whoever runs the tests, and of other tests, out of each."""
    states = tmp_path_factory.getbasetemp() / "states"
    monkeypatch.setenv("XDG_STATE_HOME", str(states / str(next(_numbers))))
    for name in list(os.environ):
        if name.startswith(("ETCDCTL_", "LOCKDOCTOR_")) and name != "LOCKDOCTOR_ETCD":
            monkeypatch.delenv(name)
