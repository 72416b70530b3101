"""The ready files at work: what cron and the unit run, on a lock that is leaked for real."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.lock_client import LockClient, Mutex
from tests.docs.alerts import fires, rules, samples
from tests.docs.operating import PROGRAM, cron_command, unit
from tests.folders import ROOT
from tests.lock_clients import eventually

pytestmark = pytest.mark.etcd

TTL_S = 2
"""As short as etcd grants it."""


@dataclass(frozen=True)
class Machine:
    """What a machine that runs checks has: a configuration and a state folder."""

    folder: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the ready files as their reader would, with the program of the tests."""
        program = f"{shlex.quote(sys.executable)} -m lockdoctor"
        return subprocess.run(
            ["/bin/sh", "-c", command.replace(PROGRAM, program)],
            env=os.environ
            | {
                "XDG_STATE_HOME": str(self.folder),
                "LOCKDOCTOR_CONFIG": str(self.folder / "lockdoctor.toml"),
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, etcd: EtcdServer, prefix: bytes) -> Machine:
    (tmp_path / "lockdoctor.toml").write_text(
        f'connection.endpoints = ["{etcd.endpoint}"]\n'
        f'[[prefix]]\nprefix = "{prefix.decode()}"\nmax_hold = "1s"\n'
    )
    return Machine(tmp_path)


def alerts(page: Path) -> list[str]:
    """Name the alerts that fire on a page, of those that compare what stands on it."""
    found = samples(page.read_text())
    comparing = (rule for rule in rules() if "(" not in rule["expr"])
    return [rule["alert"] for rule in comparing if fires(rule["expr"], found)]


def test_a_leak_is_mailed_and_alerted_and_its_end_is_too(
    machine: Machine, etcd: EtcdServer, prefix: bytes
) -> None:
    """Silence for the baseline, a mail and an alert with the proof, silence again afterwards."""
    page = machine.folder / "lockdoctor.prom"
    drop_in = unit("lockdoctor-check.service.d/textfile.conf")["Service"]
    folder = drop_in["ReadWritePaths"]
    systemd = drop_in["ExecStart"].replace(folder, str(machine.folder))
    client = LockClient(etcd.address)
    try:
        Mutex(client.session(TTL_S), prefix + b"orders").queue_up()
        Mutex(client.session(TTL_S), prefix + b"orders").queue_up()
        baseline = machine.run(cron_command())
        assert (baseline.returncode, baseline.stdout, baseline.stderr) == (0, "", "")

        def mailed() -> str:
            return machine.run(cron_command()).stdout

        mail = eventually(mailed, within_s=30)
        assert mail.startswith("LOCKDOCTOR CRITICAL - 1 leaked lock blocks 1 waiter: ")
        assert machine.run(systemd).returncode == 2
        assert alerts(page) == ["EtcdLockFindingCritical"]
    finally:
        client.close()

    assert eventually(lambda: machine.run(cron_command()).returncode == 0, within_s=30)
    assert machine.run(systemd).returncode == 0
    assert alerts(page) == []


def test_an_etcd_that_is_gone_is_unknown_and_alerted(machine: Machine) -> None:
    """A mail that says so, and a page that does not claim that all is well."""
    (machine.folder / "lockdoctor.toml").write_text(
        'connection.endpoints = ["127.0.0.1:1"]\n[[prefix]]\nprefix = "/a/"\n'
    )
    page = machine.folder / "lockdoctor.prom"
    done = machine.run(f"{cron_command()} --textfile {shlex.quote(str(page))}")

    assert done.returncode == 3
    assert done.stdout.startswith("LOCKDOCTOR UNKNOWN - ")
    assert alerts(page) == ["EtcdLockCheckUnknown"]


def test_a_typo_is_unknown_and_never_critical(machine: Machine) -> None:
    """Status 3 and one line, whether in the crontab or in the file."""
    typo = machine.run(cron_command().replace("--quiet", "--quite"))
    (machine.folder / "lockdoctor.toml").write_text('[[prefix]]\nprefix = "/a/"\nmax_hld = "5m"\n')
    misspelt = machine.run(cron_command())

    for done in (typo, misspelt):
        assert done.returncode == 3
        assert done.stdout.startswith("LOCKDOCTOR UNKNOWN - ")
    assert "line 3" in misspelt.stdout
