"""The benchmark measures what it says, on a small scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import LeaseId
from tests.bench.aged import aged
from tests.bench.contenders import PYTHON, Leases, contenders
from tests.bench.lookups import granted
from tests.bench.scans import FORMATS, queues, snapshots
from tests.bench.schedule import plan
from tests.bench.usage import BenchError

pytestmark = [pytest.mark.etcd, pytest.mark.slow]

COUNT = 60


@pytest.fixture(scope="module")
def leases(etcd: EtcdServer, tmp_path_factory: pytest.TempPathFactory) -> Leases:
    """A few leases to look up."""
    return granted(etcd, tmp_path_factory.mktemp("bench") / "leases.txt", COUNT)


def test_every_contender_finds_every_lease(leases: Leases) -> None:
    """Each that this machine has gives figures; those in Python are always there."""
    found, missing = contenders()
    assert set(PYTHON) <= set(found)
    assert len(found) + len(missing) >= len(PYTHON) + 2
    turns = [look_up(leases) for look_up in found.values()]
    assert all(turn.rate > 0 and turn.cpu_us_per_lookup > 0 < turn.peak_mb for turn in turns)


def test_a_lease_that_is_not_found_is_an_error(leases: Leases, tmp_path: Path) -> None:
    """Nobody gets a rate for answers that say nothing."""
    ids = [LeaseId(lease ^ 1 << 60) for lease in leases.ids]
    path = tmp_path / "unknown.txt"
    path.write_text("\n".join(map(str, ids)), encoding="ascii")
    unknown = Leases(address=leases.address, ids=ids, path=path)
    for look_up in contenders()[0].values():
        with pytest.raises(BenchError):
            look_up(unknown)


def test_a_scan_is_measured_in_every_format() -> None:
    """Each repeat of each format is a whole run that saw all locks."""
    for usages in (snapshots(30, repeats=2), queues(30, repeats=1)):
        assert usages.keys() - {"check"} == set(FORMATS)
        assert all(usage.peak_mb > 0 for found in usages.values() for usage in found)


def test_a_check_is_measured_with_a_past_and_without() -> None:
    """Both look every lease up once, and the history that was made up is believed."""
    found = aged(days=0.1, locks=20, repeats=1)
    assert found.runs == 29
    assert found.ratio.median > 0


def test_planning_needs_no_etcd() -> None:
    """Three looks prove two renewals of a lease, however many leases there are."""
    found = plan(3_000)
    assert found.looks_per_lease == 3.0
    assert found.cpu_s > 0
