"""The limits per prefix, for times and counts; all durations in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypedDict

from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.recipes.registry import RecipeBook, built_in

DEFAULT_MAX_HOLD_S = 300.0
"""
The age from which a hold is long where no limit is stated, in seconds.

Five minutes: a lock guards one job, and a waiter has given up by then. Many jobs take longer, so
this default proves no leak: it is the age from which a health check mentions a hold.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The limits that apply to the locks and sessions below one prefix."""

    kind: Kind | None = None
    """What the keys are for. Default None: the keys' own recipe decides."""
    max_hold_s: float | None = None
    """
    A hold of this length is too long. Default None: only the users of a lock know how long their
    job takes.
    """
    critical_hold_s: float | None = None
    """
    A hold of this length is CRITICAL even without waiters. Default None: never by age alone. Where
    it is given without max_hold_s, it is the stated limit as well.
    """
    max_wait_s: float = 300.0
    """
    A wait of this length deserves attention. Default 300: as long as DEFAULT_MAX_HOLD_S, so that a
    queue is not called blocked behind a hold that is not yet called long.
    """
    max_ttl_s: float = 600.0
    """
    A granted TTL above this is too long. Default 600: after a crash the lock stays taken for up to
    the TTL; ten minutes is ten times the default TTL of Go's sessions.
    """
    max_idle_session_s: float | None = None
    """
    A session that has not been seen with a key for this long is leaked. Default None: pools of
    sessions have no keys most of the time, and are healthy.
    """
    pile_up: int = 50
    """
    This many renewed leases without keys are a pile-up. Default 50: more sessions than a pool
    commonly holds, and few enough that neither etcd nor the client is overloaded yet.
    """
    suspects: bool = True
    """Whether a mere possibility is a finding. Default True: the reader of a scan needs it now."""

    @property
    def stated_limit_s(self) -> float | None:
        """Return the longest that a hold may last, where an operator has stated it."""
        return self.critical_hold_s if self.max_hold_s is None else self.max_hold_s

    @property
    def limit_s(self) -> float:
        """Return the age from which a hold is long, with or without a stated limit."""
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
"""The least number of runs for a policy: one is too little for an unattended action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """The actions allowed on leaked locks unattended; no action where a rule has none."""

    how: Action
    """REVOKE, RELEASE or QUARANTINE."""
    min_held_s: float
    """A hold of this length may be ended; no default: only the users know how long a job takes."""
    min_runs: int = 3
    """The number of successive runs that must have found the lock leaked, with the present one."""
    max_per_run: int = 1
    """The maximum at once: what frees one lock might be wrong for the next."""
    max_per_day: int = 5
    """The maximum in 24 hours: a lock that leaks more often needs a person."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits for the keys that begin with one prefix; b"" is every key."""

    prefix: bytes
    limits: Limits
    treatment: Treatment | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Rules per prefix, and the flags, which take precedence over all of them."""

    rules: tuple[Rule, ...] = ()
    overrides: Limits = field(default_factory=Limits)
    suspects: bool = True
    """False for a run that a later run will follow with more evidence."""
    recipes: RecipeBook = field(default_factory=built_in)
    """The recipes of lockdoctor.toml, and the built-in ones."""

    def thresholds_for(self, name: bytes) -> Thresholds:
        """
        Return the limits for a key or the name of a lock.

        Only the rule with the longest matching prefix applies; rules for shorter prefixes add no
        limits to it. The flags take precedence over it.
        """
        rule = self.rule_for(name)
        return self._thresholds[rule.prefix if rule else None]

    def rule_for(self, name: bytes) -> Rule | None:
        """Return the one rule that applies to a key or the name of a lock."""
        matching = (rule for rule in self.rules if is_below(name, rule.prefix))
        return max(matching, key=lambda rule: len(rule.prefix), default=None)

    @cached_property
    def _thresholds(self) -> dict[bytes | None, Thresholds]:
        """Return the limits of each rule, by its prefix; computed once."""
        default = Thresholds(suspects=self.suspects)
        limits: dict[bytes | None, Limits] = {None: {}}
        limits |= {rule.prefix: rule.limits for rule in reversed(self.rules)}  # the first wins
        return {
            prefix: replace(replace(default, **of_rule), **self.overrides)
            for prefix, of_rule in limits.items()
        }

    @cached_property
    def digest(self) -> str:
        """Return a short text that differs where any limit differs."""
        rules = [(rule.prefix, sorted(rule.limits.items())) for rule in self.rules]
        limits = repr((rules, sorted(self.overrides.items()), self.suspects))
        if self.recipes.own:
            limits += repr(self.recipes.own)
        return hashlib.sha256(limits.encode()).hexdigest()[:16]

    @property
    def flag_kind(self) -> Kind | None:
        """Return the kind of every key by a flag, if one is given."""
        return self.overrides.get("kind")

    def kind_of(self, name: bytes) -> Kind | None:
        """Return what a lock of this name is for by the policy; None if it has no entry."""
        return self.thresholds_for(name).kind


def is_below(name: bytes, prefix: bytes) -> bool:
    """
    Return whether a key, or the lock of this name, is below a prefix.

    A lock's name can lack the slash in which the prefix ends, because its keys continue with it.
    """
    return name.startswith(prefix) or name + b"/" == prefix
