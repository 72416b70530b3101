"""Goroutine profiles of a leaking program, built with several versions of Go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from lockdoctor.domain.model.leases import LeaseId

PROFILES = Path(__file__).parent / "profiles"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One build's goroutines, and the leases that it kept alive."""

    build: str
    """For example go1.19-etcd-3.5."""
    raw: bytes
    """The text of each goroutine (debug=2)."""
    holder: LeaseId
    """Its session holds the lock."""
    requests: tuple[LeaseId, ...]
    """Their sessions gave up, and were never closed."""
    waiter: LeaseId
    """Its session waits for the lock."""
    bare: LeaseId
    """It is kept alive without a session."""

    @property
    def keyless(self) -> tuple[LeaseId, ...]:
        """The leases without keys."""
        return (*self.requests, self.bare)

    @property
    def leases(self) -> frozenset[LeaseId]:
        """All of them."""
        return frozenset({self.holder, self.waiter, *self.keyless})


def recordings() -> tuple[Recording, ...]:
    """Read all that record.py has written."""
    found = json.loads((PROFILES / "leases.json").read_text("utf-8"))
    return tuple(
        Recording(
            build=build,
            raw=(PROFILES / f"{build}.debug2.txt").read_bytes(),
            holder=_lease(leases["holder"]),
            requests=tuple(map(_lease, leases["requests"])),
            waiter=_lease(leases["waiter"]),
            bare=_lease(leases["raw"]),
        )
        for build, leases in found.items()
    )


def _lease(text: str) -> LeaseId:
    return LeaseId(int(text, 16))
