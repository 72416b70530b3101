"""Count a Go process's etcd sessions by its goroutines: values in, counts out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.report.processes import CallSite, Frame, GoroutineCounts

_CLIENT = (
    r"(?:^|/)(?:github\.com/coreos/etcd/clientv3"  # up to 3.3
    r"|go\.etcd\.io/etcd/(?:v\d+/)?clientv3"  # 3.4
    r"|go\.etcd\.io/etcd/client/v\d+)"  # 3.5 and later
)
"""
The import path of etcd's client, with the folder of a vendored copy before it.

Source: the packages of each release; the goroutines of clients 3.4.23, 3.5.1 and 3.6.8.
"""

_SESSION = re.compile(_CLIENT + r"/concurrency\.(?:[\w.]+\.)?NewSession\.func\d+$")
_KEEP_ALIVE = re.compile(_CLIENT + r"\.\(\*lessor\)\.keepAliveCtxCloser$")
_CLIENT_LOOP = re.compile(_CLIENT + r"\.\(\*lessor\)\.recvKeepAliveLoop$")
_WAITING = re.compile(_CLIENT + r"/concurrency\.waitDeletes?$")
_LOCK = re.compile(_CLIENT + r"/concurrency\.\(\*Mutex\)\.\w+$")
_CAMPAIGN = re.compile(_CLIENT + r"/concurrency\.\(\*Election\)\.\w+$")
_NOT_THE_CALLER = re.compile(
    r"(?:^|/)(?:go\.etcd\.io/etcd|github\.com/coreos/etcd)/"
    r"|^(?:runtime|sync|internal|context|time|syscall|os|io|net|bufio|fmt|reflect)[./]"
    r"|^google\.golang\.org/grpc[./]"
)

MAX_CALLERS = 3
"""The maximum number of places named of each kind, the most frequent first."""

MIN_LEASE_ID = 1 << 48
"""
A number from here on is a lease's ID: the addresses of a process have fewer bits.

etcd puts 16 bits of a member's ID before the other 48, so few IDs are smaller. Source: NewGenerator
in etcd's pkg/idutil/id.go.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Goroutines at the same place in the code."""

    frames: tuple[Frame, ...]
    """The innermost first."""
    count: int = 1
    number: int | None = None
    """The goroutine's own number; None where the profile has no numbers."""
    started_by: int | None = None
    """The number of the goroutine that started it."""
    blocked_s: int | None = None
    """The minimum time in place, in whole minutes; None where the profile has no time."""
    words: frozenset[int] = frozenset()
    """
    The arguments of a call that keeps a lease alive: its ID, among pointers.

    Go 1.17 to 1.21 show another value in the place of the ID, and all but 1.17 mark it with `?`.
    Values with this mark are left out.
    """

    @property
    def names_a_lease(self) -> bool:
        """Return whether the ID of the lease is among the words."""
        return any(word >= MIN_LEASE_ID for word in self.words)


def keeps_a_lease_alive(function: str) -> bool:
    """Return whether a function runs as long as one lease is kept alive."""
    return _sign(function) == "keep-alive"


def count_goroutines(stacks: Iterable[Stack], *, is_whole: bool = True) -> GoroutineCounts:
    """
    Count the goroutines of sessions, keep-alives and locks.

    The openers of the sessions can be found only where the profile numbers the goroutines, and only
    for openers that still live.
    """
    counts: Counter[str] = Counter()
    callers: Counter[tuple[str, Frame]] = Counter()
    own_code: dict[int, Frame] = {}
    openers: Counter[int] = Counter()
    words: set[int] = set()
    oldest: int | None = None
    for stack in stacks:
        counts["all"] += stack.count
        role = _role(stack.frames)
        counts[role] += stack.count
        caller = _caller(stack.frames)
        if caller is not None and stack.number is not None:
            own_code[stack.number] = caller
        if role in _WAITERS and caller is not None:
            callers[_WAITERS[role], caller] += stack.count
        if role == "session" and stack.started_by is not None:
            openers[stack.started_by] += stack.count
        words |= stack.words
        if role == "keep-alive":
            counts["named"] += stack.count * stack.names_a_lease
            if stack.blocked_s is not None:
                oldest = max(oldest or 0, stack.blocked_s)
    for number, sessions in openers.items():
        if number in own_code:
            callers["NewSession", own_code[number]] += sessions
    return GoroutineCounts(
        goroutines=counts["all"],
        sessions=counts["session"],
        keepalives=counts["keep-alive"],
        named_keepalives=counts["named"],
        clients=counts["client"],
        lock_waiters=counts["lock-waiter"],
        candidates=counts["candidate"],
        oldest_keepalive_s=oldest,
        callers=_most_frequent(callers),
        words=frozenset(LeaseId(word - (word >> 63 << 64)) for word in words),
        is_whole=is_whole,
    )


_WAITERS = {"lock-waiter": "Lock", "candidate": "Campaign"}

_SIGNS = (
    ("session", _SESSION),
    ("keep-alive", _KEEP_ALIVE),
    ("client", _CLIENT_LOOP),
    ("waits", _WAITING),
    ("lock-waiter", _LOCK),
    ("candidate", _CAMPAIGN),
    ("passed", _NOT_THE_CALLER),
)


@lru_cache(maxsize=1 << 14)
def _sign(function: str) -> str | None:
    """Return what a call shows; None where it is the process's own code."""
    return next((sign for sign, pattern in _SIGNS if pattern.search(function)), None)


def _role(frames: tuple[Frame, ...]) -> str:
    """Return what a goroutine is for."""
    waits = False
    for frame in frames:
        sign = _sign(frame.function)
        if sign in ("session", "keep-alive", "client"):
            return sign
        waits = waits or sign == "waits"
        if waits and sign in _WAITERS:
            return sign
    return "other"


def _caller(frames: tuple[Frame, ...]) -> Frame | None:
    """Return the innermost call that is neither of etcd's client nor of Go itself."""
    return next((frame for frame in frames if _sign(frame.function) is None), None)


def _most_frequent(callers: Counter[tuple[str, Frame]]) -> tuple[CallSite, ...]:
    named: Counter[str] = Counter()
    found: list[CallSite] = []
    for (call, frame), goroutines in sorted(callers.items(), key=lambda each: (-each[1], each[0])):
        named[call] += 1
        if named[call] <= MAX_CALLERS:
            found.append(CallSite(call, frame, goroutines))
    return tuple(found)
