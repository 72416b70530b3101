"""Read the keys of one prefix at both ends of a scan, and watch them in between."""

from __future__ import annotations

from collections.abc import Callable

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import KeySnapshot
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.rules.scan_facts import PrefixFacts
from lockdoctor.ports import Clock, Cluster, StopRequest
from lockdoctor.workflows.scan.queue_watch import KeyEventCollector


class PrefixReader:
    """The keys of one prefix: first reading, events, last reading."""

    def __init__(self, prefix: bytes, first: KeySnapshot, policy: Policy) -> None:
        """Group the keys of the first reading into locks."""
        self.prefix = prefix
        self.first = first
        self.locks = locks(first.keys, prefix, policy)
        self._last: KeySnapshot | None = None
        self._watch: KeyEventCollector | None = None

    def watch(
        self, cluster: Cluster, on_left: Callable[[LeaseId], None], stop: StopRequest
    ) -> None:
        """Start the watch; see KeyEventCollector."""
        self._watch = KeyEventCollector(cluster, self.prefix, self.first, on_left, stop)

    async def read_again(self, cluster: Cluster, clock: Clock) -> None:
        """Read the watched keys once more, and wait for the events until then."""
        if self._watch is not None:
            self._last = await cluster.keys(self.prefix)
            await self._watch.catch_up(self._last.revision, clock)

    def require_right_cluster(self) -> None:
        """
        Raise an error if the watched cluster is not the cluster of the run.

        Raises:
            WrongClusterError: The last answers came from another cluster.
        """
        if self._watch is not None:
            self._watch.require_right_cluster()

    def facts(self) -> PrefixFacts:
        """Return what was read; without a watch, the first reading is the last one, too."""
        return PrefixFacts(
            prefix=self.prefix,
            first=self.first,
            last=self._last if self._watch else self.first,
            events=self._watch.events if self._watch else (),
            first_locks=self.locks,
        )

    async def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            await self._watch.close()
