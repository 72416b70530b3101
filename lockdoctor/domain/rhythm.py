"""
Which sessions belong to one client, by the rhythm of their renewals.

Go's client renews all of its sessions from one loop that wakes every half second, and a little
more, as timers are late. So the renewals of one client fall on one grid: not at the same moment,
as each session keeps the turn at which it was opened, but a whole number of turns apart. Measured
on real clients, also under load: a turn takes 500.3 to 508 ms, and the sessions of one client lie
within 10 ms of one grid, while two clients lie anywhere.

A reading leaves a second of doubt, which says nothing of half a second. But what remains is cut to
whole seconds, so a look at the right moment halves the doubt, and seven looks leave milliseconds.
How much more renewals can tell is bounded all the same: independent clients keep their distance, so
that a second renewal hardly adds proof of a common grid; it serves to measure the turn. What stays
is the chance that two independent clients lie so close: the width of what was measured, as a share
of the turn. It is stated wherever sessions are joined.

Source: sendKeepAliveLoop in etcd's client/v3/lease.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lockdoctor.domain.leases import LeaseId, Observation, Reading
from lockdoctor.domain.renewals import Interval, Leadership, refreshes
from lockdoctor.values import dataclass

TURN = Interval(0.5, 0.51)
"""Seconds that a turn of the client's loop takes: the half second, and what a timer is late by."""

JITTER_S = 0.008
"""How much longer one renewal may take from the loop to etcd than another."""

FINE_S = 1 / 128
"""A renewal is known well enough when so many seconds of doubt are left."""

GOOD_S = 4 * FINE_S
"""A renewal known less well than this is not used."""

MOST_RENEWALS = 4
"""A lease that shows no rhythm in so many renewals is looked at no more for it."""

LONGEST_S = 24.0
"""Two renewals further apart do not tell how many turns lay between them."""

FEWEST_LOOKS = 8
"""Fewer readings than this cannot tell two renewals so well."""

FEWEST_GAP_S = 0.02
"""No lease is looked at twice within this time."""

LEAST_PERIOD_S = 5.0
"""Where a client renews more often than this, there is no time to measure a renewal."""

MOST_CHANCE = 0.12
"""Sessions are joined only where chance would join them in fewer cases than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Renewals of one session, each known to a few milliseconds."""

    lease_id: LeaseId
    renewals: tuple[Interval, ...]
    """Two or more."""
    turn: Interval
    """How long a turn of the loop took between the first and the last of them."""


def can_be_timed(reading: Reading) -> bool:
    """Tell whether the renewals of a lease are far enough apart to be measured."""
    return isinstance(reading, Observation) and reading.granted_ttl_s / 3 >= LEAST_PERIOD_S


def timing_look(readings: Sequence[Reading], leadership: Leadership) -> float | None:
    """
    Say when a look tells most about the rhythm of a lease: of its last renewal, then of the next.

    Returns:
        None where the rhythm is known, or cannot be found.
    """
    last = readings[-1]
    known = refreshes(readings, leadership) if can_be_timed(last) else []
    if not known or not isinstance(last, Observation):
        return None
    period_s = last.granted_ttl_s / 3
    fine = _fine_look(known[-1], last, known[-1].latest + period_s)
    if fine is not None:
        return fine
    if len(known) >= MOST_RENEWALS or beat(readings, leadership):
        return None
    next_at = known[-1].latest + period_s + TURN.latest + FEWEST_GAP_S
    return max(next_at, last.answered_at + FEWEST_GAP_S)


def _fine_look(renewal: Interval, last: Observation, until: float) -> float | None:
    """When to look so that the doubt about a renewal shrinks most, before the next one comes."""
    doubt_s = _width(renewal) - (last.answered_at - last.asked_at)
    now = last.answered_at + FEWEST_GAP_S
    if doubt_s <= FINE_S or now >= until:
        return None
    # the edge of a second comes by once a second; where few are left, each has to tell more
    passes = max(1, math.floor(until - now))
    parts = min((doubt_s / FINE_S) ** (1 / passes), doubt_s / FEWEST_GAP_S)
    edge = renewal.earliest + doubt_s / max(2.0, parts)
    moment = now + (edge - now) % 1.0
    return moment if moment < until else None


def beat(readings: Sequence[Reading], leadership: Leadership) -> Beat | None:
    """
    Take the rhythm of one session from the renewals that are known well.

    Returns:
        None where fewer than two are known well enough, or they do not fit a loop of Go's kind.
    """
    known = [each for each in refreshes(readings, leadership) if _width(each) <= GOOD_S]
    if not known:
        return None
    since, turns = len(known) - 1, 0
    while since > 0 and (between := _turns(known[since - 1], known[since])):
        since, turns = since - 1, turns + between  # the first of all may be the grant
    if not turns:
        return None
    least = (known[-1].earliest - known[since].latest - JITTER_S) / turns
    most = (known[-1].latest - known[since].earliest + JITTER_S) / turns
    turn = Interval(max(TURN.earliest, least), min(TURN.latest, most))
    return Beat(lease_id=readings[-1].lease_id, renewals=tuple(known[since:]), turn=turn)


def coincidence(one: Beat, other: Beat) -> float | None:
    """
    Tell whether two sessions may be renewed by one loop.

    Returns:
        None where they cannot be. Else the chance that the sessions of two independent clients,
        measured as well as these were, would look the same.
    """
    apart = _compared(one, other)
    return apart.chance if apart.fits else None


def chance_of_any(one: Beat, others: Iterable[Beat]) -> float:
    """
    Say how likely an independent client would fit at least one of several sessions.

    Sessions of one client fit, or do not fit, together: however many they are, they count but
    once. So this is how much of a turn their places cover.
    """
    arcs = sorted(_arcs(_compared(one, other) for other in others))
    covered = reached = 0.0
    for begin, end in arcs:
        covered += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return min(1.0, covered)


def in_step(one: Beat, others: Iterable[Beat]) -> set[LeaseId]:
    """Pick the sessions that one loop may renew together with the first."""
    return {other.lease_id for other in others if coincidence(one, other) is not None}


def closest(one: Beat, others: Iterable[Beat]) -> set[LeaseId]:
    """Of those in step with a session, pick the one that fits best, and all that fit as well."""
    apart = {other.lease_id: _compared(one, other) for other in others}
    fitting = {lease: abs(each.share) for lease, each in apart.items() if each.fits}
    best = min(fitting.values(), default=0.0)
    return {lease for lease, share in fitting.items() if share <= best + JITTER_S / TURN.latest}


class _Apart(NamedTuple):
    """How two sessions lie on a turn of the loop."""

    share: float
    """From one to the other, as a share of the turn: between -1/2 and 1/2."""
    chance: float
    """The share of places at which they would count as one client's."""

    @property
    def fits(self) -> bool:
        """Whether they may be one client's."""
        return abs(self.share) <= self.chance / 2


def _compared(one: Beat, other: Beat) -> _Apart:
    """Compare the two renewals that lie next to each other, as doubt adds up with every turn."""
    pairs = ((mine, theirs) for mine in one.renewals for theirs in other.renewals)
    mine, theirs = min(pairs, key=lambda pair: abs(pair[0].earliest - pair[1].earliest))
    turn = Interval(
        min(one.turn.earliest, other.turn.earliest), max(one.turn.latest, other.turn.latest)
    )
    mean = (turn.earliest + turn.latest) / 2
    distance = (theirs.earliest + theirs.latest - mine.earliest - mine.latest) / 2
    turns = round(distance / mean)
    doubt_s = _width(mine) + _width(theirs) + 2 * JITTER_S + abs(turns) * _width(turn)
    return _Apart(share=distance / mean - turns, chance=min(1.0, doubt_s / turn.earliest))


def _arcs(places: Iterable[_Apart]) -> Iterable[tuple[float, float]]:
    """The stretches of a turn from 0 to 1 that the places cover; one across 0 is cut in two."""
    for place in places:
        begin = (place.share - place.chance / 2) % 1.0
        end = begin + place.chance
        yield begin, min(1.0, end)
        if end > 1.0:
            yield 0.0, end - 1.0


def _turns(earlier: Interval, later: Interval) -> int:
    """How many turns lie between two renewals; 0 where no number of them fits, or several do."""
    least = later.earliest - earlier.latest - JITTER_S
    most = later.latest - earlier.earliest + JITTER_S
    turns = math.floor(most / TURN.earliest)
    return turns if most <= LONGEST_S and least <= turns * TURN.latest else 0


def _width(interval: Interval) -> float:
    return interval.latest - interval.earliest
