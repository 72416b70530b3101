"""One attempt of a call: the member, the user, the deadline, and the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc.aio

from lockdoctor.etcd.connection.auth import metadata_of
from lockdoctor.etcd.connection.member import Member

Method = Callable[[Member], Any]
"""Selects the RPC from a member's services."""


class Response(NamedTuple):
    """The response of one call, with the times around the attempt that succeeded."""

    asked_at: float
    answered_at: float
    message: Any
    endpoint: str


class KeyRange(NamedTuple):
    """The keys that a user needs permission to read."""

    start: bytes
    is_prefix: bool = True
    """True for all keys with this prefix, False for one key."""


class Attempt(NamedTuple):
    """One try of a call: the member, the user, and the deadline for further tries."""

    number: int
    member: Member
    token: str | None
    deadline: float
    what: str
    """What is tried, as the end of "could not ...", for a message."""
    keys: KeyRange | None = None
    """The keys that it reads, if any; for a message."""

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """Return the metadata of the request."""
        return metadata_of(self.token)


class FailedAttempt(NamedTuple):
    """A failed attempt that was not made by call()."""

    attempt: Attempt
    asked_at: float
    error: grpc.aio.AioRpcError
