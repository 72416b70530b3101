"""
Treatments of a real etcd in which something happens at a chosen step.

As a program it carries a saved plan out and ends itself at that step, as kill -9 would.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from lockdoctor.clock import SystemClock
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import LeaseId, LeaseReading
from lockdoctor.domain.model.locks import LockId, LockKey, Recipe
from lockdoctor.domain.model.write_result import WriteResult
from lockdoctor.domain.recipes.registry import built_in
from lockdoctor.domain.treatment.journal_entry import Actor
from lockdoctor.domain.treatment.plan import ApprovedHold, RevokePlan, Target
from lockdoctor.etcd.writer import EtcdWriter
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.json.plan_reading import read_plan
from lockdoctor.outputs.text.treatment import PlainTreatmentText
from lockdoctor.ports import KeyWriter, StopRequest
from lockdoctor.workflows.treatment.context import TreatmentContext
from lockdoctor.workflows.treatment.plan import ExecutionOptions, execute_plan
from tests.etcd.connections import connected

T = TypeVar("T")
Steer = Callable[[str], Awaitable[None]]


async def _nothing(_: str) -> None:
    """Let it be."""


class SteeredKeyWriter:
    """A KeyWriter (see ports) that does nothing unobserved."""

    def __init__(self, key_writer: KeyWriter) -> None:
        """Do what this one does."""
        self.before: Steer = _nothing
        """Awaited with the name of each write before it is asked for."""
        self.after: Steer = _nothing
        """Awaited once it was answered."""
        self._key_writer = key_writer

    async def key(self, key: bytes) -> LockKey | None:
        """Read one key."""
        return await self._key_writer.key(key)

    async def delete(self, keys: Sequence[LockKey]) -> WriteResult:
        """Delete keys, guarded."""
        return await self._steered("delete", self._key_writer.delete(keys))

    async def move(self, keys: Sequence[LockKey], to: LeaseId) -> WriteResult:
        """Put keys onto another lease, guarded."""
        return await self._steered("move", self._key_writer.move(keys, to))

    async def create(self, keys: Sequence[LockKey], lease_id: LeaseId) -> WriteResult:
        """Write keys where there are none."""
        return await self._steered("create", self._key_writer.create(keys, lease_id))

    async def grant(self, ttl_s: int) -> LeaseId:
        """Grant a lease."""
        return await self._steered("grant", self._key_writer.grant(ttl_s))

    async def revoke(self, lease_id: LeaseId) -> WriteResult:
        """End a lease."""
        return await self._steered("revoke", self._key_writer.revoke(lease_id))

    async def _steered(self, step: str, work: Awaitable[T]) -> T:
        await self.before(step)
        done = await work
        await self.after(step)
        return done


@asynccontextmanager
async def context_at(
    journal: Path, *endpoints: str, command_timeout_s: float = 8.0, look_up_s: float = 15.0
) -> AsyncIterator[tuple[TreatmentContext, SteeredKeyWriter]]:
    """Connect, and have all that a treatment needs."""
    clock = SystemClock()
    async with connected(*endpoints, command_timeout_s=command_timeout_s) as cluster:
        key_writer = SteeredKeyWriter(EtcdWriter(cluster.connection, clock))
        context = TreatmentContext(
            cluster=cluster,
            key_writer=key_writer,
            journal=FileJournal(journal),
            clock=clock,
            words=PlainTreatmentText(),
            who=Actor(user="ops", host="bastion", pid=os.getpid()),
            recipes=built_in(),
            look_up_s=look_up_s,
        )
        yield context, key_writer


async def plan_for(
    context: TreatmentContext, name: bytes, lease_id: LeaseId, action: Action
) -> RevokePlan:
    """Plan the treatment of a Go mutex that this lease holds, as if it had been judged leaked."""
    hold = await context.key_writer.key(name + b"/%x" % lease_id)
    assert hold is not None
    status = await context.cluster.status()
    (lease,) = [r async for r in context.cluster.read_leases([lease_id], with_keys=False)]
    assert isinstance(lease, LeaseReading)
    target = Target(
        action=action,
        lease_id=lease_id,
        granted_ttl_s=lease.granted_ttl_s,
        approved_holds=(
            ApprovedHold(lock=LockId(name, Recipe.GO_MUTEX), hold=hold, is_holder=True),
        ),
        verdict=VerdictKind.LEAKED_LOCK,
        confidence=Confidence.PROVEN,
        held_at_least_s=None,
        evidence=(),
    )
    return RevokePlan(
        made_at=context.clock.now(),
        cluster_id=status.cluster_id,
        raft_term=status.raft_term,
        prefixes=(name,),
        quarantine_s=60,
        targets=(target,),
    )


async def end_at(step: str, moment: str, plan: RevokePlan, journal: Path, endpoint: str) -> None:
    """Carry a saved plan out, and end as kill -9 would: before or after a step."""

    async def die(now: str) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    async with context_at(journal, endpoint) as (context, key_writer):
        setattr(key_writer, moment, die)
        await execute_plan(context, plan, ExecutionOptions(), StopRequest())


if __name__ == "__main__":
    _, its_step, its_moment, file, its_journal, its_endpoint = sys.argv
    saved = read_plan(Path(file).read_text(encoding="utf-8"))
    asyncio.run(end_at(its_step, its_moment, saved, Path(its_journal), its_endpoint))
