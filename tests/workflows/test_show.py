"""Finding what a word means, and examining just that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.notes import KeysLeftOut
from lockdoctor.domain.report.report import Report
from lockdoctor.errors import AccessDeniedError, NotFoundError
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.show import MAX_QUEUES, ShowRequest, ShowTarget, show
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster
from tests.workflows.scan.test_scan import Steps, lock

TTL_S = 12


class World:
    """A leaked lock with a waiter, a lock with a longer name beside it, and an idle session."""

    def __init__(self, cluster: FakeCluster) -> None:
        """Lay it out."""
        self.cluster = cluster
        self.holder = cluster.session(TTL_S)
        self.waiter = cluster.session(TTL_S)
        self.idle = cluster.session(TTL_S)
        self.key = lock(cluster, b"/l/orders", self.holder)
        lock(cluster, b"/l/orders", self.waiter)
        lock(cluster, b"/l/orders2", cluster.session(TTL_S))


def shown(
    subject: Callable[[World], tuple[bytes, LeaseId | None]],
    window_s: float = 60.0,
    change: Callable[[World], object] = lambda _: None,
) -> tuple[World, Report]:
    async def story() -> tuple[World, Report]:
        clock = FakeClock()
        world = World(FakeCluster(clock))
        change(world)
        name, lease_id = subject(world)
        request = ShowRequest(
            subject=ShowTarget(name=name, lease_id=lease_id), policy=Policy(), window_s=window_s
        )
        report = await show(world.cluster, clock, request, Steps(), StopRequest())
        return world, report

    return run(story())


def names(report: Report) -> list[bytes]:
    return [each.lock.name for each in report.locks]


def test_a_lock_by_its_name() -> None:
    """With those who wait, watched as closely as the holder; not one whose name is longer."""
    world, report = shown(lambda _: (b"/l/orders", None))

    assert names(report) == [b"/l/orders"]
    (found,) = report.locks
    assert found.verdict.kind is VerdictKind.SUSPECTED_LEAK
    assert found.traces[world.waiter].renewals >= 2
    assert len(found.waited_s) == 1
    assert found.waited_s[0] > 1


def test_a_lock_by_one_of_its_keys() -> None:
    """The key of any contender leads to the whole queue."""
    _, report = shown(lambda world: (world.key, None))

    assert names(report) == [b"/l/orders"]
    assert len(report.locks[0].lock.keys) == 2


def test_the_locks_of_a_lease() -> None:
    """All of them, whether it holds or waits."""

    def takes_another(world: World) -> None:
        lock(world.cluster, b"/l/other", world.waiter)

    _, report = shown(lambda world: (b"%x" % world.waiter, world.waiter), change=takes_another)

    assert sorted(names(report)) == [b"/l/orders", b"/l/other"]


def test_a_lease_without_keys() -> None:
    """It is watched by itself, and no other lease of the cluster is."""
    world, report = shown(lambda world: (b"%x" % world.idle, world.idle))

    assert names(report) == []
    (session,) = report.sessions
    assert session.trace.lease_id == world.idle
    assert session.verdict.kind is VerdictKind.IDLE_SESSION
    assert not report.findings
    assert world.cluster.lookups <= 4


def test_a_word_that_looks_like_a_lease_but_is_a_key() -> None:
    """Where there is no such lease, the key of that name is meant."""

    def writes_it(world: World) -> None:
        lease = world.cluster.session(TTL_S)
        world.cluster.put(b"beef", lease_id=lease)

    _, report = shown(lambda _: (b"beef", LeaseId(0xBEEF)), change=writes_it)

    assert names(report) == [b"beef"]


def test_a_lease_of_many_keys_is_cut_and_says_so() -> None:
    """So many queues are looked at; the rest is counted."""

    def fills_it(world: World) -> None:
        for number in range(MAX_QUEUES + 5):
            world.cluster.put(b"/many/%03d" % number, lease_id=world.idle)

    _, report = shown(lambda world: (b"", world.idle), window_s=0, change=fills_it)

    assert len(report.locks) == MAX_QUEUES
    assert KeysLeftOut(5) in report.notes


@pytest.mark.parametrize("lease_id", [None, LeaseId(0xBEEF)])
def test_nothing_of_that_name(lease_id: LeaseId | None) -> None:
    """Neither a lease, nor a key, nor a lock; a prefix of names is none of them."""
    with pytest.raises(NotFoundError, match="of this name exists now"):
        shown(lambda _: (b"/l/ord", lease_id))


def test_a_lease_whose_keys_may_not_be_seen() -> None:
    """Then it would look like one without keys, which it may not be."""

    def denies(world: World) -> None:
        world.cluster.attached_keys_denied = True

    with pytest.raises(AccessDeniedError, match="Use the name of its key"):
        shown(lambda world: (b"", world.holder), change=denies)
