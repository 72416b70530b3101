"""Judge one lock with one small rule per verdict; diagnose() applies them all."""

from __future__ import annotations

from lockdoctor.domain.evidence.verdicts import Verdict
from lockdoctor.domain.rules.lease_rules import (
    dangling_holder,
    dangling_waiter,
    late_renewal,
    long_ttl,
    overdue,
    shared_lease,
)
from lockdoctor.domain.rules.lock_case import LockCase, Rule
from lockdoctor.domain.rules.lock_rules import (
    blocked_queue,
    eternal_lock,
    expiring,
    healthy,
    leaked_lock,
    suspected_leak,
    undetermined,
)


def diagnose(case: LockCase) -> tuple[Verdict, ...]:
    """
    Return the verdicts on one lock.

    Returns:
        The verdict on its state, and those on other problems with it; the worst first.
    """
    state = next(verdict for rule in STATE_RULES if (verdict := rule(case)))
    others = [verdict for rule in OTHER_RULES if (verdict := rule(case, state))]
    return tuple(sorted([state, *others], key=lambda verdict: -verdict.severity))


STATE_RULES: tuple[Rule, ...] = (
    eternal_lock,
    dangling_holder,
    overdue,
    leaked_lock,
    suspected_leak,
    expiring,
    healthy,
    undetermined,
)
"""Exactly one of them names the state: the first that applies, and the last always does."""

OTHER_RULES = (blocked_queue, dangling_waiter, late_renewal, long_ttl, shared_lease)
"""Other problems, whatever the state."""
