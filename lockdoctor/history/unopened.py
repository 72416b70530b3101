"""Stands in for a history that could not be opened, so that a run goes on and says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import Past
from lockdoctor.domain.past.run_record import RunRecord
from lockdoctor.errors import HistoryError


class UnavailableHistory:
    """A History (see ports) of which nothing can be read or written."""

    def __init__(self, failed: HistoryError) -> None:
        """Keep why."""
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
        """Say why there is nothing to recall."""
        raise self._failed

    def record(self, run: RunRecord) -> None:  # noqa: ARG002  # the port's
        """Say why nothing can be kept."""
        raise self._failed

    def prune(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
