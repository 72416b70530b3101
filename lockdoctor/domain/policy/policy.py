"""What counts as too long and too many, per prefix of the keys; all durations in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypedDict

from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.locks import Kind

DEFAULT_MAX_HOLD_S = 300.0
"""
What counts as a long hold where no limit is stated.

Five minutes: a lock guards one job, and a waiter has given up by then. Many jobs take longer, so
this default proves no leak: it is the age from which a health check mentions a hold.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The limits that apply to the locks and sessions below one prefix."""

    kind: Kind | None = None
    """What the keys are for. Default None: the keys' own shape says."""
    max_hold_s: float | None = None
    """
    A hold of this length is too long. Default None: only the users of a lock know how long
    their job takes.
    """
    critical_hold_s: float | None = None
    """
    A hold of this length is CRITICAL even if nobody waits. Default None: never by age alone. Where
    it is given without max_hold_s, it is the stated limit as well.
    """
    max_wait_s: float = 300.0
    """
    A wait of this length deserves attention. Default 300: as long as DEFAULT_MAX_HOLD_S, so
    that a queue is not called blocked behind a hold that is not yet called long.
    """
    max_ttl_s: float = 600.0
    """
    A granted TTL above this is too long. Default 600: after a crash the lock stays taken for up
    to the TTL; ten minutes is ten times what Go's sessions ask for.
    """
    max_idle_session_s: float | None = None
    """
    A session that has not been seen with a key for this long is leaked. Default None: pools of
    sessions have no keys most of the time, and are healthy.
    """
    pile_up: int = 50
    """
    This many renewed leases without keys are a pile-up. Default 50: more sessions than a pool
    commonly holds, and few enough that neither etcd nor the client suffers yet.
    """
    suspects: bool = True
    """
    Whether a mere possibility is a finding. Default True: the reader of a scan wants to know now.
    """

    @property
    def stated_limit_s(self) -> float | None:
        """The longest that a hold may last, where an operator has stated it."""
        return self.critical_hold_s if self.max_hold_s is None else self.max_hold_s

    @property
    def limit_s(self) -> float:
        """From which age on a hold is long, whether or not a limit is stated."""
        return DEFAULT_MAX_HOLD_S if self.stated_limit_s is None else self.stated_limit_s


class Limits(TypedDict, total=False):
    """Some of the Thresholds, as one table of lockdoctor.toml or the flags give them."""

    kind: Kind
    max_hold_s: float
    critical_hold_s: float
    max_wait_s: float
    max_ttl_s: float
    max_idle_session_s: float
    pile_up: int


MIN_RUNS = 2
"""A policy asks for so many runs at least: one alone is too little to act upon unattended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What may be done to leaked locks while nobody looks; nothing where a rule has none."""

    how: Action
    """REVOKE, RELEASE or QUARANTINE."""
    min_held_s: float
    """A hold of this length may be ended; no default: only the users know how long a job takes."""
    min_runs: int = 3
    """So many runs in a row must have found the lock leaked, the present one included."""
    max_per_run: int = 1
    """At most so many at once: what frees one lock may be wrong for the next."""
    max_per_day: int = 5
    """At most so many in 24 hours: a lock that leaks more often needs a person."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits for the keys that begin with one prefix; b"" is every key."""

    prefix: bytes
    limits: Limits
    treatment: Treatment | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Rules per prefix, and what the flags say over all of them."""

    rules: tuple[Rule, ...] = ()
    overrides: Limits = field(default_factory=Limits)
    suspects: bool = True
    """False for a run after which another one comes that will know more."""

    def thresholds_for(self, name: bytes) -> Thresholds:
        """
        Give the limits for a key or the name of a lock.

        The rule with the longest matching prefix applies, alone: rules for shorter prefixes add
        nothing to it. What the flags say beats it.
        """
        number = self._number_for(name)
        return self._unruled if number is None else self._ruled[number]

    def rule_for(self, name: bytes) -> Rule | None:
        """Give the one rule that applies to a key or the name of a lock."""
        number = self._number_for(name)
        return None if number is None else self.rules[number]

    def _number_for(self, name: bytes) -> int | None:
        matching = [n for n, rule in enumerate(self.rules) if is_below(name, rule.prefix)]
        return max(matching, key=lambda number: len(self.rules[number].prefix), default=None)

    @cached_property
    def _ruled(self) -> tuple[Thresholds, ...]:
        """The limits of each rule; worked out once, since they are asked for with every lock."""
        return tuple(self._overridden(rule.limits) for rule in self.rules)

    @cached_property
    def _unruled(self) -> Thresholds:
        return self._overridden({})

    def _overridden(self, limits: Limits) -> Thresholds:
        thresholds = Thresholds(suspects=self.suspects)
        return replace(replace(thresholds, **limits), **self.overrides)

    @cached_property
    def digest(self) -> str:
        """Give a short text that differs where any limit differs."""
        rules = [(rule.prefix, sorted(rule.limits.items())) for rule in self.rules]
        told = repr((rules, sorted(self.overrides.items()), self.suspects))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def kind_of(self, name: bytes) -> Kind | None:
        """Give what the policy says a lock of this name is for; None where it says nothing."""
        return self.thresholds_for(name).kind


def is_below(name: bytes, prefix: bytes) -> bool:
    """
    Tell whether a key, or the lock of this name, lies below a prefix.

    A lock's name may lack the slash in which the prefix ends, because its keys continue with it.
    """
    return name.startswith(prefix) or name + b"/" == prefix
