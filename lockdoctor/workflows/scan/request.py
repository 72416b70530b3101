"""The request of a scan."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What to scan, and for how long."""

    prefixes: tuple[bytes, ...]
    """No prefix of another one; b"" alone for every key."""
    policy: Policy
    window_s: float
    """The maximum time to watch, in seconds; 0 for one reading only."""
    command: str = "scan"
    """The name of this run's command in the history."""
    sessions: bool
    """Look up the leases without keys as well, of the whole cluster."""
    leases: tuple[LeaseId, ...] = ()
    """Look up these leases, which have no keys, and no other leases without keys."""
    whole_queue: bool = False
    """Watch the leases of waiters as closely as the holder's."""

    @property
    def judged_by(self) -> str:
        """
        Return a text that differs where the limits or options of verdicts differ.

        Runs with other limits are not compared.
        """
        sessions = "" if self.sessions else " --no-sessions"
        return f"{self.command}{sessions} {self.policy.digest}"
