"""Returns what an operator can do about a verdict, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from lockdoctor.domain.evidence.remedies import Advice, Remedy, WatchLonger

_CLOSE = (
    "Find the NewSession without a Close, also on the path where Lock times out. Fix the code and"
    " restart the process. Its leases expire after it has stopped."
)
_REVOKES_FAIL = (
    "Search the members' logs for revokes that fail, and check the members' versions. Known causes:"
    " a role or token without the right to revoke (etcd issues 13172 and 14616), and clock steps"
    " with etcd 3.4 (12291)."
)
_LOCK_ORDER = (
    "Then fix the code: take locks in the same order everywhere, or give every Lock a time-out and"
    " release the locks that are held when it expires."
)

ADVICE: Mapping[Advice, str] = {
    Advice.NOTHING: "Nothing to do.",
    Advice.NOTHING_TO_DO_LEASE_ENDED: "Nothing to do: the lease has ended.",
    Advice.NOTHING_TO_DO_LOCK_FREED: "Nothing to do: etcd has ended the lease and freed the lock.",
    Advice.NOTHING_TO_DO_EXPIRES: "Nothing to do: etcd ends the lease when its TTL expires.",
    Advice.NOTHING_TO_DO_UNLESS_RENEWED: (
        "Nothing to do: etcd frees the lock when the TTL expires, unless its client renews it."
    ),
    Advice.NOTHING_TO_DO_FOR_ONE: (
        "Nothing to do for a single session: it might be between two locks."
    ),
    Advice.NOTHING_TO_DO_YOUNG: "Nothing to do: the hold is young, and no limit is stated for it.",
    Advice.KEYS_GO_WITH_LEASE: "Nothing to do. Revoking the lease would delete these keys, too.",
    Advice.FIND_PURPOSE_OF_KEY: (
        "Find out what the key is for: it might be data. The queue moves once the key is deleted."
    ),
    Advice.FIND_PURPOSE_OF_BLOCKING_KEY: "Find out what the key is for that blocks the queue.",
    Advice.DELETE_KEY: (
        "If the process that wrote the key has ended, delete the key. Prevent it by writing the key"
        " with a lease."
    ),
    Advice.FREE_AND_FIX: (
        "Restart the process that holds the lock, or revoke the lease. Then fix the code: every"
        " Lock needs its Unlock, every NewSession its Close."
    ),
    Advice.STATE_LIMIT: (
        "Find out whether the holder is still working. To prove a leak, scan again with --max-hold"
        " and the longest time that a job takes."
    ),
    Advice.STATE_KIND: "If the key is a lock, add --kind lock, or declare it in lockdoctor.toml.",
    Advice.ASK_HOLDER: (
        "Find out what the holder is doing. If it is working, its job takes too long for this"
        " queue, or too many clients want the lock."
    ),
    Advice.FIND_SERVICE: "Find out whether its service still runs.",
    Advice.FREE_OTHER_LOCK_FIRST: (
        "Free the lock that its holder waits for first. Scan again if this one is still held then."
    ),
    Advice.SCAN_WHOLE_LOCK: "Scan the whole lock: use its name as the prefix.",
    Advice.ALLOW_READING: "Allow this user to read the lease, then scan again.",
    Advice.SCAN_AGAIN: "Scan again.",
    Advice.SCAN_AGAIN_KEY_ENDS: "Scan again: etcd deletes a key together with its lease.",
    Advice.SCAN_AGAIN_PAST_LIMIT: (
        "Scan again when the hold can be older than its limit, or watch that long."
    ),
    Advice.SCAN_AGAIN_STEADY_LEADER: "Scan again while etcd has a steady leader.",
    Advice.CLOSE_SESSIONS: _CLOSE,
    Advice.CLOSE_SESSIONS_UNLESS_SCALED_UP: (
        "First check whether a service was scaled up: that adds sessions, too. If it was not:"
        f" {_CLOSE[0].lower()}{_CLOSE[1:]}"
    ),
    Advice.FIND_FAILING_REVOKES: _REVOKES_FAIL,
    Advice.FIND_FAILING_REVOKES_AND_REVOKE: (
        f"{_REVOKES_FAIL} To free the lock now, revoke the lease as a user who has that right."
    ),
    Advice.COMPARE_LEASE_LISTS: (
        "Compare the lists of leases of all members: one member has lost track of its leases (etcd"
        " issue 14019). Replace that member. Revoking does not help."
    ),
    Advice.COMPARE_MEMBERS: (
        "etcd's data is damaged: compare the members. Delete the key once its owner is known to"
        " have ended. etcd 3.5.0 to 3.5.2 are known for such damage."
    ),
    Advice.RENEW_EARLIER: (
        "Renew earlier, every third of the TTL, or use a longer TTL. Search for pauses of the"
        " client and for a slow network to etcd."
    ),
    Advice.SHORTEN_TTL: "Use a shorter TTL and renew the lease. Go's default is 60 s.",
    Advice.NEVER_LOCK_ABOVE: (
        "Restart the process. Then fix the code: Go's Mutex waits for every older key below its"
        " name, so never lock a name above one that is held."
    ),
    Advice.END_NAMED_SESSION: (
        f"End the session named here. Its locks become free, and the others continue. {_LOCK_ORDER}"
    ),
    Advice.END_SESSIONS_ONE_BY_ONE: (
        f"End one of the sessions after the other, and scan again after each. {_LOCK_ORDER}"
    ),
}
"""The sentences of each remedy without a parameter."""


def remedy_text(remedy: Remedy) -> str:
    """Return what to do about a verdict."""
    if isinstance(remedy, WatchLonger):
        return f"Watch longer: --window {remedy.window_s}s."
    return ADVICE[remedy]
