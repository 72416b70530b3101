"""Lease IDs as people write them."""

from __future__ import annotations

import pytest

from lockdoctor.domain.model.leases import lease_id_of, parse_lease_id


@pytest.mark.parametrize("word", ["32698f1c0a1b2c3d", "0x32698f1c0a1b2c3d", "32698F1C0A1B2C3D"])
def test_a_word_that_is_a_lease(word: str) -> None:
    """With or without 0x, in either case."""
    assert lease_id_of(word) == parse_lease_id(word) == 0x32698F1C0A1B2C3D


@pytest.mark.parametrize("word", ["", "/my-lock/orders", "0", "18000000000000000"])
def test_a_word_that_is_none(word: str) -> None:
    """A name, the ID that means no lease, and what is too large; none of them is an error."""
    assert lease_id_of(word) is None
