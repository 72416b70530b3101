"""Hears the witnesses at both ends of the window, beside everything else that a run does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lockdoctor.domain.report import Report
from lockdoctor.ports import Stop, Witness

if TYPE_CHECKING:
    from lockdoctor.domain.witnesses import Heard


class Hearing:
    """What the witnesses say, first and last."""

    def __init__(self, witnesses: Sequence[Witness], stop: Stop) -> None:
        """Hear nobody yet."""
        self._witnesses = witnesses
        self._stop = stop
        self._first: asyncio.Future[list[Heard]] | None = None

    def open(self) -> None:
        """Begin to hear what they say at the beginning, without waiting for it."""
        if self._witnesses:
            self._first = self._hear(is_last=False)

    async def complete(self, report: Report) -> Report:
        """Hear them once more, and add what they say; who is asked to end does not wait for it."""
        if self._first is None:
            return report
        from lockdoctor.domain.witnesses import Heard, bear_witness  # noqa: PLC0415  # few are asked

        first = await self._unless_stopped(self._first)
        last = [] if self._stop.reason else await self._unless_stopped(self._hear(is_last=True))
        return bear_witness(report, Heard.of(first), Heard.of(last))

    async def close(self) -> None:
        """Hear nobody any more."""
        if self._first is not None:
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)

    async def _unless_stopped(self, hearing: asyncio.Future[list[Heard]]) -> list[Heard]:
        asked: asyncio.Future[Any] = asyncio.ensure_future(self._stop.asked())
        try:
            await asyncio.wait({hearing, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            if not hearing.done():
                hearing.cancel()
        return hearing.result() if hearing.done() else []

    def _hear(self, *, is_last: bool) -> asyncio.Future[list[Heard]]:
        return asyncio.gather(*(each.hear(is_last=is_last) for each in self._witnesses))
