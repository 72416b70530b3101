"""Progress on a terminal, and silence elsewhere."""

from __future__ import annotations

import io
import re

import pytest

from lockdoctor.outputs.progress import left_in_words, progress
from lockdoctor.ports import ScanProgress


def a_progress(*, decided: int = 3, left_s: float = 12.4) -> ScanProgress:
    return ScanProgress(
        locks=2, leases=9, decided=decided, lookups=20, elapsed_s=5.0, left_s=left_s
    )


@pytest.fixture(autouse=True)
def _a_capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_terminal_shows_how_far_we_are() -> None:
    """Leases decided of all and the seconds left; the cursor is back when all is over."""
    err = io.StringIO()
    with progress(err, is_terminal=True) as bar:
        bar.update(a_progress())
        bar.update(a_progress(decided=9, left_s=0.0))

    shown = _plain(err.getvalue())
    assert "Watching 2 locks:" in shown
    assert "3/9 decided, 12 s left" in shown
    assert "9/9 decided, summing up" in shown
    assert err.getvalue().rstrip().endswith("\x1b[2K")


def test_what_is_no_terminal_gets_nothing() -> None:
    """A log file holds no bars."""
    err = io.StringIO()
    with progress(err, is_terminal=False) as bar:
        bar.update(a_progress())

    assert err.getvalue() == ""


def test_the_last_second_is_no_fraction() -> None:
    """Tenths would flicker."""
    assert [left_in_words(s) for s in (0.4, 1.3, 9.7, -1.0)] == [
        "0 s left",
        "1 s left",
        "10 s left",
        "summing up",
    ]
