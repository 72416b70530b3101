"""What an operator can do about a verdict; outputs/text has the sentences."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Advice(enum.Enum):
    """A remedy without a parameter."""

    NOTHING = enum.auto()
    NOTHING_TO_DO_LEASE_ENDED = enum.auto()
    NOTHING_TO_DO_LOCK_FREED = enum.auto()
    NOTHING_TO_DO_EXPIRES = enum.auto()
    NOTHING_TO_DO_UNLESS_RENEWED = enum.auto()
    NOTHING_TO_DO_FOR_ONE = enum.auto()
    NOTHING_TO_DO_YOUNG = enum.auto()
    KEYS_GO_WITH_LEASE = enum.auto()
    FIND_PURPOSE_OF_KEY = enum.auto()
    FIND_PURPOSE_OF_BLOCKING_KEY = enum.auto()
    DELETE_KEY = enum.auto()
    FREE_AND_FIX = enum.auto()
    STATE_LIMIT = enum.auto()
    STATE_KIND = enum.auto()
    ASK_HOLDER = enum.auto()
    FIND_SERVICE = enum.auto()
    FREE_OTHER_LOCK_FIRST = enum.auto()
    SCAN_WHOLE_LOCK = enum.auto()
    ALLOW_READING = enum.auto()
    SCAN_AGAIN = enum.auto()
    SCAN_AGAIN_KEY_ENDS = enum.auto()
    SCAN_AGAIN_PAST_LIMIT = enum.auto()
    SCAN_AGAIN_STEADY_LEADER = enum.auto()
    CLOSE_SESSIONS = enum.auto()
    CLOSE_SESSIONS_UNLESS_SCALED_UP = enum.auto()
    FIND_FAILING_REVOKES = enum.auto()
    FIND_FAILING_REVOKES_AND_REVOKE = enum.auto()
    COMPARE_LEASE_LISTS = enum.auto()
    COMPARE_MEMBERS = enum.auto()
    RENEW_EARLIER = enum.auto()
    SHORTEN_TTL = enum.auto()
    NEVER_LOCK_ABOVE = enum.auto()
    END_NAMED_SESSION = enum.auto()
    END_SESSIONS_ONE_BY_ONE = enum.auto()


class WatchLonger(NamedTuple):
    """The window of this run was too short to see a renewal."""

    window_s: int
    """A window that suffices, in seconds."""


Remedy = Advice | WatchLonger
