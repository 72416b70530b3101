"""`lockdoctor check --treat` on locks that are leaked for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.lock_client import LockClient, Mutex
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.journal.file import FileJournal
from tests.lock_clients import eventually
from tests.scenarios.run_check import Checked, Checker

pytestmark = pytest.mark.etcd

TTL_S = 2
"""As short as etcd grants it."""


@pytest.fixture
def checker(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> Checker:
    """Checks a prefix for which the policy allows a release after two runs."""
    return Checker(endpoint=etcd.endpoint, prefix=prefix, history=tmp_path / "history.sqlite3")


@pytest.fixture
def client(etcd: EtcdServer) -> Iterator[LockClient]:
    """Somebody who leaks."""
    client = LockClient(etcd.address)
    yield client
    client.close()


def flags(folder: Path, prefix: bytes, *, treat: bool = True) -> tuple[str, ...]:
    config = folder / "lockdoctor.toml"
    allowed = 'treat = "release"\ntreat_min_held = "2s"\ntreat_min_runs = 2\ntreat_max_per_day = 1'
    config.write_text(
        f'[[prefix]]\nprefix = "{prefix.decode()}"\nmax_hold = "1s"\n{allowed if treat else ""}\n'
    )
    return ("--treat", "--config", str(config), "--journal", str(folder / "journal.jsonl"))


def test_a_leak_is_treated_once_it_is_proven_often_enough(
    checker: Checker, client: LockClient, tmp_path: Path
) -> None:
    """
    Two checks find it, the second releases it, and the one who waited holds the lock.

    The status is that before the treatment; a second leak of the day is left to people.
    """
    leaked, waiting = client.session(TTL_S), client.session(TTL_S)
    Mutex(leaked, checker.prefix + b"orders").queue_up()
    waiter = Mutex(waiting, checker.prefix + b"orders")
    waiter.queue_up()
    given = flags(tmp_path, checker.prefix)
    journal = FileJournal(tmp_path / "journal.jsonl")

    def treated() -> Checked | None:
        checked = checker.here(*given, "--no-sessions")
        return checked if " treated=1;" in checked.line else None

    checked = eventually(treated, within_s=30)

    assert checked is not None
    assert checked.status == 2
    assert checked.line.startswith("LOCKDOCTOR CRITICAL - 1 leaked lock blocks 1 waiter:")
    assert "; 1 lock treated unattended |" in checked.line
    (entry,) = journal.entries()
    assert (entry.intent.action, entry.result) == (Action.RELEASE, Result.DONE)
    assert entry.intent.treated_under == checker.prefix
    assert entry.intent.locks == (checker.prefix + b"orders",)
    assert eventually(lambda: "ENOUGH" in _why(checker.here(*given)), within_s=30)
    assert len(journal.entries()) == 1


def _why(checked: Checked) -> str:
    """Name why nothing was treated, once the next leak is proven."""
    told = "`treat_max_per_day` is reached"
    return "ENOUGH" if told in checked.stdout and " treated=0;" in checked.line else ""


def test_a_policy_that_allows_nothing_is_bad_usage(checker: Checker, tmp_path: Path) -> None:
    """UNKNOWN, and said in one line: whoever wrote --treat expects something."""
    checked = checker.here(*flags(tmp_path, checker.prefix, treat=False))

    assert checked.status == 3
    assert "needs a [[prefix]] with `treat`" in checked.line
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_journal_that_is_a_folder_is_refused(checker: Checker, tmp_path: Path) -> None:
    """No check that treats begins without a place to write down what it does."""
    (tmp_path / "journal.jsonl").mkdir()

    checked = checker.here(*flags(tmp_path, checker.prefix), "--no-sessions")

    assert checked.status == 3
    assert "is a folder, not a lockdoctor journal. It was not changed." in checked.line
