"""Read the history for a scan, and add the scan to it; a failure is reported."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from lockdoctor.domain.model.leases import LeaseId, Reading
from lockdoctor.domain.model.locks import KeySnapshot
from lockdoctor.domain.past.past import Past
from lockdoctor.domain.report.notes import HistoryNotPruned
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, Unseen
from lockdoctor.domain.rules.record_run import run_record
from lockdoctor.domain.rules.scan_facts import ScanFacts
from lockdoctor.errors import HistoryError
from lockdoctor.ports import History, MemberStatus
from lockdoctor.workflows.scan.request import ScanRequest


class RunHistory:
    """
    The history, as one scan uses it.

    A history that fails never prevents the report, which lists the failure.
    """

    def __init__(self, history: History | None, request: ScanRequest) -> None:
        """Read nothing yet; None neither reads nor stores anything."""
        self.past: Past | None = None
        """What earlier runs saw, without their readings; None where it was not read."""
        self._history = history
        self._request = request
        self._failures: list[Unseen] = []

    def recall(
        self,
        status: MemberStatus,
        snapshots: Collection[KeySnapshot],
        lease_ids: Collection[LeaseId],
    ) -> Mapping[LeaseId, Sequence[Reading]]:
        """
        Read what earlier runs saw of the keys, their leases, and other leases.

        Returns:
            The readings of earlier runs. Only the caller keeps them.
        """
        if self._history is None:
            return {}
        keys = [key for snapshot in snapshots for key in snapshot.keys]
        try:
            past = self._history.recall(
                cluster_id=status.cluster_id,
                revision=min((s.revision for s in snapshots), default=status.revision),
                raft_term=status.raft_term,
                prefixes=self._request.prefixes,
                holds=[key.hold for key in keys],
                lease_ids={key.lease_id for key in keys if key.has_lease}.union(lease_ids),
                judged_by=self._request.judged_by,
            )
        except HistoryError as failed:
            self._note_failure(Part.HISTORY, failed)
            return {}
        self.past = replace(past, readings={})
        return past.readings

    def record(self, facts: ScanFacts, report: Report) -> Report:
        """Store the run, and return the report with any failure."""
        if self._history is None:
            return report
        notes: list[HistoryNotPruned] = []
        if self.past is not None and self._request.prefixes:  # else no keys were read
            try:
                self._history.record(
                    run_record(facts, report, self._request.command, self._request.judged_by)
                )
            except HistoryError as failed:
                self._note_failure(Part.OWN_RUN, failed)
            else:
                notes = _pruned(self._history)
        return replace(
            report,
            unseen=(*report.unseen, *self._failures),
            notes=(*report.notes, *self._history.notes, *notes),
        )

    def _note_failure(self, what: Part, failed: HistoryError) -> None:
        self._failures.append(Unseen(what=what, count=None, why=str(failed), is_failure=True))


def _pruned(history: History) -> list[HistoryNotPruned]:
    """
    Prune the history; return a failure as a note.

    The run is stored already, and the next run prunes what is left.
    """
    try:
        history.prune()
    except HistoryError as failed:
        return [HistoryNotPruned(str(failed))]
    return []
