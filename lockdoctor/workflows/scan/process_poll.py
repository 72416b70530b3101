"""
Read the processes and etcd's metrics at both ends of the window.

This runs beside everything else that a run does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import AnyPart, Part, SourcePart, Unseen
from lockdoctor.ports import ProcessSource, StopRequest

if TYPE_CHECKING:
    from lockdoctor.domain.processes.comparison import ProcessData

_LOG = logging.getLogger(__name__)


class ProcessPoll:
    """
    Read the additional data sources at the beginning and at the end of a run.

    If a source fails, or the evaluation of its data, the report lists it as not read. It never
    prevents the report.
    """

    def __init__(self, sources: Sequence[ProcessSource], stop: StopRequest) -> None:
        """Read no source yet."""
        self._sources = sources
        self._stop = stop
        self._first: asyncio.Future[list[ProcessData]] | None = None

    def open(self) -> None:
        """Start the first reading of each source, without waiting for it."""
        if self._sources:
            self._first = self._poll(is_last=False)

    async def complete(self, report: Report) -> Report:
        """
        Read each source once more, and add its data to the report.

        A run that was asked to stop does not wait for it.
        """
        if self._first is None:
            return report
        from lockdoctor.domain.processes.comparison import ProcessData, add_process_evidence  # noqa: PLC0415  # few are asked

        first = await self._unless_stopped(self._first)
        last = [] if self._stop.reason else await self._unless_stopped(self._poll(is_last=True))
        try:
            return add_process_evidence(report, ProcessData.of(first), ProcessData.of(last))
        except Exception as bug:  # noqa: BLE001  # the report stands without it
            unseen = _broken(Part.OTHER_SOURCES, bug)
            return replace(report, unseen=(*report.unseen, unseen))

    async def close(self) -> None:
        """Stop reading the sources."""
        if self._first is not None:
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)

    async def _unless_stopped(self, poll: asyncio.Future[list[ProcessData]]) -> list[ProcessData]:
        asked: asyncio.Future[Any] = asyncio.ensure_future(self._stop.wait_requested())
        try:
            await asyncio.wait({poll, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            if not poll.done():
                poll.cancel()
        return poll.result() if poll.done() else []

    def _poll(self, *, is_last: bool) -> asyncio.Future[list[ProcessData]]:
        return asyncio.gather(*(_poll_source(source, is_last=is_last) for source in self._sources))


async def _poll_source(source: ProcessSource, *, is_last: bool) -> ProcessData:
    try:
        return await source.poll(is_last=is_last)
    except Exception as bug:  # noqa: BLE001  # a report is worth more than any witness
        from lockdoctor.domain.processes.comparison import ProcessData  # noqa: PLC0415  # few are asked

        return ProcessData(unseen=(_broken(SourcePart(source.name), bug),))


def _broken(what: AnyPart, bug: Exception) -> Unseen:
    """
    Return an internal error as an Unseen.

    The error's message is left out: it might contain a secret.
    """
    _LOG.debug("%s failed", what, exc_info=bug)
    why = f"internal error: {type(bug).__name__}. Please report it; --debug shows the traceback"
    return Unseen(what=what, count=None, why=why)
