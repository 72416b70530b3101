"""Lays out the locks of one prefix as a table, in columns or stacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.evidence.verdicts import Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.deadlines import is_usable
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseReading, hex_id
from lockdoctor.domain.model.locks import Recipe
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.outputs.text.headline import how_many
from lockdoctor.outputs.text.values import at_least, at_most, count, duration, lock_title, times

WIDE = 132
"""Minimum width for a column per fact; below it the facts are stacked."""

MAX_ROWS = 50
"""Maximum locks of one prefix in the table, the worst first; the rest is counted."""

MAX_READINGS = 12
"""Maximum readings in the drawing, the latest ones."""

LEVELS = "▁▂▃▄▅▆▇█"

NONE = "none"
"""The text in place of a lease."""

UNNAMED_RECIPES = frozenset({Recipe.GO_MUTEX, Recipe.UNLEASED_KEY})
"""Recipes that are not named: the usual one, and the one of a lock without a lease."""

MIN_ESTIMATE_RATIO = 1.5
"""Minimum ratio of an estimated to a proven age for which the estimate is shown."""


def lock_table(locks: Sequence[LockReport], width: int) -> Table:
    """Return the table of the worst locks for a width in columns."""
    shown = locks[:MAX_ROWS]
    return _columns(shown, width) if width >= WIDE else _stacked(shown, width)


def left_out(locks: Sequence[LockReport]) -> str | None:
    """Return the number of locks by verdict that the table leaves out."""
    hidden = locks[MAX_ROWS:]
    if not hidden:
        return None
    counts = Counter(lock.verdict.kind for lock in hidden).most_common()
    kinds = ", ".join(how_many(kind, number) for kind, number in counts)
    return f"… and {count(len(hidden), 'more lock')}: {kinds}"


def verdict_style(verdict: Verdict) -> str:
    """Return the color of a verdict; the words give the same information."""
    if verdict.accepted:
        return "dim"
    if verdict.severity is Severity.CRITICAL:
        return "bold red"
    if verdict.severity is Severity.WARNING:
        return "yellow"
    return {VerdictKind.HEALTHY: "green", VerdictKind.UNDETERMINED: "cyan"}.get(verdict.kind, "")


def sawtooth(trace: RenewalTrace) -> str:
    """Return a drawing of the remaining TTL at each reading, relative to the granted."""
    readings = [reading for reading in trace.readings if isinstance(reading, LeaseReading)]
    usable = [each for each in readings if is_usable(each) and each.granted_ttl_s > 0]
    return "".join(map(_level, usable[-MAX_READINGS:]))


def _columns(locks: Sequence[LockReport], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, width=width, pad_edge=False, show_edge=False)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Lock", ratio=1, overflow="fold", min_width=24)
    table.add_column("Holder's lease", no_wrap=True)
    table.add_column("Held", max_width=22)
    table.add_column("Renewed", max_width=22)
    table.add_column("Remaining TTL", max_width=26)
    table.add_column("Waiters", justify="right")
    table.add_column("Gave up", justify="right")
    for lock in locks:
        table.add_row(
            _verdicts(lock),
            Text(_title(lock)),
            _lease(lock) or "-",
            "\n".join(_released(lock) or _held(lock)) or "-",
            "\n".join(renewed(lock.holder_trace)) or "-",
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
    """Yield the lines below the name in the stacked form."""
    queue, released, held = list(_queue(lock)), _released(lock), _held(lock)
    renewals, ended, ttl = renewed(lock.holder_trace), _ended(lock), _ttl(lock)
    if queue:
        yield ", ".join(queue)
    if released:
        yield " ".join(released)
    elif held:
        yield f"held {', '.join(held)}"
    if renewals:
        yield f"renewed {', '.join(renewals)}"
    if ended:
        yield ended
    elif ttl:
        yield f"remaining TTL {ttl}"


def _queue(lock: LockReport) -> Iterator[str]:
    lease = _lease(lock)
    if lease:
        yield f"lease {lease}" if lease != NONE else "no lease"
    if lock.lock.waiters:
        yield count(len(lock.lock.waiters), "waiter")
    if lock.activity.gave_up:
        yield f"{_gave_up(lock)} gave up"


def _verdicts(lock: LockReport) -> Text:
    """Return the verdict on the state, with the other findings below it."""
    first, *others = lock.verdicts
    others = [other for other in others if other.kind is not VerdictKind.HEALTHY]
    lines = [_verdict(first)]
    lines += [Text("+ ").append_text(_verdict(other)) for other in others]
    return Text("\n").join(lines)


def _verdict(verdict: Verdict) -> Text:
    accepted = ", accepted" if verdict.accepted else ""
    return Text(f"{verdict.kind.value}{accepted}", style=verdict_style(verdict))


def _title(lock: LockReport) -> str:
    title = lock_title(lock.lock)
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
    """
    Return how often the lock changed hands.

    For a new hold this is more useful than its bounds.
    """
    activity = lock.activity
    if not activity.releases or lock.verdict.kind is VerdictKind.EXPIRING:  # its lease freed it
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
    if about_s < MIN_ESTIMATE_RATIO * age.at_least_s or about_s > (age.at_most_s or about_s):
        return []
    return [f"estimated {duration(about_s)}"]


def renewed(trace: RenewalTrace | None) -> list[str]:
    """Return how often a lease was renewed, and its period; empty if not proven."""
    if trace is None or not trace.renewals:
        return []
    every = trace.at_most_every_s
    rate = [] if every is None else [f"on average every {at_most(every)} or less"]
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
    """
    Return how many attempts left the queue; empty if it was not watched.

    A plus means that there might be more.
    """
    activity = lock.activity
    if not activity.watched_s:
        return ""
    return f"{activity.gave_up:,}{'+' if activity.has_gap else ''}"


def _level(reading: LeaseReading) -> str:
    share = max(0, reading.remaining_ttl_s) * len(LEVELS) // reading.granted_ttl_s
    return LEVELS[min(share, len(LEVELS) - 1)]
