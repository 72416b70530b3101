"""The pages of `history`, `journal` and `selfcheck`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.past.stored import Stored, StoredRun
from lockdoctor.domain.selfcheck.rules import MemberFacts, Permission, SelfCheckFacts, judge
from lockdoctor.domain.treatment.journal_entry import Entry, Reason
from lockdoctor.outputs.table.history import MAX_RUNS, runs_parts, stored_parts
from lockdoctor.outputs.table.journal import MAX_KEYS, entry_parts, list_parts
from lockdoctor.outputs.table.selfcheck import selfcheck_parts
from tests.factories.pages import page
from tests.factories.reports import NOON, a_key, an_intent, an_outcome
from tests.factories.stored import (
    HOUR,
    NAME,
    a_stored_finding,
    a_stored_hold,
    a_stored_lease,
    a_stored_lock,
    a_stored_run,
    some_runs,
)


def runs(*stored: StoredRun) -> str:
    return page(runs_parts(stored, NOON + 24 * HOUR))


def stored_lock(stored: Stored) -> str:
    return page(stored_parts(NAME, stored, NOON + 4 * HOUR))


def _much() -> Stored:
    return Stored(
        holds=tuple(a_stored_hold(lease_id=NO_LEASE) for _ in range(60)),
        leases=tuple(a_stored_lease(last_answered_at=NOON + n) for n in range(51)),
        findings=tuple(a_stored_finding(last_at=NOON + n) for n in range(52)),
    )


def journal(entries: Iterable[Entry], total: int, *notes: str) -> str:
    return page(list_parts(tuple(entries), total, notes))


def entry(shown: Entry) -> str:
    return page(entry_parts(shown, []))


KEYS = (a_key(), a_key(b"/app/config", value=b"v", lease_id=NO_LEASE))
WHY = Reason(verdict="leaked-lock", confidence="proven", evidence=("It was renewed.",))
DONE = Entry(an_intent("aaaa", keys=KEYS, why=WHY), an_outcome("aaaa"))
BEGUN = Entry(an_intent("bbbb"), None)
UNATTENDED = Entry(
    an_intent(
        "cccc",
        Action.QUARANTINE,
        treated_under=b"/my-lock/",
        new_lease_id=LeaseId(7),
        new_ttl_s=60,
        of="aaaa",
    ),
    None,
)
CUT = Entry(an_intent(keys=(replace(a_key(value=b"v" * 10), value_size=2000),)), None)
LISTED = (
    DONE,
    BEGUN,
    UNATTENDED,
    Entry(an_intent("u", Action.UNDO, of="a", locks=(b"/a", b"/b", b"/c", b"/d")), None),
    Entry(an_intent("s", locks=(), keys=()), None),
    *(Entry(an_intent(result.value), an_outcome(result.value, result)) for result in Result),
)

MEMBER = MemberFacts(
    endpoint="10.0.0.5:2379",
    cluster_id=1,
    member_id=7,
    leader_id=7,
    raft_term=2,
    version="3.6.16",
    answered_in_s=0.002,
)
READ = Permission(what="read the keys", prefix=b"/my-lock/")
DENIED = Permission(what="read the keys", prefix=b"/my-lock/", refusal="not permitted")
OPTIONAL = Permission(what="list the leases", refusal="may not", is_optional=True)


def selfcheck(*permissions: Permission, alarms: tuple[ClusterAlarm, ...] = ()) -> str:
    facts = SelfCheckFacts(now=NOON, members=(MEMBER,), permissions=permissions, alarms=alarms)
    return page(selfcheck_parts(judge(facts), (b"/my-lock/",)))


PAGES: dict[str, Callable[[], str]] = {
    "history/runs": lambda: runs(*some_runs()),
    "history/many_runs": lambda: runs(*(a_stored_run(n) for n in range(MAX_RUNS + 9, 0, -1))),
    "history/runs_ahead": lambda: runs(
        a_stored_run(2, started_at=NOON + 48 * HOUR, ended_at=NOON + 49 * HOUR),
        a_stored_run(1, severity=Severity.WARNING),
    ),
    "history/lock": lambda: stored_lock(a_stored_lock()),
    "history/much": lambda: stored_lock(_much()),
    "journal/list": partial(journal, LISTED, 70),
    "journal/all": partial(journal, (DONE,), 1),
    "journal/empty": partial(journal, (), 0, "no journal at /x yet"),
    "journal/entry": partial(entry, DONE),
    "journal/entry_begun": partial(entry, BEGUN),
    "journal/entry_unattended": partial(entry, UNATTENDED),
    "journal/entry_cut": partial(entry, CUT),
    "journal/entry_of_many_keys": lambda: entry(
        Entry(an_intent(keys=tuple(a_key(b"/%d" % n) for n in range(MAX_KEYS + 2))), None)
    ),
    "selfcheck/fine": partial(selfcheck, READ),
    "selfcheck/notes": partial(selfcheck, READ, OPTIONAL),
    "selfcheck/denied": partial(selfcheck, DENIED, alarms=(ClusterAlarm("NOSPACE", 0xA1),)),
}
