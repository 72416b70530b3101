"""The journal as a person sees it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.treatment.journal_entry import Entry, Reason
from lockdoctor.outputs.table.journal import MAX_KEYS, JournalTable
from tests.factories.reports import a_key, an_intent, an_outcome

HOSTILE = b"/x\x1b[31m\n[bold]|\xff"
DONE = Entry(an_intent("aaaa"), an_outcome("aaaa"))
BEGUN = Entry(an_intent("bbbb"), None)


def listed(*shown: Entry, total: int | None = None, notes: Sequence[str] = ()) -> str:
    out = io.StringIO()
    table = JournalTable(width=100, colour=False)
    table.entries(shown, len(shown) if total is None else total, list(notes), out)
    return out.getvalue()


def told(entry: Entry, width: int = 80) -> str:
    out = io.StringIO()
    JournalTable(width=width, colour=False).entry(entry, [], out)
    return out.getvalue()


def test_the_list() -> None:
    """When, what, by whom, why, and what came of it."""
    assert listed(DONE, total=7) == (
        "The last 1 of 7 entries, the last one first\n"
        "\n"
        "Entry   When (UTC)         What                                    Outcome\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "aaaa    2026-01-01 12:00   revoke /my-lock/orders                  done\n"
        "                           1 key, by ops on bastion, leaked-lock\n"
    )


def test_an_unknown_outcome_is_said_first() -> None:
    """It is what a person has to look after, so the first line says how."""
    headline, *_ = listed(DONE, BEGUN).splitlines()

    assert headline == "2 entries, 1 of unknown outcome: lockdoctor journal show bbbb"
    assert "outcome unknown" in listed(BEGUN)


def test_an_empty_list_says_so_and_why() -> None:
    """Nothing was done, as far as this file knows."""
    assert listed(notes=["there is no journal at /x so far"]) == (
        "Nothing has been done to etcd that the journal knows of\n"
        "\n"
        "Note: there is no journal at /x so far\n"
    )


def test_what_nobody_asked_for_is_marked() -> None:
    """The unattended, what puts back what, and sessions that held no lock."""
    unattended = Entry(an_intent(Action.RELEASE.value, treated_under=b"/my-lock/"), None)
    undo = Entry(an_intent("u", Action.UNDO, of="aaaa", locks=(b"/a", b"/b", b"/c", b"/d")), None)
    session = Entry(an_intent("s", locks=(), keys=()), None)

    assert "1 key, unattended, as ops on bastion" in listed(unattended)
    assert "undo /a, /b, /c and 1 more lock" in listed(undo)
    assert "1 key of aaaa, by ops" in listed(undo)
    assert "revoke lease 32698f1c0a1b2c3d" in listed(session)
    assert "no keys, by ops" in listed(session)


def test_one_entry_whole() -> None:
    """Everything that was written down, and how to go on."""
    reason = Reason(verdict="leaked-lock", confidence="proven", evidence=("It was renewed.",))
    keys = (a_key(), a_key(b"/app/config", value=b"v", lease_id=NO_LEASE))
    entry = Entry(an_intent("aaaa", keys=keys, why=reason), an_outcome("aaaa"))

    assert told(entry) == (
        "revoke /my-lock/orders: done\n"
        "  Entry    aaaa\n"
        "  When     2026-01-01 12:00 UTC\n"
        "  Outcome  The lease is gone. (after 250 ms)\n"
        "  Who      ops on bastion, process 4711\n"
        "  Why      leaked-lock, proven\n"
        "           - It was renewed.\n"
        "  Cluster  c1\n"
        "  Lease    32698f1c0a1b2c3d, TTL 60 s\n"
        "\n"
        "2 keys, as read right before\n"
        "  /my-lock/orders/32698f1c0a1b2c3d\n"
        "    lease 32698f1c0a1b2c3d, create revision 10, modified at 10 (version 1)\n"
        "    empty value\n"
        "  /app/config\n"
        "    no lease, create revision 10, modified at 10 (version 1)\n"
        "    value of 1 byte: v\n"
        "\n"
        "See which of them are gone, and put those back:\n"
        "  lockdoctor journal restore aaaa\n"
    )


def test_an_entry_without_an_outcome_claims_nothing() -> None:
    """Neither that it was done nor that it was not."""
    text = " ".join(told(BEGUN).split())

    assert text.startswith("revoke /my-lock/orders: outcome unknown")
    assert "none was written: it may have been done or not, or is being done now" in text


def test_the_rest_of_an_entry() -> None:
    """The policy that allowed it, the lease that the keys went onto, values that were cut."""
    keys = (replace(a_key(value=b"v" * 10), value_size=2000),)
    entry = Entry(
        an_intent(
            treated_under=b"/my-lock/", new_lease_id=LeaseId(7), new_ttl_s=60, of="a", keys=keys
        ),
        an_outcome(),
    )

    text = told(entry)

    assert "unattended, as the policy for /my-lock/ allows" in text
    assert "New lease  0000000000000007, TTL 60 s" in text
    assert "Of entry   a\n" in text
    assert "value of 2.0 kB, of which 10 bytes were kept" in text


def test_a_quarantine_can_be_undone() -> None:
    """As long as it lasts: by the command that also knows the old lease."""
    assert "  lockdoctor revoke --undo q\n" in told(Entry(an_intent("q", Action.QUARANTINE), None))
    assert "--undo" not in told(BEGUN)


def test_many_keys_are_counted() -> None:
    """JSON has them all."""
    entry = Entry(an_intent(keys=tuple(a_key(b"/%d" % n) for n in range(MAX_KEYS + 2))), None)

    assert "… and 2 more keys; --format json has them all" in told(entry)


@pytest.mark.parametrize("width", [20, 80, 160])
def test_nothing_of_a_key_or_a_name_reaches_the_terminal_raw(width: int) -> None:
    """Escape sequences, markup, line breaks: in names, values, sentences and IDs."""
    text = HOSTILE.decode("utf-8", "surrogateescape")
    intent = an_intent(
        text,
        locks=(HOSTILE,),
        keys=(a_key(HOSTILE, value=HOSTILE),),
        why=Reason(verdict=text, confidence=text, evidence=(text,)),
        of=text,
        treated_under=HOSTILE,
    )
    entry = Entry(intent, an_outcome(text, Result.DONE, detail=text))

    for page in (told(entry, width), listed(entry, notes=[text])):
        assert "\x1b" not in page
        assert "\udcff" not in page
        assert r"\x1b[31m" in page or width < 80
