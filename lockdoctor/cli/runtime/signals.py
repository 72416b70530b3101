"""Which signals end the program, and what they do outside of a run."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import final

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, an ordinary kill, and a terminal or an SSH session that has gone."""


_come: list[signal.Signals] = []


def forget() -> None:
    """Begin a command: none has come to it yet."""
    _come.clear()


def note(number: signal.Signals) -> None:
    """Remember that one has come."""
    _come.append(number)


def have_come() -> bool:
    """Say whether a signal has come to this command while it was at work."""
    return bool(_come)


def heeded() -> tuple[signal.Signals, ...]:
    """Give the signals that end the program: SIGHUP stays ignored where nohup had it ignored."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(number for number in NUMBERS if number is not signal.SIGHUP or not is_nohup)


def interrupt_at_once() -> None:
    """Let every signal do what Ctrl-C does in Python: raise KeyboardInterrupt wherever it comes."""
    for number in heeded():
        signal.signal(number, signal.default_int_handler)


@final
class Interruptions:
    """Notes Ctrl-C and its like without raising, so that no step of the clean-up is left out."""

    def __init__(self) -> None:
        """Heed nothing yet."""
        self.came = False
        self._before = {number: signal.getsignal(number) for number in heeded()}

    def heed(self) -> None:
        """Begin to heed them, or begin again after somebody else has."""
        for number in self._before:
            signal.signal(number, self._note)

    def __enter__(self) -> Interruptions:
        """Begin to heed them."""
        self.heed()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave them to whoever heeded them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
