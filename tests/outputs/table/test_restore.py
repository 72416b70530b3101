"""A restore as a person sees it."""

from __future__ import annotations

import io
from typing import Any

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId
from lockdoctor.domain.treatment.restore_plan import (
    RestorePlan,
    RestoreResult,
    RestoreSkipReason,
    SkippedKey,
)
from lockdoctor.outputs.table.journal import MAX_KEYS
from lockdoctor.outputs.table.restore import RestoreTable
from tests.factories.reports import a_key, an_intent, an_outcome

CONFIG = a_key(b"/app/\x1b[31mconfig", value=b"v")
DONE = Entry(an_intent(keys=(CONFIG, a_key())), an_outcome())


def planned(*, will_act: bool = False, width: int = 80, **fields: Any) -> str:
    told = {"entry": DONE, "keys": (CONFIG,), "left": (), "ttl_s": None, **fields}
    out = io.StringIO()
    RestoreTable(width=width, colour=False).plan(RestorePlan(**told), out, will_act=will_act)
    return out.getvalue()


def restored(**fields: Any) -> str:
    told: dict[str, Any] = {
        "entry_id": EntryId("f00d"),
        "result": Result.DONE,
        "put": (CONFIG,),
        "left": (),
        "failure": None,
        "unrecorded": None,
        "took_s": 0.1,
        **fields,
    }
    out = io.StringIO()
    RestoreTable(width=80, colour=False).restored(RestoreResult(**told), out)
    return out.getvalue()


def test_the_plan() -> None:
    """What comes back and what does not, what that means, and how to do it."""
    assert planned(left=(SkippedKey(a_key(), RestoreSkipReason.EXISTS),)) == (
        "To put back: 1 of 2 keys without a lease\n"
        "  /app/\\x1b[31mconfig  (1 byte)\n"
        "Not put back:\n"
        "  /my-lock/orders/32698f1c0a1b2c3d: it exists now\n"
        "  - Without a lease they stay until somebody deletes them (--ttl puts them onto\n"
        "    one).\n"
        "\n"
        "Nothing was written. --yes puts them back.\n"
    )
    assert "--yes" not in planned(will_act=True)


def test_a_plan_says_what_a_person_may_not_expect() -> None:
    """A lease that ends, a lock that blocks again, an entry that perhaps did nothing."""
    begun = Entry(DONE.intent, None)

    assert "1 key on a new lease of 10 min" in planned(ttl_s=600)
    assert "Nobody renews the new lease" in planned(ttl_s=600)
    assert "--only" not in planned(keys=(a_key(),))
    assert "--only KEY puts other keys back alone" in planned(keys=(a_key(), CONFIG), width=200)
    assert "comes back as a new hold" in planned(keys=(a_key(),))
    assert "comes back as a new hold" not in planned()
    assert "Nobody knows whether the entry was carried out" in planned(entry=begun)


def test_nothing_to_put_back() -> None:
    """It says so first, and offers nothing."""
    text = planned(keys=(), left=(SkippedKey(CONFIG, RestoreSkipReason.CUT),))

    assert text.startswith("Nothing to put back\nNot put back:\n")
    assert "--yes" not in text


def test_many_keys_are_counted() -> None:
    """No screen after screen."""
    keys = tuple(a_key(b"/%d" % n) for n in range(MAX_KEYS + 1))

    assert "… and 1 more key\n" in planned(keys=keys)


def test_what_was_done() -> None:
    """How many, and under which entry to find it."""
    assert restored() == "Put back 1 of 1 key\nEntry f00d of the journal\n"


def test_what_was_not_done() -> None:
    """Why, in etcd's own words too, and what nobody can know."""
    left = (SkippedKey(a_key(), RestoreSkipReason.UNCLEAR),)

    text = restored(
        result=Result.UNKNOWN, left=left, failure="no \x1banswer", unrecorded="the disk is full"
    )

    assert text == (
        "Put back 1 of 2 keys; of one nobody knows\n"
        "Not put back:\n"
        "  /my-lock/orders/32698f1c0a1b2c3d: no answer tells whether it was put back\n"
        "etcd: no \\x1banswer\n"
        "This is not in the journal: the disk is full\n"
        "Entry f00d of the journal\n"
    )
