"""The signals that end the program, and their effect outside of a run."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import final

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the default of kill, and a lost terminal or SSH session."""


_come: list[signal.Signals] = []


def forget() -> None:
    """Clear the recorded signals at the start of a command."""
    _come.clear()


def note(number: signal.Signals) -> None:
    """Record a signal."""
    _come.append(number)


def have_come() -> bool:
    """Return whether a signal arrived during this command."""
    return bool(_come)


def heeded() -> tuple[signal.Signals, ...]:
    """Return the signals that end the program, without SIGHUP under nohup."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(number for number in NUMBERS if number is not signal.SIGHUP or not is_nohup)


def interrupt_at_once() -> None:
    """Make every signal raise KeyboardInterrupt at once, as Ctrl-C does in Python."""
    for number in heeded():
        signal.signal(number, signal.default_int_handler)


@final
class Interruptions:
    """Records signals without raising, so that every cleanup step runs."""

    def __init__(self) -> None:
        """Start without handlers."""
        self.came = False
        self._before = {number: signal.getsignal(number) for number in heeded()}

    def heed(self) -> None:
        """Install the handlers, also again after other code replaced them."""
        for number in self._before:
            signal.signal(number, self._note)

    def __enter__(self) -> Interruptions:
        """Install the handlers."""
        self.heed()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
