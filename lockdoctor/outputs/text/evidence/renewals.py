"""Words for evidence on leases: renewed or not, expired, unread."""

from __future__ import annotations

from lockdoctor.domain.evidence import renewals
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, at_most, count, duration, safe, times


def _renewed(evidence: renewals.Renewed) -> str:
    text = (
        f"A client renewed the lease at least {times(evidence.renewals)}"
        f" in {duration(evidence.watched_s)}"
    )
    if evidence.at_most_every_s is None:
        return f"{text}."
    return f"{text}, on average every {at_most(evidence.at_most_every_s)} or less."


def _not_renewed(evidence: renewals.NotRenewed) -> str:
    return (
        f"The lease was not renewed for at least {at_least(evidence.unrenewed_for_s)}."
        f" Its remaining TTL was at most {at_most(evidence.remaining_s)} of"
        f" {duration(evidence.granted_s)}."
    )


def _expired(evidence: renewals.Expired) -> str:
    ago = at_least(evidence.for_s)
    if evidence.leases == 1:
        return f"The lease expired at least {ago} ago, but etcd has not ended it."
    return (
        f"{count(evidence.leases, 'lease')} expired, but etcd has not ended them. One of them"
        f" expired at least {ago} ago."
    )


def _expired_clause(evidence: renewals.Expired) -> str:
    if evidence.leases == 1:
        return f"expired at least {at_least(evidence.for_s)} ago"
    return f"{count(evidence.leases, 'lease')} expired but not ended"


def _listed_not_found(evidence: renewals.ListedNotFound) -> str:
    leases = "a lease" if evidence.leases == 1 else count(evidence.leases, "lease")
    which = "It" if evidence.leases == 1 else "One of them"
    return (
        f"etcd lists {leases} that look-ups do not find. {which} was still listed at least"
        f" {at_least(evidence.for_s)} after the first look-up."
    )


def _key_without_lease(evidence: renewals.KeyWithoutLease) -> str:
    return (
        f"The lease does not exist, but its key still existed {at_least(evidence.for_s)} after the"
        " first look-up. This happens only if etcd's data is damaged."
    )


def _late_renewal_clause(evidence: renewals.LateRenewal) -> str:
    remaining = at_most(evidence.remaining_at_most_s)
    return f"at most {remaining} of {duration(evidence.granted_s)} remained"


def _long_ttl(evidence: renewals.LongTtl) -> str:
    ttl = duration(evidence.granted_s)
    return (
        f"The lease's TTL is {ttl}, over the limit of {duration(evidence.limit_s)}. After a crash"
        f" of its holder, the lock stays taken for up to {ttl}."
    )


def _unobservable(evidence: renewals.Unobservable) -> str:
    return (
        f"With a TTL of {duration(evidence.granted_s)}, a proof can take up to"
        f" {at_most(evidence.needed_s)} of watching. This run has no reading that decides."
    )


def _leader_changed(evidence: renewals.LeaderChanged) -> str:
    increases = count(evidence.discarded, "TTL increase")
    verb = (
        "is not counted as a renewal"
        if evidence.discarded == 1
        else ("are not counted as renewals")
    )
    return f"{increases} {verb}: lockdoctor cannot rule out a reset by a new etcd leader."


ENTRIES = (
    entry(
        renewals.Renewed,
        "renewed",
        _renewed,
        lambda e: f"renewed at least {times(e.renewals)} in {duration(e.watched_s)}",
    ),
    entry(renewals.NotRenewed, "not-renewed", _not_renewed),
    entry(
        renewals.LeaseEnded,
        "lease-ended",
        "The lease ended during the watch: it expired or was revoked.",
    ),
    entry(renewals.Expired, "expired", _expired, _expired_clause),
    entry(
        renewals.ListedNotFound,
        "listed-but-gone",
        _listed_not_found,
        lambda e: f"{count(e.leases, 'lease')} listed but not found",
    ),
    entry(
        renewals.KeyWithoutLease, "lost-its-lease", _key_without_lease, "its lease does not exist"
    ),
    entry(
        renewals.LateRenewal,
        "late-renewal",
        lambda e: f"The lease was renewed when {_late_renewal_clause(e)}.",
        _late_renewal_clause,
    ),
    entry(renewals.LongTtl, "long-ttl", _long_ttl, lambda e: f"TTL {duration(e.granted_s)}"),
    entry(renewals.Unobservable, "unobservable", _unobservable),
    entry(
        renewals.ReadFailed,
        "unread",
        lambda e: f"The lease could not be read: {safe(e.reason).rstrip('.')}.",
    ),
    entry(renewals.LeaderChanged, "leader-changed", _leader_changed),
)
