"""All keys of a prefix at one revision, read in pages."""

from __future__ import annotations

import contextlib

from lockdoctor.domain.model.locks import KeySnapshot, LockKey
from lockdoctor.errors import ClusterError
from lockdoctor.etcd.connection.attempt import KeyRange, Response
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.errors import RevisionCompactedError, printable
from lockdoctor.etcd.convert import lock_key, range_of
from lockdoctor.etcd.protos import rpc

FIRST_PAGE = 64
MAX_KEYS_PER_PAGE = 10_000
BYTES_PER_PAGE = 1 << 20
GROWTH = 8
"""Maximum ratio of a page's keys to the page before: the next keys can be larger."""
MAX_STARTS = 6


async def read_keys(connection: Connection, prefix: bytes) -> KeySnapshot:
    """
    Read every key with this prefix.

    Raises:
        ClusterError: etcd repeatedly compacts the revision during the read.
    """
    for _ in range(MAX_STARTS):
        with contextlib.suppress(RevisionCompactedError):
            return await _read_once(connection, prefix)
    raise ClusterError(
        f"The keys below {printable(prefix)} could not be read at one revision: etcd was compacted"
        " repeatedly. Use a longer --prefix, or compact less often."
    )


async def _read_once(connection: Connection, prefix: bytes) -> KeySnapshot:
    start, end = range_of(prefix)
    what = f"read the keys below {printable(prefix)}"
    keys: list[LockKey] = []
    first: Response | None = None
    limit = FIRST_PAGE
    while True:
        request = rpc.RangeRequest(
            key=start,
            range_end=end,
            limit=limit,
            revision=first.message.header.revision if first else 0,
        )
        page = await connection.call(
            lambda member: member.kv.Range, request, what, KeyRange(prefix)
        )
        first = first or page._replace(message=_header_only(page.message))
        keys += map(lock_key, page.message.kvs)
        if not page.message.more:
            return _snapshot(first, page.answered_at, keys)
        start = page.message.kvs[-1].key + b"\x00"
        limit = next_page(limit, page.message.ByteSize() / len(page.message.kvs))


def next_page(limit: int, bytes_per_key: float) -> int:
    """Return the number of keys to request next, for about 1 MiB."""
    wanted = int(BYTES_PER_PAGE / max(bytes_per_key, 1.0))
    return max(1, min(wanted, limit * GROWTH, MAX_KEYS_PER_PAGE))


def _header_only(message: object) -> object:
    """Return an answer without its keys, to be kept until the end."""
    return rpc.RangeResponse(header=message.header)  # type: ignore[attr-defined]  # untyped


def _snapshot(first: Response, answered_at: float, keys: list[LockKey]) -> KeySnapshot:
    return KeySnapshot(
        asked_at=first.asked_at,
        answered_at=answered_at,
        revision=first.message.header.revision,
        raft_term=first.message.header.raft_term,
        keys=tuple(keys),
    )
