"""The history for people: whole texts, and what must never reach a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.stored import Stored, StoredFinding, StoredHold, StoredLease, StoredRun
from lockdoctor.outputs.table.history import MAX_RUNS, HistoryTable
from tests.factories.report_examples import HOSTILE
from tests.factories.reports import HOLDER, NOON

HOUR = 3600.0
NAME = b"/my-lock/orders"
KEY = b"/my-lock/orders/32698f1c0a1b2c3d"

LOCK = """\
/my-lock/orders: 2 holds, 38 readings, 1 finding stored, last seen 1 h ago

Holds, the last one first
Hold                                                  Seen (UTC)            Runs
────────────────────────────────────────────────────────────────────────────────
/my-lock/orders                                       2026-01-01 12:00 to     37
lease 32698f1c0a1b2c3d, create revision 10            2026-01-01 15:00
held for at least 2 h, last seen 1 h ago
/my-lock/orders                                       2026-01-01 12:00 to     37
key /my-lock/orders/other                             2026-01-01 13:00
lease 0000000000000077, create revision 10
there for at least 1 h, never seen to hold, last
seen 3 h ago

Readings of the lease, the last ones first
Lease              TTL    Left at last   Read (UTC)            Readings
───────────────────────────────────────────────────────────────────────
32698f1c0a1b2c3d   60 s   41 s           2026-01-01 12:00 to         37
                                         2026-01-01 15:00
0000000000000077   gone   -              2026-01-01 14:00             1

Findings, the last one first
Finding                       Found (UTC)           Runs
────────────────────────────────────────────────────────
leaked-lock                   2026-01-01 13:00 to     25
/my-lock/orders               2026-01-01 15:00
for 2 h, last found 1 h ago
"""


def a_run(number: int = 1, **fields: Any) -> StoredRun:
    at = NOON + 300 * number
    return StoredRun(
        **{
            "number": number,
            "cluster_id": 0xABC,
            "lineage": 1,
            "command": "check",
            "prefixes": (b"/my-lock/",),
            "started_at": at,
            "ended_at": at + 1.2,
            "revision": 100,
            "raft_term": 2,
            "severity": Severity.OK,
            "holds": 1234,
            "findings": 0,
            "sessions": None,
            **fields,
        }
    )


def a_hold(name: bytes = NAME, key: bytes = KEY, **fields: Any) -> StoredHold:
    return StoredHold(
        **{
            "cluster_id": 0xABC,
            "lineage": 1,
            "hold": Hold(key, 10),
            "lease_id": HOLDER,
            "lock_name": name,
            "recipe": "mutex",
            "first_answered_at": NOON,
            "last_asked_at": NOON + 3 * HOUR,
            "held_first_answered_at": NOON + HOUR,
            "runs": 37,
            **fields,
        }
    )


def a_lease(**fields: Any) -> StoredLease:
    return StoredLease(
        **{
            "cluster_id": 0xABC,
            "lineage": 1,
            "lease_id": HOLDER,
            "granted_ttl_s": 60,
            "raft_term": 2,
            "first_answered_at": NOON,
            "last_answered_at": NOON + 3 * HOUR,
            "last_remaining_ttl_s": 41,
            "readings": 37,
            **fields,
        }
    )


def a_finding(**fields: Any) -> StoredFinding:
    return StoredFinding(
        **{
            "cluster_id": 0xABC,
            "lineage": 1,
            "verdict": "leaked-lock",
            "lock_name": NAME,
            "recipe": "mutex",
            "since_at": NOON + HOUR,
            "last_at": NOON + 3 * HOUR,
            "runs": 25,
            **fields,
        }
    )


def text_of_runs(*runs: StoredRun, width: int = 80, colour: bool = False) -> str:
    out = io.StringIO()
    HistoryTable(width=width, colour=colour, now=NOON + 24 * HOUR).runs(runs, out)
    return out.getvalue()


def text_of(name: bytes, stored: Stored, width: int = 80) -> str:
    out = io.StringIO()
    HistoryTable(width=width, colour=False, now=NOON + 4 * HOUR).stored(name, stored, out)
    return out.getvalue()


def test_the_runs() -> None:
    """The last one first, those over the same prefixes together, lineages told apart."""
    runs = (
        a_run(3, severity=Severity.CRITICAL, findings=2, sessions=1050),
        a_run(2, prefixes=(b"",), command="scan"),
        a_run(1, lineage=2),
    )

    assert text_of_runs(*runs) == (
        "3 runs since 2026-01-01 12:05 UTC, the last one 23 h 45 min ago: CRITICAL\n"
        "\n"
        "Below /my-lock/ in cluster abc, lineage 1\n"
        "Started (UTC)      By      Worst       Took    Keys   Findings   Sessions\n"
        "─────────────────────────────────────────────────────────────────────────\n"
        "2026-01-01 12:15   check   CRITICAL   1.2 s   1,234          2      1,050\n"
        "\n"
        "Below every key in cluster abc, lineage 1\n"
        "Started (UTC)      By     Worst    Took    Keys   Findings   Sessions\n"
        "─────────────────────────────────────────────────────────────────────\n"
        "2026-01-01 12:10   scan   OK      1.2 s   1,234          0          -\n"
        "\n"
        "Below /my-lock/ in cluster abc, lineage 2\n"
        "Started (UTC)      By      Worst    Took    Keys   Findings   Sessions\n"
        "──────────────────────────────────────────────────────────────────────\n"
        "2026-01-01 12:05   check   OK      1.2 s   1,234          0          -\n"
    )


def test_many_runs_are_counted() -> None:
    """The last ones are listed, the rest is said to be there."""
    text = text_of_runs(*(a_run(number) for number in range(MAX_RUNS + 9, 0, -1)))

    assert text.startswith(f"{MAX_RUNS + 9} runs since 2026-01-01 12:05 UTC")
    assert text.count("check") == MAX_RUNS
    assert text.endswith("\n… and 9 earlier runs; --format json has them all\n")


def test_runs_ahead_of_the_clock_are_told() -> None:
    """A clock that was set back leaves them out, and says so."""
    ahead = a_run(2, started_at=NOON + 48 * HOUR, ended_at=NOON + 49 * HOUR)

    text = " ".join(text_of_runs(ahead, a_run(1)).split())

    assert "In the future of this machine's clock: 1 run. lockdoctor leaves them out" in text
    assert "In the future" not in text_of_runs(a_run(1))


def test_what_stood_for_a_lock() -> None:
    """Who held and who waited, what was read of the leases, what was found."""
    waiter = a_hold(
        key=b"/my-lock/orders/other",
        lease_id=LeaseId(0x77),
        last_asked_at=NOON + HOUR,
        held_first_answered_at=None,
    )
    gone = a_lease(
        lease_id=LeaseId(0x77),
        granted_ttl_s=None,
        last_remaining_ttl_s=None,
        first_answered_at=NOON + 2 * HOUR,
        last_answered_at=NOON + 2 * HOUR,
        readings=1,
    )
    stored = Stored(holds=(waiter, a_hold()), leases=(gone, a_lease()), findings=(a_finding(),))

    assert text_of(NAME, stored) == LOCK


def test_a_hold_without_a_lease() -> None:
    """Says so."""
    text = text_of(b"/k", Stored(holds=(a_hold(b"/k", b"/k", lease_id=LeaseId(0)),)))

    assert "no lease, create revision 10" in text
    assert "key /k" not in text


def test_many_rows_are_counted() -> None:
    """Of each kind the last ones are listed."""
    holds = tuple(a_hold(last_asked_at=NOON + 4 * HOUR + n) for n in range(60))
    leases = tuple(a_lease(last_answered_at=NOON + n) for n in range(51))
    findings = tuple(a_finding(last_at=NOON + n) for n in range(52))
    text = text_of(NAME, Stored(holds=holds, leases=leases, findings=findings))

    assert "… and 10 earlier holds; history export has them all" in text
    assert "… and 1 earlier row; history export has them all" in text
    assert "… and 2 earlier findings; history export has them all" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(name: bytes) -> None:
    """No name, prefix, verdict or command of the file moves the cursor or brings colour."""
    verdict = "leak\x1b[31m\n[bold]ed"
    stored = Stored(holds=(a_hold(name, name),), findings=(a_finding(verdict=verdict),))
    runs = (a_run(prefixes=(name,), command="che\x1b[31mck\n[bold]"),)

    for text in (text_of(name, stored, width=400), text_of_runs(*runs, width=400)):
        assert all(char.isprintable() for char in text.replace("\n", ""))
        assert "[bold]" in text


def test_colour_is_for_what_is_bad() -> None:
    """And words say the same without it."""
    coloured = text_of_runs(a_run(severity=Severity.CRITICAL), colour=True)

    assert "\x1b[1;31mCRITICAL\x1b[0m" in coloured
    assert "\x1b" not in text_of_runs(a_run(severity=Severity.CRITICAL))
