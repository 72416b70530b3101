"""The pages of `revoke`, of `revoke --undo` and of `journal restore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from rich.console import RenderableType

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId
from lockdoctor.domain.treatment.reasons import KeyGone
from lockdoctor.domain.treatment.restore_plan import (
    RestorePlan,
    RestoreSkipReason,
    SkippedKey,
)
from lockdoctor.domain.treatment.results import ActionResult, TreatmentReport
from lockdoctor.outputs.table import restore
from lockdoctor.outputs.table.treatment import plan_parts, report_parts, undone_parts
from tests.factories.pages import page
from tests.factories.plans import (
    a_plan,
    a_refusal,
    a_treated,
    an_undone,
    everything_planned,
    everything_treated,
)
from tests.factories.reports import a_key, an_intent, an_outcome

CONFIG = a_key(b"/app/\x1b[31mconfig", value=b"v")
SKIPPED = tuple(SkippedKey(a_key(), why) for why in RestoreSkipReason)

Parts = Callable[[], Iterable[RenderableType]]


def treatment(parts: Parts, width: int = 80) -> str:
    return page(parts(), width)


def _plan(plan: Callable[[], Any], how_to_act: str | None = None) -> Parts:
    return lambda: plan_parts(plan(), how_to_act)


def _undone(*args: Any, **fields: Any) -> Parts:
    return lambda: undone_parts(an_undone(*args, **fields))


TREATMENTS: dict[str, Parts] = {
    "plan": _plan(a_plan, "To execute it, add --yes."),
    "plan_everything": _plan(everything_planned),
    "plan_nothing_left": _plan(
        lambda: replace(a_plan(), targets=(), refused=(a_refusal(),), too_young=1)
    ),
    "plan_nothing_found": _plan(lambda: replace(a_plan(), targets=())),
    "plan_alarm": _plan(lambda: a_plan(alarms=(ClusterAlarm("NOSPACE", 0xA1),))),
    "treated_everything": lambda: report_parts(everything_treated()),
    "treated_for_good": lambda: report_parts(
        TreatmentReport(plan=a_plan(), treated=(a_treated(),), watched_s=30.0)
    ),
    "undone": _undone(),
    "undone_gone": _undone(Result.REFUSED, changed=(KeyGone(b"/k"),)),
    "undone_partly": _undone(Result.PARTLY, failure="no"),
    "undone_unrecorded": _undone(unrecorded="no room"),
}


def restore_plan(*, will_act: bool = False, **fields: Any) -> str:
    entry = Entry(an_intent(keys=(CONFIG, a_key())), an_outcome())
    told = {"entry": entry, "keys": (CONFIG,), "left": (), "ttl_s": None, **fields}
    return page(restore.plan_parts(RestorePlan(**told), will_act=will_act))


def restored(result: Result = Result.DONE, **fields: Any) -> str:
    told: dict[str, Any] = {
        "entry_id": EntryId("f00d"),
        "result": result,
        "put": (CONFIG,),
        "skipped": (),
        "failure": None,
        "unrecorded": None,
        "took_s": 0.1,
        **fields,
    }
    keys = (*told.pop("put"), *(each.key for each in told["skipped"]))
    told["target"] = RestorePlan(
        entry=Entry(an_intent(), an_outcome()), keys=keys, left=(), ttl_s=None
    )
    return page(restore.restored_parts(ActionResult(**told)))


PAGES: dict[str, Callable[[], str]] = {
    **{f"treatment/{name}": partial(treatment, parts) for name, parts in TREATMENTS.items()},
    "treatment/plan_everything_160": partial(treatment, TREATMENTS["plan_everything"], 160),
    "treatment/treated_everything_160": partial(treatment, TREATMENTS["treated_everything"], 160),
    "restore/plan": partial(restore_plan, left=SKIPPED),
    "restore/plan_that_acts": partial(restore_plan, will_act=True),
    "restore/plan_of_a_hold": partial(restore_plan, keys=(a_key(), CONFIG), ttl_s=600),
    "restore/plan_of_an_unknown_outcome": partial(restore_plan, entry=Entry(an_intent(), None)),
    "restore/nothing": partial(restore_plan, keys=(), left=SKIPPED[:1]),
    "restore/done": restored,
    "restore/unknown": partial(
        restored, Result.UNKNOWN, skipped=SKIPPED, failure="no \x1banswer", unrecorded="no room"
    ),
    "restore/failed": partial(restored, Result.FAILED, put=(), skipped=SKIPPED, failure="denied"),
}
