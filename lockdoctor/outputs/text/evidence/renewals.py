"""Words for evidence on leases: renewed or not, expired, unread."""

from __future__ import annotations

from lockdoctor.domain.evidence.renewals import (
    Expired,
    KeyWithoutLease,
    LateRenewal,
    LeaderChanged,
    LeaseEnded,
    ListedNotFound,
    LongTtl,
    NotRenewed,
    ReadFailed,
    Renewed,
    Unobservable,
)
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, at_most, count, duration, safe, times


def _renewed(evidence: Renewed) -> str:
    text = (
        f"A client renewed the lease at least {times(evidence.renewals)}"
        f" in {duration(evidence.watched_s)}"
    )
    if evidence.at_most_every_s is None:
        return f"{text}."
    return f"{text}, on average every {at_most(evidence.at_most_every_s)} or more often."


def _renewed_clause(evidence: Renewed) -> str:
    return f"renewed at least {times(evidence.renewals)} in {duration(evidence.watched_s)}"


def _not_renewed(evidence: NotRenewed) -> str:
    return (
        f"The lease went without a renewal for at least {at_least(evidence.unrenewed_for_s)};"
        f" at most {at_most(evidence.remaining_s)} of {duration(evidence.granted_s)} were left."
    )


def _expired(evidence: Expired) -> str:
    by = at_least(evidence.for_s)
    if evidence.leases == 1:
        return f"etcd should have ended the lease at least {by} ago, and has not."
    leases = count(evidence.leases, "lease")
    return f"etcd should have ended {leases} by now, one of them at least {by} ago, and has not."


def _expired_clause(evidence: Expired) -> str:
    which = "" if evidence.leases == 1 else f"{count(evidence.leases, 'lease')} "
    return f"{which}past the end by at least {at_least(evidence.for_s)}"


def _listed_not_found(evidence: ListedNotFound) -> str:
    which = "a lease that" if evidence.leases == 1 else f"{count(evidence.leases, 'lease')} that"
    return (
        f"etcd's list has {which} no look-up finds, even {at_least(evidence.for_s)} after the first"
        " look-up that found none."
    )


def _key_without_lease(evidence: KeyWithoutLease) -> str:
    return (
        "etcd knows no lease of this ID, yet the key on it stood for at least"
        f" {at_least(evidence.for_s)} after: the two end together, unless etcd's data are damaged."
    )


def _late_renewal(evidence: LateRenewal) -> str:
    left = at_most(evidence.remaining_at_most_s)
    return f"A renewal came when at most {left} of {duration(evidence.granted_s)} were left."


def _late_renewal_clause(evidence: LateRenewal) -> str:
    return f"at most {at_most(evidence.remaining_at_most_s)} of {duration(evidence.granted_s)} left"


def _long_ttl(evidence: LongTtl) -> str:
    return (
        f"The lease's TTL is {duration(evidence.granted_s)}, over the limit of"
        f" {duration(evidence.limit_s)}: after a crash of its holder the lock stays taken that"
        " long."
    )


def _unobservable(evidence: Unobservable) -> str:
    return (
        f"With a TTL of {duration(evidence.granted_s)} it takes up to {at_most(evidence.needed_s)}"
        " of watching to see enough renewals; this run did not see them."
    )


def _leader_changed(evidence: LeaderChanged) -> str:
    return (
        "A new etcd leader reset every lease while it was watched:"
        f" {count(evidence.discarded, 'rise')} of the TTL may be its work and proves nothing."
    )


ENTRIES = (
    entry(Renewed, "renewed", _renewed, _renewed_clause),
    entry(NotRenewed, "not-renewed", _not_renewed),
    entry(
        LeaseEnded,
        "lease-ended",
        "The lease ended while it was watched: it expired or was revoked.",
    ),
    entry(Expired, "expired", _expired, _expired_clause),
    entry(
        ListedNotFound,
        "listed-but-gone",
        _listed_not_found,
        lambda evidence: f"{count(evidence.leases, 'lease')} listed but not found",
    ),
    entry(KeyWithoutLease, "lost-its-lease", _key_without_lease, "its lease is gone"),
    entry(LateRenewal, "late-renewal", _late_renewal, _late_renewal_clause),
    entry(
        LongTtl,
        "long-ttl",
        _long_ttl,
        lambda evidence: f"TTL {duration(evidence.granted_s)}",
    ),
    entry(Unobservable, "unobservable", _unobservable),
    entry(
        ReadFailed,
        "unread",
        lambda evidence: f"The lease could not be read: {safe(evidence.reason).rstrip('.')}.",
    ),
    entry(LeaderChanged, "leader-changed", _leader_changed),
)
