"""EtcdWriter: the only part of lockdoctor that writes to an etcd cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lockdoctor.domain.model.leases import LeaseId, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome, WriteResult
from lockdoctor.etcd.connection.attempt import KeyRange, Method
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.errors import (
    LeaseNotFoundError,
    WriteOutcomeUnknownError,
    one_line,
    printable,
)
from lockdoctor.etcd.convert import lock_key
from lockdoctor.etcd.protos import rpc
from lockdoctor.ports import MAX_KEYS_PER_WRITE, Clock


class EtcdWriter:
    """
    A KeyWriter (see ports) for a real cluster.

    Source: Txn and LeaseRevoke in etcd's server/etcdserver/v3_server.go; tested on 3.4.23 and
    3.5.1.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Write through an open connection."""
        self._connection = connection
        self._clock = clock

    async def key(self, key: bytes) -> LockKey | None:
        """Read one key with its whole value, as the majority of the members has it."""
        answer = await self._connection.call(
            lambda member: member.kv.Range,
            rpc.RangeRequest(key=key),
            f"read {printable(key)}",
            KeyRange(key, is_prefix=False),
        )
        return next((lock_key(found, None) for found in answer.message.kvs), None)

    async def delete(self, keys: Sequence[LockKey]) -> WriteResult:
        """Delete keys, guarded; their leases and the leases' other keys stay."""
        return await self._transact(
            [comparison for key in keys for comparison in _unchanged(key)],
            [
                rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key.key))
                for key in keys
            ],
            f"delete {_named(keys)}",
        )

    async def move(self, keys: Sequence[LockKey], to: LeaseId) -> WriteResult:
        """Move keys to another lease, guarded; NO_LEASE detaches them from theirs."""
        puts = (rpc.PutRequest(key=key.key, lease=to, ignore_value=True) for key in keys)
        return await self._transact(
            [comparison for key in keys for comparison in _unchanged(key)],
            [rpc.RequestOp(request_put=put) for put in puts],
            f"put {_named(keys)} onto {f'lease {hex_id(to)}' if to else 'no lease'}",
        )

    async def create(self, keys: Sequence[LockKey], lease_id: LeaseId) -> WriteResult:
        """Write keys with their values to a lease, only if no such key exists."""
        puts = (rpc.PutRequest(key=key.key, value=key.value, lease=lease_id) for key in keys)
        return await self._transact(
            [_compare(key.key, "CREATE", create_revision=0) for key in keys],
            [rpc.RequestOp(request_put=put) for put in puts],
            f"put back {_named(keys)}",
        )

    async def grant(self, ttl_s: int) -> LeaseId:
        """Grant a lease that no client renews; etcd may raise its TTL."""
        answer = await self._connection.call_once(
            lambda member: member.lease.LeaseGrant,
            rpc.LeaseGrantRequest(TTL=ttl_s),
            "grant a lease",
        )
        return LeaseId(answer.message.ID)

    async def revoke(self, lease_id: LeaseId) -> WriteResult:
        """
        End a lease and delete every key that is then on it.

        etcd has no guard for this request.
        """
        request = rpc.LeaseRevokeRequest(ID=lease_id)
        what = f"revoke lease {hex_id(lease_id)}"
        return await self._write(lambda member: member.lease.LeaseRevoke, request, what)

    async def _transact(self, compare: list[Any], then: list[Any], what: str) -> WriteResult:
        if not 0 < len(then) <= MAX_KEYS_PER_WRITE:
            raise ValueError(f"{len(then)} keys in one write, 1 to {MAX_KEYS_PER_WRITE} can be")
        request = rpc.TxnRequest(compare=compare, success=then)
        return await self._write(lambda member: member.kv.Txn, request, what)

    async def _write(self, method: Method, request: Any, what: str) -> WriteResult:
        asked_at = self._clock.now()
        effect, why = WriteOutcome.DONE, ""
        try:
            answer = await self._connection.call_once(method, request, what)
        except LeaseNotFoundError:
            effect = WriteOutcome.NO_LEASE
        except WriteOutcomeUnknownError as unclear:
            effect, why = WriteOutcome.UNCLEAR, one_line(str(unclear))
        else:
            if not getattr(answer.message, "succeeded", True):
                effect = WriteOutcome.UNMET
        return WriteResult(effect=effect, asked_at=asked_at, answered_at=self._clock.now(), why=why)


def _unchanged(key: LockKey) -> Iterator[Any]:
    """Yield the comparisons for an unchanged key; a deleted key compares as 0."""
    yield _compare(key.key, "CREATE", create_revision=key.create_revision)
    yield _compare(key.key, "MOD", mod_revision=key.mod_revision)
    yield _compare(key.key, "LEASE", lease=key.lease_id)


def _compare(key: bytes, target: str, **value: int) -> Any:
    return rpc.Compare(result=rpc.Compare.EQUAL, target=target, key=key, **value)


def _named(keys: Sequence[LockKey]) -> str:
    more = f" and {len(keys) - 1} more" if keys[1:] else ""
    return f"{printable(keys[0].key)}{more}"
