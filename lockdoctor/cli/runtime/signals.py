"""The signals that end the program, and how a run ends early with its results."""

from __future__ import annotations

import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, final

from lockdoctor.cli.runtime.terminal import print_message
from lockdoctor.errors import ClusterTimeoutError

if TYPE_CHECKING:
    import asyncio

    from lockdoctor.ports import StopRequest

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the default of kill, and a lost terminal or SSH session."""

GRACE_S = 5.0
"""Maximum seconds for a run to end after the request; then it is canceled."""

GRACE_SHARE = 0.1
"""The same limit as a share of the run's time, where that is less."""

_Result = TypeVar("_Result")

_received: list[signal.Signals] = []


def clear_received() -> None:
    """Clear the recorded signals at the start of a command."""
    _received.clear()


def record(number: signal.Signals) -> None:
    """Record a signal."""
    _received.append(number)


def any_received() -> bool:
    """Return whether a signal arrived during this command."""
    return bool(_received)


def handled_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end the program, without SIGHUP under nohup."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(number for number in NUMBERS if number is not signal.SIGHUP or not is_nohup)


def interrupt_at_once() -> None:
    """Make every signal raise KeyboardInterrupt at once, as Ctrl-C does in Python."""
    for number in handled_signals():
        signal.signal(number, signal.default_int_handler)


@final
class Interruptions:
    """Records signals without raising, so that every cleanup step runs."""

    def __init__(self) -> None:
        """Start without handlers."""
        self.received = False
        self._before = {number: signal.getsignal(number) for number in handled_signals()}

    def install(self) -> None:
        """Install the handlers, also again after other code replaced them."""
        for number in self._before:
            signal.signal(number, self._note)

    def __enter__(self) -> Interruptions:
        """Install the handlers."""
        self.install()
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
        self.received = True


@contextmanager
def planning() -> Iterator[None]:
    """Say that etcd was not changed if a signal ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        print_message("Interrupted while planning. etcd was not changed.")
        raise


def run_writing(signals: Signals, work: Coroutine[None, None, _Result]) -> _Result:
    """
    Run work that writes to etcd, and say where to look if two signals ended it.

    Raises:
        KeyboardInterrupt: Two signals arrived. The journal has every write that was begun.
    """
    try:
        return signals.run(work)
    except KeyboardInterrupt:
        print_message("Interrupted. To check whether etcd was changed: `lockdoctor journal`")
        raise


class Signals:
    """
    Runs work in an event loop, and handles Ctrl-C, SIGTERM and SIGHUP.

    The first signal requests an early end with the results so far. The second cancels the waits.
    """

    def __init__(self, stop: StopRequest | None = None) -> None:
        """
        Start without a signal.

        Args:
            stop: Requests the early end. Without it the first signal cancels the work, which only
                reads and has no report of its own.
        """
        self.received = False
        self._stop = stop
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Coroutine[None, None, _Result]) -> _Result:
        """
        Run the work, and return its result.

        Raises:
            KeyboardInterrupt: It was canceled without a result.
        """
        import asyncio  # noqa: PLC0415  # a help needs no event loop

        try:
            return asyncio.run(self._with_handlers(work))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            interrupt_at_once()

    async def _with_handlers(self, work: Coroutine[None, None, _Result]) -> _Result:
        import asyncio  # noqa: PLC0415  # as above

        loop, numbers = asyncio.get_running_loop(), handled_signals()
        self._task = asyncio.current_task()
        for number in numbers:
            loop.add_signal_handler(number, self._handle, number)
        try:
            return await work
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
                # The loop is closed first, and no report is lost.
                signal.signal(number, lambda late, _: self._note(signal.Signals(late)))

    def _handle(self, number: signal.Signals) -> None:
        if self._task is not None and (self.received or self._stop is None):
            self._task.cancel()
        self._note(number)
        if self._stop is not None:
            self._stop.request("Ctrl-C" if number is signal.SIGINT else number.name)

    def _note(self, number: signal.Signals) -> None:
        self.received = True
        record(number)


async def run_with_timeout(
    work: Coroutine[None, None, _Result],
    stop: StopRequest,
    timeout_s: float,
) -> _Result:
    """
    Wait for a run, and end it before the time-out.

    The run first gets a request to end, then GRACE_S seconds, or the time's share GRACE_SHARE,
    until it is canceled. After that it has the same time again to report the results so far, if
    any.

    Raises:
        ClusterTimeoutError: It was canceled without a result.
    """
    import asyncio  # noqa: PLC0415  # as above

    grace_s = min(GRACE_S, timeout_s * GRACE_SHARE)
    request_after_s = timeout_s - 2 * grace_s
    task = asyncio.ensure_future(work)
    requested = asyncio.ensure_future(stop.wait_requested())
    timer = asyncio.get_running_loop().call_later(request_after_s, _out_of_time, stop, timeout_s)
    try:
        await asyncio.wait({task, requested}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=grace_s)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=grace_s)
        if task.done() and not task.cancelled():
            return task.result()
        raise ClusterTimeoutError(f"No result: {stop.reason}. Use a longer --timeout.")
    finally:
        timer.cancel()
        requested.cancel()
        task.cancel()


def _out_of_time(stop: StopRequest, timeout_s: float) -> None:
    from lockdoctor.outputs.text.stages import STAGES  # noqa: PLC0415  # a help needs no sentences

    stop.request(f"stopped by `--timeout {timeout_s:g}s` while {STAGES[stop.stage]}")
