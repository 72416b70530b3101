"""A cluster of several etcd members on loopback ports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import final

from lockdoctor.demo.etcd_server import EtcdServer, ServerTls


@final
class EtcdServers:
    """A cluster of several members."""

    def __init__(
        self,
        folder: Path,
        *,
        size: int = 3,
        binary: str | os.PathLike[str] | None = None,
        tls: ServerTls | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        """Choose binary and ports of all members; start() starts the processes."""
        self.members = [
            EtcdServer(
                folder / f"member{number}",
                binary=binary,
                name=f"member{number}",
                tls=tls,
                flags=flags,
            )
            for number in range(1, size + 1)
        ]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Return the URL of each member for clients."""
        return tuple(member.endpoint for member in self.members)

    def start(self) -> None:
        """Start all members, and wait until each one answers."""
        peers = {member.name: member.peer_url for member in self.members}
        for member in self.members:
            member.start(wait=False, initial_cluster=peers)
        for member in self.members:
            member.wait_until_ready()

    def stop(self) -> None:
        """Kill all members: after a shutdown of some, the rest would wait for a quorum."""
        for member in self.members:
            member.kill()

    def __enter__(self) -> EtcdServers:
        """Start all members, and wait until each one answers."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all members."""
        self.stop()
