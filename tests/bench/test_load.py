"""The puts of others are measured, and somebody looks leases up meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.bench.load import NOBODY, Load, commands, table, turn
from tests.bench.lookups import granted

pytestmark = [pytest.mark.etcd, pytest.mark.slow]


def test_puts_are_measured_beside_every_client(etcd: EtcdServer, tmp_path: Path) -> None:
    """Each client that this machine has looks leases up all the while; nobody does nothing."""
    leases = granted(etcd, tmp_path / "leases.txt", 60)
    found, missing = commands(leases, 1.0)
    turns = {name: turn(etcd.address, 0.5, command, 0.0) for name, command in found.items()}

    assert len(found) + len(missing) == 4
    for name, taken in turns.items():
        assert 0 < taken.p50_ms <= taken.p99_ms
        assert taken.puts_per_s > 0
        assert (taken.lookups_per_s > 0) == (name != NOBODY)
    assert table({name: Load.of([taken]) for name, taken in turns.items()}).row_count == len(found)
