"""Judge one lock with one small rule per verdict; diagnose() applies them all."""

from __future__ import annotations

from lockdoctor.domain.evidence.verdicts import Verdict
from lockdoctor.domain.rules import lease_rules, lock_rules
from lockdoctor.domain.rules.lock_case import LockCase, Rule

STATE_RULES: tuple[Rule, ...] = (
    lock_rules.eternal_lock,
    lease_rules.dangling_holder,
    lease_rules.overdue,
    lock_rules.leaked_lock,
    lock_rules.suspected_leak,
    lock_rules.expiring,
    lock_rules.healthy,
    lock_rules.undetermined,
)
"""Exactly one of them names the state: the first that applies, and the last always does."""

OTHER_RULES = (
    lock_rules.blocked_queue,
    lease_rules.dangling_waiter,
    lease_rules.late_renewal,
    lease_rules.long_ttl,
    lease_rules.shared_lease,
)
"""Other problems, whatever the state."""


def diagnose(case: LockCase) -> tuple[Verdict, ...]:
    """Return the verdicts on one lock, the worst first."""
    state = next(verdict for rule in STATE_RULES if (verdict := rule(case)))
    others = [verdict for rule in OTHER_RULES if (verdict := rule(case, state))]
    return tuple(sorted([state, *others], key=lambda verdict: -verdict.severity))
