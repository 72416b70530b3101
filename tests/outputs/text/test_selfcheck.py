"""The sentences of the self-check."""

from __future__ import annotations

from lockdoctor.domain.selfcheck.etcd_versions import LEASE_BUGS
from lockdoctor.outputs.text.selfcheck import BUGS


def test_every_bug_has_its_effect() -> None:
    """By its source; and no effect is left of a bug that is not listed."""
    assert {bug.source for bug in LEASE_BUGS} == set(BUGS)
