"""A key that behaves like a lock is likely one, never for certain."""

from __future__ import annotations

import pytest

from lockdoctor.domain.evidence.kinds import capped
from lockdoctor.domain.evidence.verdicts import Confidence
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Basis, Kind, KnownKind
from lockdoctor.domain.recipes.behavior import LIKELY_LOCK, UNKNOWN, Life, kind_by_behavior


def lives(*values: bytes | None, leases: int = 9) -> list[Life]:
    return [Life(n, LeaseId(1 + n % leases), value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("seen", "others", "known"),
    [
        (lives(b"a", b"b", b"c"), 0, LIKELY_LOCK),
        (lives(b"", b"", b""), 0, LIKELY_LOCK),
        (lives(None, None, None), 0, LIKELY_LOCK),
        (lives(b"a", b"b"), 0, UNKNOWN),
        (lives(b"a", b"b") + lives(b"a", b"b"), 0, UNKNOWN),
        (lives(b"10.0.0.7", b"10.0.0.8", b"10.0.0.7"), 0, UNKNOWN),
        (lives(b"a", b"b", b"c", leases=2), 0, UNKNOWN),
        (lives(b"a", b"b", b"c"), 1, UNKNOWN),
    ],
)
def test_hands_and_values_that_changed_make_a_lock_likely(
    seen: list[Life], others: int, known: KnownKind
) -> None:
    """A service that restarts writes its own value again, or has several keys on its lease."""
    assert kind_by_behavior(seen, others_on_lease=others) == known
    assert not known.may_be_planned


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize("confidence", Confidence)
def test_no_verdict_is_more_confident_than_its_kind(basis: Basis, confidence: Confidence) -> None:
    """Stated and proven kinds limit nothing; what is said of unknown keys is not on the kind."""
    found = capped(confidence, KnownKind(Kind.LOCK, basis))
    order = list(Confidence)

    assert order.index(found) >= order.index(confidence)
    if basis is Basis.LIKELY:
        assert found is not Confidence.PROVEN
    else:
        assert found is confidence
