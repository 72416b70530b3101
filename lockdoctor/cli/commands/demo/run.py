"""Runs the demo: starts it, scans it, explains the result, and cleans up."""

from __future__ import annotations

import sys
import time

import typer

from lockdoctor.cli.config.file import Config
from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import LookupFlags, RunFlags
from lockdoctor.cli.runtime.run import RunDependencies, scan_and_print, scan_request
from lockdoctor.cli.runtime.signals import Interruptions
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.scenarios import PREFIX, SCENARIOS, running
from lockdoctor.demo.temporary_etcd import own_etcd
from lockdoctor.errors import DemoError
from lockdoctor.etcd.connection.settings import ConnectionSettings

SCAN = f"lockdoctor scan --prefix {PREFIX.decode()}"

INTRODUCTION = """\
An etcd of its own is running on {address}. Below {prefix}, for real:
{stories}
`{scan}` watches them, for about 15 s.
"""

COMMENT = f"""
That was `{SCAN}`. Look at {PREFIX.decode()}orders first:
its lease is renewed, but the lock is not released; others wait or give up.
The worker, the election and the crashed holder are no findings.
Nor is the key without a lease: only --kind lock makes it a lock.
On your own etcd: lockdoctor scan --endpoints HOST:2379 --prefix /your/locks/"""

INVITATION = f"""
etcd stays up and the leaking goes on, until Ctrl-C. In another terminal:
  export ETCDCTL_ENDPOINTS={{address}}
  {SCAN}
  {SCAN} --max-hold 10s
  {SCAN} --kind lock
  {SCAN} --format json
Or do what the report says about {PREFIX.decode()}orders, and scan again."""

LOOK_INTERVAL_S = 0.2


def run_demo(*, keep: bool) -> ExitStatus:
    """
    Run the demo and clean up, also after an interrupt.

    Args:
        keep: Keep etcd and its clients running after the report, until an interrupt.

    Raises:
        DemoError: There is no etcd, it does not start, or the scan found no lock in it.
        ClusterError: The scan failed.
    """
    with Interruptions() as interruptions, own_etcd() as server:
        _say(_introduction(server))
        with running(server.address):
            return _perform(server, interruptions, keep=keep)


def _perform(server: EtcdServer, interruptions: Interruptions, *, keep: bool) -> ExitStatus:
    if interruptions.received:
        return ExitStatus.INTERRUPTED
    try:
        status = _scan(server)
    finally:
        interruptions.install()  # the scan had its own handlers
    if status is ExitStatus.NOTHING_FOUND:
        raise DemoError("The scan found no leak in the demo. Please report this.")
    if status is not ExitStatus.FINDINGS:
        return status
    _say(COMMENT)
    if keep:
        _say(INVITATION.format(address=server.address))
        _wait(server, interruptions)
    return ExitStatus.NOTHING_FOUND


def _scan(server: EtcdServer) -> ExitStatus:
    """Scan as `lockdoctor scan` does, without the user's settings and history."""
    run = RunFlags()
    targets = PrefixFlags(prefix=[PREFIX.decode()])
    request = scan_request(targets, run, LookupFlags(), LimitFlags(), Config())
    settings = ConnectionSettings(endpoints=(server.endpoint,))
    return scan_and_print(settings, request, run, RunDependencies())


def _wait(server: EtcdServer, interruptions: Interruptions) -> None:
    while server.is_running and not interruptions.received:
        time.sleep(LOOK_INTERVAL_S)


def _introduction(server: EtcdServer) -> str:
    return INTRODUCTION.format(
        address=server.address,
        prefix=PREFIX.decode(),
        stories="\n".join(f"  {s.lock.decode():<10} {s.story}" for s in SCENARIOS),
        scan=SCAN,
    )


def _say(text: str) -> None:
    sys.stdout.flush()  # the report comes first if both streams go to one file
    typer.echo(text, err=True)
