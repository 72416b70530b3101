"""The locks of one prefix as a table: in columns where there is room, else stacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.evidence.verdicts import Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.renewals import RenewalTrace, is_usable
from lockdoctor.domain.model.leases import LeaseReading, hex_id
from lockdoctor.domain.model.locks import Recipe
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.outputs.text.headline import how_many
from lockdoctor.outputs.text.values import (
    at_least,
    at_most,
    count,
    duration,
    lock_title,
    shortened,
    times,
)

WIDE = 132
"""From this width on every fact has a column of its own."""

MAX_ROWS = 50
"""So many locks of one prefix are listed, the worst first; the rest is counted."""

NAME_WIDTH = 120
"""Longer names lose their middle in the table; JSON has them whole."""

MAX_LOOKS = 12
"""So many of the last looks are drawn."""

LEVELS = "▁▂▃▄▅▆▇█"

NONE = "none"
"""In the place of a lease."""

UNNAMED_RECIPES = frozenset({Recipe.GO_MUTEX, Recipe.UNLEASED_KEY})
"""Recipes that need no word: the usual one, and the one that the missing lease tells."""

TELLING = 1.5
"""An estimated age of fewer times the proven one adds nothing to it."""


def lock_table(locks: Sequence[LockReport], width: int) -> Table:
    """Lay the worst of the locks out for so many columns."""
    shown = locks[:MAX_ROWS]
    return _columns(shown, width) if width >= WIDE else _stacked(shown, width)


def left_out(locks: Sequence[LockReport]) -> str | None:
    """Count the locks that the table leaves out, by verdict."""
    hidden = locks[MAX_ROWS:]
    if not hidden:
        return None
    counts = Counter(lock.verdict.kind for lock in hidden).most_common()
    kinds = ", ".join(how_many(kind, number) for kind, number in counts)
    return f"… and {count(len(hidden), 'more lock')}: {kinds}"


def verdict_style(verdict: Verdict) -> str:
    """Colour a verdict; the words say the same without it."""
    if verdict.accepted:
        return "dim"
    if verdict.severity is Severity.CRITICAL:
        return "bold red"
    if verdict.severity is Severity.WARNING:
        return "yellow"
    return {VerdictKind.HEALTHY: "green", VerdictKind.UNDETERMINED: "cyan"}.get(verdict.kind, "")


def sawtooth(trace: RenewalTrace) -> str:
    """Draw the remaining TTL at each look, in order, as a share of the granted one."""
    looks = [reading for reading in trace.readings if isinstance(reading, LeaseReading)]
    usable = [look for look in looks if is_usable(look) and look.granted_ttl_s > 0]
    return "".join(map(_level, usable[-MAX_LOOKS:]))


def _columns(locks: Sequence[LockReport], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, width=width, pad_edge=False, show_edge=False)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Lock", ratio=1, overflow="fold", min_width=24)
    table.add_column("Holder's lease", no_wrap=True)
    table.add_column("Held", max_width=22)
    table.add_column("Renewed", max_width=22)
    table.add_column("TTL left, at each look", max_width=26)
    table.add_column("Waiters", justify="right")
    table.add_column("Gave up", justify="right")
    for lock in locks:
        table.add_row(
            _verdicts(lock),
            Text(_title(lock)),
            _lease(lock) or "-",
            "\n".join(_released(lock) or _held(lock)) or "-",
            "\n".join(_renewed(lock)) or "-",
            _ended(lock) or _ttl(lock) or "-",
            f"{len(lock.lock.waiters):,}",
            _gave_up(lock) or "-",
        )
    return table


def _stacked(locks: Sequence[LockReport], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, width=width, pad_edge=False, show_edge=False)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Lock", ratio=1, overflow="fold")
    for lock in locks:
        table.add_row(_verdicts(lock), Text("\n".join((_title(lock), *_facts(lock)))))
    return table


def _facts(lock: LockReport) -> Iterator[str]:
    """What the stacked form says below the name, line by line."""
    queue, released, held = list(_queue(lock)), _released(lock), _held(lock)
    renewed, ended, ttl = _renewed(lock), _ended(lock), _ttl(lock)
    if queue:
        yield ", ".join(queue)
    if released:
        yield " ".join(released)
    elif held:
        yield f"held {', '.join(held)}"
    if renewed:
        yield f"renewed {', '.join(renewed)}"
    if ended:
        yield ended
    elif ttl:
        yield f"TTL left {ttl}"


def _queue(lock: LockReport) -> Iterator[str]:
    lease = _lease(lock)
    if lease:
        yield f"lease {lease}" if lease != NONE else "no lease"
    if lock.lock.waiters:
        yield count(len(lock.lock.waiters), "waiter")
    if lock.activity.gave_up:
        yield f"{_gave_up(lock)} gave up"


def _verdicts(lock: LockReport) -> Text:
    """The verdict on the state, and below it what else was found."""
    first, *others = lock.verdicts
    others = [other for other in others if other.kind is not VerdictKind.HEALTHY]
    lines = [_verdict(first)]
    lines += [Text("+ ").append_text(_verdict(other)) for other in others]
    return Text("\n").join(lines)


def _verdict(verdict: Verdict) -> Text:
    accepted = ", accepted" if verdict.accepted else ""
    return Text(f"{verdict.kind.value}{accepted}", style=verdict_style(verdict))


def _title(lock: LockReport) -> str:
    title = shortened(lock_title(lock.lock), NAME_WIDTH)
    recipe = lock.lock.recipe
    if lock.lock.sharers:
        return f"{title} ({recipe.value}, {1 + len(lock.lock.sharers):,} hold it)"
    return title if recipe in UNNAMED_RECIPES else f"{title} ({recipe.value})"


def _lease(lock: LockReport) -> str:
    holder = lock.lock.holder
    if holder is None:
        return ""
    return hex_id(holder.lease_id) if holder.has_lease else NONE


def _released(lock: LockReport) -> list[str]:
    """How often it changed hands; that says more than the bounds of a hold just begun."""
    activity = lock.activity
    if not activity.releases or lock.verdict.kind is VerdictKind.EXPIRING:  # the lease freed it
        return []
    least = "at least " if activity.has_gap else ""
    return [f"released {least}{times(activity.releases)}", f"in {duration(activity.watched_s)}"]


def _held(lock: LockReport) -> list[str]:
    age = lock.age
    if age is None:
        return []
    parts = [f"at least {at_least(age.at_least_s)}"] if age.at_least_s > 0 else []
    if age.at_most_s is not None:
        parts.append(f"at most {at_most(age.at_most_s)}")
    return [*parts, *_estimate(age)]


def _estimate(age: HoldAge) -> list[str]:
    if age.estimate is None or not age.at_least_s:
        return []
    about_s = age.estimate.about_s
    if about_s < TELLING * age.at_least_s or about_s > (age.at_most_s or about_s):
        return []
    return [f"estimate {duration(about_s)}"]


def _renewed(lock: LockReport) -> list[str]:
    trace = lock.holder_trace
    if trace is None or not trace.renewals:
        return []
    every = trace.at_most_every_s
    rate = [] if every is None else [f"every {at_most(every)} or less"]
    return [f"at least {times(trace.renewals)}", *rate]


def _ended(lock: LockReport) -> str:
    trace = lock.holder_trace
    if trace is None or not trace.is_gone:
        return ""
    return "lease ended" if lock.age else "lease ended, lock freed"


def _ttl(lock: LockReport) -> str:
    trace = lock.holder_trace
    if trace is None or trace.last is None:
        return ""
    if not is_usable(trace.last):
        return f"unknown of {trace.last.granted_ttl_s} s {sawtooth(trace)}"
    return f"{trace.last.remaining_ttl_s} of {trace.last.granted_ttl_s} s {sawtooth(trace)}"


def _gave_up(lock: LockReport) -> str:
    """How many left the queue, with a plus where more may have; empty if nobody watched."""
    activity = lock.activity
    if not activity.watched_s:
        return ""
    return f"{activity.gave_up:,}{'+' if activity.has_gap else ''}"


def _level(look: LeaseReading) -> str:
    share = max(0, look.remaining_ttl_s) * len(LEVELS) // look.granted_ttl_s
    return LEVELS[min(share, len(LEVELS) - 1)]
