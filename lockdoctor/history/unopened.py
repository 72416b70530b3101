"""
Replace a history that could not be opened, so that the run continues.

The report includes the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import Past
from lockdoctor.domain.past.run_record import RunRecord
from lockdoctor.errors import HistoryError


class UnavailableHistory:
    """A History (see ports) that cannot be read or written."""

    def __init__(self, failed: HistoryError) -> None:
        """Store the reason."""
        self.notes: list[str] = []
        self._failed = failed

    def recall(
        self,
        *,
        cluster_id: int,  # noqa: ARG002  # the port's
        revision: int,  # noqa: ARG002  # as above
        raft_term: int,  # noqa: ARG002  # as above
        prefixes: Sequence[bytes],  # noqa: ARG002  # as above
        holds: Collection[Hold],  # noqa: ARG002  # as above
        lease_ids: Collection[LeaseId],  # noqa: ARG002  # as above
        judged_by: str,  # noqa: ARG002  # as above
    ) -> Past:
        """Raise the reason why the history cannot be read."""
        raise self._failed

    def record(self, run: RunRecord) -> None:  # noqa: ARG002  # the port's
        """Raise the reason why the run cannot be stored."""
        raise self._failed

    def prune(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
