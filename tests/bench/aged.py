"""A check of locks with a history of weeks, beside the same check with an empty one."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, LeaseReading
from lockdoctor.domain.model.locks import Hold, KeySnapshot, LockId, Recipe
from lockdoctor.domain.past.past import ClockMark, RevisionMark
from lockdoctor.domain.past.run_record import HoldSeen, RunRecord
from lockdoctor.history.store import open_history
from lockdoctor.ports import MemberStatus
from tests.bench.figures import Spread
from tests.bench.scans import EXAMINED, LOCKDOCTOR, PREFIX
from tests.bench.usage import BenchError, RunSpread, Usage, measured
from tests.bench.writes import LOCK_TTL_S, take_locks, write_elsewhere
from tests.etcd.connections import connected

EVERY_S = 300.0
SHORT_LIVED = 10
"""Each run finds one in so many locks held anew; the others stand all the time."""

FIRST_RUN = 3
"""The exit status of a check that has no past yet to judge by."""

FILLING_S = 7_200
"""The locks outlive the filling of the history, without being renewed."""

LONG_LEASES = ("--max-ttl", f"{FILLING_S}s")
"""No check finds fault with that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What a long history costs."""

    runs: int
    locks: int
    file_mb: float
    """Of the file, after all these runs."""
    record_ms: float
    """To add one run, on average, pruning included."""
    empty: RunSpread
    """Checks with an empty history."""
    aged: RunSpread
    """The same checks with this one."""
    ratio: Spread
    """CPU of each check with it by that of the one without, in the same repeat."""


def aged(days: float, locks: int, repeats: int) -> Aged:
    """Check so many locks, with a history of checks every five minutes for so many days."""
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        take_locks(server.address, PREFIX, locks, FILLING_S)
        path = Path(folder) / "aged"
        runs = max(1, round(days * 86_400 / EVERY_S))
        write_elsewhere(server.address, runs)
        took_s = _fill(path, runs, *asyncio.run(_read(server)))
        size = path.stat().st_size
        pairs = [
            (_check(server, Path(folder) / f"empty-{number}"), _check(server, path))
            for number in range(repeats)
        ]
        report = json.loads(_check(server, path, "--format", "json").output)
    if report["run"]["past_runs"] < runs:
        raise BenchError(f"the check found {report['run']['past_runs']} of {runs} runs")
    if not all(f" lookups={locks};" in each.output for pair in pairs for each in pair):
        raise BenchError("a check did not look every lease up once")
    return Aged(
        runs=runs,
        locks=locks,
        file_mb=size / 1e6,
        record_ms=took_s / runs * 1e3,
        empty=RunSpread.of([early for early, _ in pairs]),
        aged=RunSpread.of([late for _, late in pairs]),
        ratio=Spread.of(late.cpu_s / early.cpu_s for early, late in pairs),
    )


def _check(server: EtcdServer, history: Path, *flags: str) -> Usage:
    words = [LOCKDOCTOR, "check", "--endpoints", server.endpoint, "--prefix", PREFIX.decode()]
    return measured(
        [*words, "--history", str(history), "--timeout", "5m", *LONG_LEASES, *flags],
        statuses=(*EXAMINED, FIRST_RUN),
    )


async def _read(server: EtcdServer) -> tuple[MemberStatus, KeySnapshot]:
    async with connected(server.address) as cluster:
        return await cluster.status(), await cluster.keys(PREFIX)


def _fill(path: Path, runs: int, status: MemberStatus, now: KeySnapshot) -> float:
    """Store so many runs as checks do, the last one a while ago; say how many seconds it took."""
    began = time.monotonic()
    first_at = time.time() - (runs + 1) * EVERY_S
    for number in range(runs):
        at = first_at + number * EVERY_S
        mark = ClockMark(wall_at=at, boot_id="bench", steady_at=at - first_at)
        with open_history(path, mark) as history:
            history.record(_run(number, runs, at, status, now))
            history.prune()
    return time.monotonic() - began


def _run(number: int, runs: int, at: float, status: MemberStatus, now: KeySnapshot) -> RunRecord:
    revision = now.revision - (runs - number)
    seen = list(_seen(number, at, now))
    return RunRecord(
        command="check",
        judged_by="check",
        started_at=at,
        ended_at=at + 1.0,
        cluster_id=status.cluster_id,
        prefixes=(PREFIX,),
        raft_term=status.raft_term,
        marks=(RevisionMark(asked_at=at, answered_at=at + 0.01, revision=revision),),
        severity=Severity.OK,
        probes=(LeadershipProbe(at + 0.9, status.raft_term, status.leader_id),),
        holds=seen,
        readings={
            each.lease_id: [
                LeaseReading(
                    lease_id=each.lease_id,
                    asked_at=at + 0.1,
                    answered_at=at + 0.2,
                    granted_ttl_s=LOCK_TTL_S,
                    remaining_ttl_s=LOCK_TTL_S - 1 - number * 7 % 200,
                    raft_term=status.raft_term,
                    attached_keys=(each.hold.key,),
                )
            ]
            for each in seen
        },
        sessions=0,
    )


def _seen(number: int, at: float, now: KeySnapshot) -> Iterator[HoldSeen]:
    for place, key in enumerate(now.keys):
        name, _, _ = key.key.rpartition(b"/")
        hold, lease_id = key.hold, key.lease_id
        if not place % SHORT_LIVED:  # it was another session's then
            lease_id = LeaseId(1 + number * len(now.keys) + place)
            hold = Hold(b"%s/%x" % (name, lease_id), 1)
        yield HoldSeen(
            hold=hold,
            lease_id=lease_id,
            lock=LockId(name, Recipe.GO_MUTEX),
            first_answered_at=at + 0.01,
            last_asked_at=at,
            held_first_answered_at=at + 0.01,
        )
