"""Shows a run's progress on standard error, only if that is a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from lockdoctor.outputs.text.values import count, duration
from lockdoctor.ports import Progress, ScanProgress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


@contextmanager
def progress(err: TextIO, *, is_terminal: bool) -> Iterator[Progress]:
    """Show a bar during the context, then erase it; show no bar off a terminal."""
    if not is_terminal:
        yield NullProgress()
        return
    from rich import console  # noqa: PLC0415  # takes long to load
    from rich import progress as bars  # noqa: PLC0415  # as above

    with bars.Progress(
        bars.TextColumn("Watching {task.description}"),
        bars.BarColumn(bar_width=20),
        bars.MofNCompleteColumn(),
        bars.TextColumn("decided, {task.fields[left]}"),
        console=console.Console(
            file=cast("TextIO", _WhileThere(err)),
            force_terminal=True,
            markup=False,
            highlight=False,
        ),
        transient=True,
        auto_refresh=False,
    ) as bar:
        yield ProgressBar(bar)


class _WhileThere:
    """Output to a terminal that can disappear: a run outlives a lost SSH session."""

    def __init__(self, err: TextIO) -> None:
        self._err = err

    def __getattr__(self, name: str) -> Any:
        return getattr(self._err, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._err.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._err.flush()


class NullProgress:
    """A receiver of progress that shows no bar."""

    def update(self, progress: ScanProgress) -> None:
        """Ignore the report."""


class ProgressBar:
    """A progress bar: the share of decided leases, and the remaining time."""

    def __init__(self, bar: Bar) -> None:
        """Start without a drawing; the first update draws."""
        self._bar = bar
        self._task: TaskID | None = None

    def update(self, progress: ScanProgress) -> None:
        """Draw the bar for this progress."""
        what = f"{count(progress.locks, 'lock')}:"
        left = left_in_words(progress.left_s)
        if self._task is None:
            self._task = self._bar.add_task(what, total=progress.leases, left=left)
        self._bar.update(
            self._task,
            description=what,
            total=progress.leases,
            completed=progress.decided,
            left=left,
        )
        self._bar.refresh()


def left_in_words(left_s: float) -> str:
    """Return the remaining time in words."""
    return "summing up" if left_s <= 0 else f"{duration(float(round(left_s)))} left"
