"""How confident a verdict can be, by how the kind of its key is known."""

from __future__ import annotations

from lockdoctor.domain.evidence.verdicts import Confidence
from lockdoctor.domain.model.locks import Basis, KnownKind

_CAPS = {
    Basis.POLICY: Confidence.PROVEN,
    Basis.OWN_RECIPE: Confidence.PROVEN,
    Basis.LAYOUT: Confidence.PROVEN,
    Basis.LIKELY: Confidence.LIKELY,
    Basis.UNKNOWN: Confidence.PROVEN,
}
_ORDER = list(Confidence)
"""The surest first."""


def capped(confidence: Confidence, known: KnownKind) -> Confidence:
    """
    Return a confidence that is never higher than that of the kind.

    What is said of a key of unknown kind does not rest on its kind: such a key is never judged.
    """
    return max(confidence, _CAPS[known.basis], key=_ORDER.index)
