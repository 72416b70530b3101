"""The parts that a run could not read or did not judge, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias


class Part(enum.Enum):
    """A part of etcd or of the history."""

    LEASE_LIST = enum.auto()
    KEYLESS_LEASES = enum.auto()
    """A run needs their list to count sessions."""
    LEASES = enum.auto()
    KEYS = enum.auto()
    KEYS_WITHOUT_LEASE = enum.auto()
    KEYS_AT_END = enum.auto()
    QUEUE_CHANGES = enum.auto()
    HISTORY = enum.auto()
    """What earlier runs stored."""
    OTHER_SOURCES = enum.auto()
    OWN_RUN = enum.auto()
    """This run, in the history."""


@dataclass(frozen=True, slots=True)
class ProcessPart:
    """The goroutines of one process."""

    name: str


@dataclass(frozen=True, slots=True)
class MetricsPart:
    """The metrics page of one etcd member."""

    address: str


@dataclass(frozen=True, slots=True)
class SourcePart:
    """All of an additional source, by its name."""

    name: str


AnyPart: TypeAlias = Part | ProcessPart | MetricsPart | SourcePart


class UnseenReason(enum.Enum):
    """Why a part was not read or not judged, where no error says it."""

    IGNORED = enum.auto()
    """lockdoctor.toml says so."""
    DATA_BESIDE_LOCKS = enum.auto()
    LOOKS_LIKE_DATA = enum.auto()
    NOT_READ_AGAIN = enum.auto()
    NOT_REQUESTED = enum.auto()
    COMPACTED = enum.auto()
    """etcd has deleted the revisions that the watch had not delivered yet."""
    WATCH_FELL_BEHIND = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A part that could not be examined, and why; it never counts as healthy."""

    what: AnyPart
    count: int | None
    """The number of them, where it is certain."""
    why: UnseenReason | str
    """Text is an error's message, which can quote a server."""
    is_failure: bool = False
    """It is a failure, so that a check cannot rule out findings there."""
