"""What to do about a verdict: a sentence for each remedy."""

from __future__ import annotations

import pytest

from lockdoctor.domain.evidence.remedies import Advice, WatchLonger
from lockdoctor.outputs.text.remedies import ADVICE, remedy_text


@pytest.mark.parametrize("advice", Advice)
def test_every_remedy_has_its_own_sentence(advice: Advice) -> None:
    """One that ends with a period, and that no other remedy has."""
    text = remedy_text(advice)

    assert text.endswith(".")
    assert list(ADVICE.values()).count(text) == 1


def test_a_window_is_a_flag_to_copy() -> None:
    """In seconds, as the option takes it."""
    assert "--window 602s" in remedy_text(WatchLonger(602))
