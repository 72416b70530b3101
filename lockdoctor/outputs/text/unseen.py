"""Words the parts that a run could not read or did not judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockdoctor.domain.report.unseen import MetricsPart, Part, ProcessPart, SourcePart, UnseenReason
from lockdoctor.outputs.text.values import safe

if TYPE_CHECKING:
    from lockdoctor.domain.report.unseen import AnyPart, Unseen

PARTS = {
    Part.LEASE_LIST: "list of leases",
    Part.KEYLESS_LEASES: "leases without keys",
    Part.LEASES: "leases",
    Part.KEYS: "keys",
    Part.KEYS_WITHOUT_LEASE: "keys without a lease",
    Part.KEYS_AT_END: "keys at the end of the run",
    Part.QUEUE_CHANGES: "changes of the queues",
    Part.HISTORY: "history of earlier runs",
    Part.OTHER_SOURCES: "data of other sources",
    Part.OWN_RUN: "this run in the history",
}

REASONS = {
    UnseenReason.IGNORED: "ignored, as lockdoctor.toml says",
    UnseenReason.DATA_BESIDE_LOCKS: "data beside the keys of a known recipe",
    UnseenReason.LOOKS_LIKE_DATA: (
        "they match no lock recipe and look like data. If they are locks, add --kind lock"
    ),
    UnseenReason.NOT_READ_AGAIN: "the second read failed",
    UnseenReason.NOT_REQUESTED: "--no-sessions was given",
    UnseenReason.COMPACTED: "etcd was compacted beyond the last event of the watch",
    UnseenReason.WATCH_FELL_BEHIND: "the watch fell behind",
}


def part_text(part: AnyPart) -> str:
    """Return the name of a part that was not examined."""
    match part:
        case ProcessPart(name):
            return f"process {safe(name)}"
        case MetricsPart(address):
            return f"metrics of {safe(address)}"
        case SourcePart(name):
            return safe(name)
    return PARTS[part]


def reason_text(reason: UnseenReason | str) -> str:
    """Return why a part was not examined."""
    return safe(reason) if isinstance(reason, str) else REASONS[reason]


def unseen_text(unseen: Unseen) -> str:
    """Return one line: how many of what could not be examined, and why."""
    return f"{numbered_part(unseen)}: {reason_text(unseen.why)}"


def numbered_part(unseen: Unseen) -> str:
    """Return the name of a part, after its number where it is known."""
    number = "" if unseen.count is None else f"{unseen.count:,} "
    return f"{number}{part_text(unseen.what)}"
