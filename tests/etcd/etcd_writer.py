"""A hand that writes to an etcd server, for tests: lockdoctor itself only reads."""

from __future__ import annotations

from collections.abc import Iterable

import grpc.aio

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.etcd.protos import rpc, stubs


class Writer:
    """Writes over one channel."""

    def __init__(
        self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Write over an open channel, as whoever the metadata says."""
        self._metadata = metadata
        self.kv = stubs.KVStub(channel)
        self.lease = stubs.LeaseStub(channel)
        self.auth = stubs.AuthStub(channel)

    async def grant(self, ttl_s: int, lease_id: int = 0) -> LeaseId:
        """Grant a lease, with this ID where one is given."""
        request = rpc.LeaseGrantRequest(TTL=ttl_s, ID=lease_id)
        return LeaseId((await self.lease.LeaseGrant(request, metadata=self._metadata)).ID)

    async def put(self, key: bytes, value: bytes = b"", lease_id: int = 0) -> int:
        """Write a key, and say at which revision."""
        request = rpc.PutRequest(key=key, value=value, lease=lease_id)
        answer = await self.kv.Put(request, metadata=self._metadata, wait_for_ready=True)
        return int(answer.header.revision)

    async def put_all(self, keys: Iterable[bytes], lease_id: int) -> None:
        """Write keys without a value, in one transaction: 128 at most."""
        puts = [{"request_put": {"key": key, "lease": lease_id}} for key in keys]
        await self.kv.Txn(rpc.TxnRequest(success=puts), metadata=self._metadata)

    async def delete(self, key: bytes) -> None:
        """Delete a key."""
        await self.kv.DeleteRange(rpc.DeleteRangeRequest(key=key), metadata=self._metadata)

    async def revoke(self, lease_id: LeaseId) -> None:
        """End a lease."""
        await self.lease.LeaseRevoke(rpc.LeaseRevokeRequest(ID=lease_id), metadata=self._metadata)

    async def keep_alive(self, lease_id: LeaseId) -> None:
        """Renew a lease once."""
        call = self.lease.LeaseKeepAlive(metadata=self._metadata)
        await call.write(rpc.LeaseKeepAliveRequest(ID=lease_id))
        await call.read()
        call.cancel()

    async def compact(self) -> None:
        """Forget the history up to now."""
        status = await self.kv.Range(rpc.RangeRequest(key=b"any"), metadata=self._metadata)
        request = rpc.CompactionRequest(revision=status.header.revision)
        await self.kv.Compact(request, metadata=self._metadata)

    async def allow(
        self, user: str, password: str, prefix: bytes | None, *, may: str = "READ"
    ) -> None:
        """Make a user, who may read one prefix, or READWRITE; None makes it root."""
        role = "root" if prefix is None else user
        await self.auth.RoleAdd(rpc.AuthRoleAddRequest(name=role), metadata=self._metadata)
        if prefix is not None:
            end = prefix[:-1] + bytes([prefix[-1] + 1])
            permission = {"permType": may, "key": prefix, "range_end": end}
            await self.auth.RoleGrantPermission(
                rpc.AuthRoleGrantPermissionRequest(name=role, perm=permission),
                metadata=self._metadata,
            )
        await self.auth.UserAdd(
            rpc.AuthUserAddRequest(name=user, password=password), metadata=self._metadata
        )
        await self.auth.UserGrantRole(
            rpc.AuthUserGrantRoleRequest(user=user, role=role), metadata=self._metadata
        )

    async def demand_users(self) -> None:
        """Turn authentication on."""
        await self.auth.AuthEnable(rpc.AuthEnableRequest(), metadata=self._metadata)
