"""A fake cluster with somebody to be treated, and all that a treatment of it needs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.policy.policy import Limits, Policy
from lockdoctor.domain.recipes.registry import built_in
from lockdoctor.domain.treatment.journal_entry import Actor, Entry, EntryId
from lockdoctor.domain.treatment.plan import RevokePlan, Selection, Target
from lockdoctor.domain.treatment.results import (
    ActionResult,
    AnyTarget,
    Reacquired,
    TreatmentReport,
)
from lockdoctor.ports import ScanProgress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from lockdoctor.workflows.treatment.context import TreatmentContext
from lockdoctor.workflows.treatment.plan import ExecutionOptions, execute_plan, plan_revocation
from lockdoctor.workflows.treatment.undo import undo
from lockdoctor.workflows.treatment.verify import watch_for_relapse
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster, FakeJournal
from tests.fakes.key_writer import FakeKeyWriter

PREFIX = b"/l/"
ORDERS = b"/l/orders"
NOBODY = Actor(user="ops", host="bastion", pid=4711)
TTL_S = 9
MAX_HOLD_S = 10.0
WAYS = [Action.REVOKE, Action.RELEASE, Action.QUARANTINE]


Story = Callable[["Room"], Coroutine[Any, Any, None]]


class PlainWords:
    """Words that name what they are told."""

    def evidence(self, evidence: Evidence) -> str:
        """Name it."""
        return type(evidence).__name__

    def outcome(self, treated: ActionResult[AnyTarget]) -> str:
        """Name it."""
        return treated.result.value


class Silent:
    """Somebody who does not want to know how far a scan has come."""

    def update(self, progress: ScanProgress) -> None:
        """Take no notice."""


class Room:
    """A fake cluster and everything around a treatment of it."""

    def __init__(self) -> None:
        """Start with an empty cluster and a journal that takes all."""
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.key_writer = FakeKeyWriter(self.cluster, self.clock)
        self.journal = FakeJournal()
        self.stop = StopRequest()

    @property
    def context(self) -> TreatmentContext:
        """What a treatment works with."""
        return TreatmentContext(
            cluster=self.cluster,
            key_writer=self.key_writer,
            journal=self.journal,
            clock=self.clock,
            words=PlainWords(),
            who=NOBODY,
            recipes=built_in(),
        )

    def session(self, ttl_s: int = TTL_S) -> LeaseId:
        """Open a session that is renewed for ever."""
        return self.cluster.session(ttl_s)

    def lock(self, lease_id: LeaseId, name: bytes = ORDERS) -> LockKey:
        """Contend for a Go mutex."""
        return self.cluster.put(name + b"/%x" % lease_id, lease_id=lease_id)

    def leak(self, name: bytes = ORDERS) -> LeaseId:
        """Take a lock and never give it back."""
        lease_id = self.session()
        self.lock(lease_id, name)
        return lease_id

    @property
    def keys(self) -> set[bytes]:
        """Every key of the cluster."""
        return set(self.cluster._keys)

    @property
    def leases(self) -> set[LeaseId]:
        """Every lease of the cluster."""
        self.cluster._settle()
        return set(self.cluster._leases)

    async def plan(
        self,
        selection: Selection | None = None,
        prefixes: tuple[bytes, ...] = (PREFIX,),
        window_s: float = 30.0,
        **fields: Any,
    ) -> RevokePlan:
        """Scan, by default for as long as proves a leak, and plan."""
        wanted = replace(selection or Selection(), **fields)
        request = ScanRequest(
            prefixes=prefixes,
            policy=Policy(overrides=Limits(max_hold_s=MAX_HOLD_S)),
            window_s=window_s,
            sessions=wanted.sessions or bool(wanted.leases),
        )
        report = await scan(self.cluster, self.clock, request, Silent(), StopRequest())
        return await plan_revocation(self.context, report, wanted)

    async def treat(
        self,
        plan: RevokePlan,
        options: ExecutionOptions | None = None,
        on_result: Callable[[ActionResult[Target]], None] = lambda _: None,
    ) -> TreatmentReport:
        """Carry a plan out."""
        return await execute_plan(
            self.context, plan, options or ExecutionOptions(), self.stop, on_result
        )

    async def watch(self, treatment: TreatmentReport, seconds: float) -> tuple[Reacquired, ...]:
        """Watch whether the leak comes back."""
        return await watch_for_relapse(self.context, treatment.treated, seconds, self.stop)

    async def undo(self, entry_id: EntryId) -> ActionResult[Entry]:
        """Undo a quarantine."""
        return await undo(self.context, entry_id, self.stop)


def tell(story: Story) -> None:
    """Run a story in a room of its own."""
    run(story(Room()))


def only(treatment: TreatmentReport) -> ActionResult[Target]:
    """The one target that was treated."""
    (treated,) = treatment.treated
    return treated


def key_of(lease_id: LeaseId, name: bytes = ORDERS) -> bytes:
    """The key of a contender for a Go mutex."""
    return name + b"/%x" % lease_id
