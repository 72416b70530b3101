"""What it costs to plan the looks at a million leases, without an etcd: memory, CPU, looks."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import sys
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from rich.console import Console

from lockdoctor.domain.model.leases import FailedReading, LeaseId, LeaseReading, Reading
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.ports import Cluster, StopRequest
from lockdoctor.workflows.scan.lease_sampler import LeaseSampler

RESULT = Path(__file__).parents[2] / "build" / "bench-schedule.json"

NEEDED = 2
"""Renewals to be proven of each lease."""
TTL_S = 60
PER_S = 5_000
"""Look-ups a second, as a scan is paced."""
WINDOW_S = 3_600.0
TERM = 2
MEGA = 1e6


class LeapingClock:
    """A clock whose sleep takes no time."""

    def __init__(self) -> None:
        """Start at a moment of its own."""
        self.at = 1_790_000_000.0

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Be there already."""
        self.at += seconds
        await asyncio.sleep(0)


class Renewed:
    """What the sampler asks of a cluster: leases that are renewed every third of their TTL."""

    def __init__(self, clock: LeapingClock) -> None:
        """Answer at the pace of a scan."""
        self._clock = clock

    async def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | FailedReading]:
        """Look up leases; those asked together are answered together."""
        ids = list(lease_ids)
        asked_at = self._clock.at
        self._clock.at += len(ids) / PER_S
        for lease_id in ids:
            renewed_for_s = math.fmod(asked_at + lease_id * 0.618, TTL_S / 3)
            yield LeaseReading(
                lease_id=lease_id,
                asked_at=asked_at,
                answered_at=self._clock.at,
                granted_ttl_s=TTL_S,
                remaining_ttl_s=math.trunc(TTL_S - renewed_for_s),
                raft_term=TERM,
                attached_keys=() if with_keys else None,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the looks at many leases took."""

    leases: int
    looks_per_lease: float
    simulated_s: float
    """At the pace of a scan; at the least, looks by rate."""
    cpu_s: float
    cpu_us_per_look: float
    planned_mb: float
    """Before the first look: what is to be looked at, and when."""
    peak_mb: float
    """With all that was read, which is kept to be judged."""


def plan(leases: int) -> Planned:
    """Look at so many leases until each is proven to be renewed."""
    clock = LeapingClock()
    sampler = LeaseSampler(
        cast("Cluster", Renewed(clock)), clock, StopRequest(), clock.at + WINDOW_S
    )
    before_mb, began, began_at = peak_mb(), time.process_time(), clock.at
    for number in range(1, leases + 1):
        key = LockKey(
            key=b"", create_revision=1, mod_revision=1, version=1, lease_id=LeaseId(number)
        )
        sampler.follow(key, NEEDED)
    planned_mb = peak_mb() - before_mb
    asyncio.run(sampler.run(lambda: None))
    cpu_s = time.process_time() - began
    return Planned(
        leases=leases,
        looks_per_lease=sampler.lookups / leases,
        simulated_s=clock.at - began_at,
        cpu_s=cpu_s,
        cpu_us_per_look=cpu_s / sampler.lookups * MEGA,
        planned_mb=planned_mb,
        peak_mb=peak_mb(),
    )


def peak_mb() -> float:
    """The most memory that this process has had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGA


def main() -> None:
    """Plan, print what it took, and write build/bench-schedule.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leases", type=int, default=1_000_000)
    planned = plan(parser.parse_args().leases)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(asdict(planned), indent=2) + "\n", encoding="utf-8")
    Console().print(
        f"{planned.leases:,} leases: {planned.looks_per_lease:.2f} looks each in "
        f"{planned.simulated_s:,.0f} simulated seconds; {planned.cpu_s:.1f} s of CPU, "
        f"{planned.cpu_us_per_look:.0f} us for each look; "
        f"{planned.planned_mb:.0f} MB to plan them, "
        f"{planned.peak_mb:.0f} MB at the peak with all that was read",
        soft_wrap=True,
        highlight=False,
    )


if __name__ == "__main__":
    main()
