"""Reads the counters of etcd's members from their Prometheus pages."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from lockdoctor.domain.processes.comparison import ProcessData
from lockdoctor.domain.report.processes import MemberCounters
from lockdoctor.domain.report.unseen import MetricsPart, Unseen
from lockdoctor.errors import ProcessReadError
from lockdoctor.ports import Clock
from lockdoctor.processes.http_client import Address, get
from lockdoctor.processes.thread import run_in_thread

TIMEOUT_S = 10.0
"""Maximum seconds for a member's page, at each end of a run."""

UNASKED_TIMEOUT_S = 2.0
"""Maximum seconds for pages without an option; most members serve one."""

MAX_BYTES = 16 << 20
"""Maximum bytes of a page; a member's page has about 150 kB."""

MAX_LINE = 1_000
MAX_LINES = 5_000
"""Maximum lines of the needed counters; a member has about a thousand."""

MAX_COUNTED = 1 << 53
"""From here on a page's numbers, which are floats, no longer count in ones."""

NAMES = {
    "granted": "etcd_debugging_lease_granted_total",
    "revoked": "etcd_debugging_lease_revoked_total",
    "renewed": "etcd_debugging_lease_renewed_total",
    "expired": "etcd_debugging_server_lease_expired_total",
    "leader_changes": "etcd_server_leader_changes_seen_total",
}
"""
The counters by metric name.

Source: server/lease/metrics.go and server/etcdserver/metrics.go, 3.4.0 to 3.7.
"""

IS_LEADER = "etcd_server_is_leader"
STARTED_AT = "process_start_time_seconds"
STREAMS_STARTED, STREAMS_ENDED = "grpc_server_started_total", "grpc_server_handled_total"
WANTED = (*NAMES.values(), IS_LEADER, STARTED_AT, STREAMS_STARTED, STREAMS_ENDED)


def counters_of(page: bytes, member: str, read_at: float) -> MemberCounters:
    """
    Read a member's page, and sum the values of each name over its labels.

    Each series counts once.

    Raises:
        ProcessReadError: It is not the page of an etcd member.
    """
    sums: dict[str, float] = {}
    series = set[object]()
    for name, labels, value in _samples(page):
        if name in (STREAMS_STARTED, STREAMS_ENDED) and not _is_keep_alive(labels):
            continue
        one = name, frozenset(labels.items())
        if one not in series:
            series.add(one)
            sums[name] = sums.get(name, 0.0) + value
    if not {IS_LEADER, *NAMES.values()} & sums.keys():
        raise ProcessReadError("these are not the metrics of an etcd member")
    streams = _streams(sums)
    return MemberCounters(
        member=member,
        read_at=read_at,
        started_at=sums.get(STARTED_AT),
        is_leader=sums[IS_LEADER] > 0 if IS_LEADER in sums else None,
        keepalive_streams=streams,
        **{ours: int(sums[theirs]) if theirs in sums else None for ours, theirs in NAMES.items()},
    )


class MemberMetrics:
    """A ProcessSource (see ports): the members' own counters."""

    name = "metrics of etcd"

    def __init__(
        self,
        pages: Sequence[Address],
        context: Callable[[], ssl.SSLContext] | None,
        clock: Clock,
        *,
        are_named: bool,
    ) -> None:
        """
        Store the addresses; poll() sends the first request.

        Args:
            context: The trusted certificates and the client's own, for https.
            are_named: The user named the pages, so failures are reported.
        """
        self._pages = list(pages)
        self._clock = clock
        self._are_named = are_named
        with_tls = any(page.url.startswith("https:") for page in pages)
        self._context = context() if context and with_tls else None

    async def poll(self, *, is_last: bool) -> ProcessData:  # noqa: ARG002 - both ends are alike
        """Read all pages; one that failed the first time is not read again."""
        results = await asyncio.gather(*map(self._poll_one, self._pages))
        found = zip(self._pages, results, strict=True)
        self._pages = [page for page, each in found if isinstance(each, MemberCounters)]
        failed = [each for each in results if isinstance(each, Unseen)]
        return ProcessData(
            counters=tuple(each for each in results if isinstance(each, MemberCounters)),
            unseen=tuple(failed) if self._are_named else (),
        )

    async def _poll_one(self, page: Address) -> MemberCounters | Unseen:
        until = time.monotonic() + (TIMEOUT_S if self._are_named else UNASKED_TIMEOUT_S)
        try:
            raw = await get(page, self._context, until=until, max_bytes=MAX_BYTES)
            read = partial(counters_of, raw, page.shown, self._clock.now())
            return await run_in_thread(read, until=until, late="its page was not read")
        except ProcessReadError as error:
            return Unseen(what=MetricsPart(page.shown), count=None, why=str(error))


def _samples(page: bytes) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Yield the samples of the needed lines; faults in other lines do not matter."""
    for number, line in enumerate(_WANTED_LINE.finditer(page)):
        if number >= MAX_LINES:
            raise ProcessReadError("these are not the metrics of an etcd member")
        text = line[0].decode("utf-8", "replace")
        try:
            families = list(text_string_to_metric_families(text + "\n"))
        except (ValueError, LookupError):
            continue
        for sample in (sample for family in families for sample in family.samples):
            if sample.name in WANTED and 0 <= sample.value <= MAX_COUNTED:
                yield sample.name, sample.labels, sample.value


_WANTED_LINE = re.compile(
    rb"^(?:%s)[^\r\n]{0,%d}(?=\r?$)" % ("|".join(WANTED).encode(), MAX_LINE), re.MULTILINE
)


def _is_keep_alive(labels: Mapping[str, str]) -> bool:
    return (
        labels.get("grpc_service") == "etcdserverpb.Lease"
        and labels.get("grpc_method") == "LeaseKeepAlive"
    )


def _streams(sums: Mapping[str, float]) -> int | None:
    started = sums.get(STREAMS_STARTED)
    return None if started is None else max(0, int(started - sums.get(STREAMS_ENDED, 0.0)))
