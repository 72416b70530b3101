"""How the demo takes signals, without an etcd."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from lockdoctor.cli.runtime.signals import Interruptions

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _known_handlers() -> Iterator[None]:
    """Begin with handlers that do no harm, whatever the tests were started under."""
    before = {number: signal.signal(number, _nothing) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _nothing(*_: object) -> None:
    pass


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_noted(number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a terminal that closes are noted, and nothing is raised."""
    with Interruptions() as interruptions:
        assert not interruptions.received

        signal.raise_signal(number)

        assert interruptions.received


def test_signals_are_heeded_again_after_somebody_else_has() -> None:
    """What the scan does with signals can be undone."""
    with Interruptions() as interruptions:
        signal.signal(signal.SIGTERM, _nothing)

        interruptions.install()
        signal.raise_signal(signal.SIGTERM)

        assert interruptions.received


def test_earlier_handlers_come_back() -> None:
    """Afterwards signals go to whoever heeded them before."""
    with Interruptions():
        pass

    assert [signal.getsignal(number) for number in NUMBERS] == [_nothing] * 3


def test_under_nohup_a_closed_terminal_changes_nothing() -> None:
    """What was to be ignored stays ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with Interruptions() as interruptions:
        signal.raise_signal(signal.SIGHUP)

        assert not interruptions.received
