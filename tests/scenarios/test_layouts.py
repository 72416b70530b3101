"""Keys that well-known products keep as long as they live: never called leaked for that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.factories.recipes import MASTERLEASE, Layouts
from tests.scenarios.run_scan import Scanned, finish_scan, start_scan

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(120)]

BASE = b"/layouts/"
LEAKS = {"leaked-lock", "suspected-leak", "eternal-lock"}


@pytest.fixture(scope="module")
def scans(etcd: EtcdServer) -> Iterator[tuple[Scanned, Scanned]]:
    """All layouts, scanned without a word on them, and with holds limited to a second."""
    with Layouts(etcd.address, BASE):
        running = [
            start_scan(etcd.endpoint, BASE, "--format=json", *flags)
            for flags in ((), ("--max-hold=1s",))
        ]
        unsaid, limited = map(finish_scan, running)
        yield unsaid, limited


ELECTIONS = {
    b"service/pg/leader": "patroni",
    b"vault/core/lock": "election",
    b"tidb/ddl/fg/owner": "election",
    b"vt/elections/vtctld": "vitess-election",
    b"app:election/cron": "node-election",
}


@pytest.mark.parametrize(("name", "recipe"), ELECTIONS.items())
def test_elections_are_known_and_healthy(
    scans: tuple[Scanned, Scanned], name: bytes, recipe: str
) -> None:
    """A leader leads as long as it lives, whatever the limit of a hold."""
    for found in scans:
        lock = found.lock(BASE + name)

        assert (lock["recipe"], lock["kind"]) == (recipe, "election")
        assert lock["verdict"] == "healthy"


REGISTRATIONS = (
    b"service/pg/members/node-a",
    b"service/pg/members/node-b",
    b"topology/tidb/10.0.0.7:4000/ttl",
    b"by-dev/meta/session/rootcoord",
    b"by-dev/meta/session/proxy-3",
    MASTERLEASE,
)


@pytest.mark.parametrize("name", REGISTRATIONS)
def test_registrations_are_known_and_healthy(scans: tuple[Scanned, Scanned], name: bytes) -> None:
    """A service's entry stands as long as it lives, whether it is renewed or written again."""
    for found in scans:
        lock = found.lock(BASE + name)

        assert (lock["recipe"], lock["verdict"]) == ("registration", "healthy")


def test_registrations_under_numbers_are_known(scans: tuple[Scanned, Scanned]) -> None:
    """TiDB's servers and go-zero's services tell themselves by number, one entry each."""
    for place in (b"tidb/server/info/", b"orders.rpc/"):
        (name,) = (each for each in scans[0].verdicts if each.startswith(BASE + place))

        assert scans[0].lock(name)["recipe"] == "registration"


def test_none_is_called_leaked_but_locks(scans: tuple[Scanned, Scanned]) -> None:
    """Of all that stands and is renewed only what is a lock is ever accused."""
    unsaid, limited = scans
    accused = {BASE + b"vt/keyspaces/main", BASE + b"rw"}

    for found in scans:
        assert {name for name, verdict in found.verdicts.items() if verdict in LEAKS} == accused
    assert {unsaid.verdicts[name] for name in accused} == {"suspected-leak"}
    assert {limited.verdicts[name] for name in accused} == {"leaked-lock"}


def test_locks_are_known_with_their_queue(scans: tuple[Scanned, Scanned]) -> None:
    """Vitess's lock has its waiter, a read-write lock its readers and the writer behind them."""
    vitess, rw = (scans[0].lock(BASE + name) for name in (b"vt/keyspaces/main", b"rw"))

    assert (vitess["recipe"], len(vitess["waiters"])) == ("vitess", 1)
    assert (rw["recipe"], len(rw["sharers"]), len(rw["waiters"])) == ("rw-mutex", 1, 1)
    assert rw["held_claimed_s"] is not None


def test_what_nobody_knows_is_left_open(scans: tuple[Scanned, Scanned]) -> None:
    """A broker's keys may be anything: said to be unknown, never accused."""
    broker = [name for name in scans[1].verdicts if name.startswith(BASE + b"namespace/")]

    assert len(broker) == 12
    assert {scans[1].verdicts[name] for name in broker} == {"undetermined"}
