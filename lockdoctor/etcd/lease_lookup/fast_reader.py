"""Looks up many leases over one connection, with many open look-ups at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.http2.pool import Http2Pool
from lockdoctor.etcd.lease_lookup.batch_lookup import LookupBatch, LookupDependencies
from lockdoctor.etcd.lease_lookup.grpc_reader import Answer, RpcLeaseReader
from lockdoctor.etcd.lease_lookup.rate_limit import ConcurrencyLimit, RateLimiter
from lockdoctor.ports import Clock

PATH = "/etcdserverpb.Lease/LeaseTimeToLive"


class PipelinedLeaseReader:
    """
    Reads leases with one LeaseTimeToLive each, faster than RpcLeaseReader.

    gRPC's own client retries what fails, since it can restore a connection. It also takes over for
    good from a server that is not supported, and `notes` reports that.
    """

    def __init__(self, connection: Connection, clock: Clock, max_rate: float) -> None:
        """Prepare to read at most max_rate leases per second."""
        rate_limiter = RateLimiter(clock, max_rate)
        self._dependencies = LookupDependencies(
            connection=connection,
            pool=Http2Pool(connection, clock, PATH),
            grpc_reader=RpcLeaseReader(connection, clock, rate_limiter),
            rate_limiter=rate_limiter,
            window=ConcurrencyLimit(),
        )
        self.notes = self._dependencies.pool.notes
        self._is_reading = False

    async def read(self, lease_ids: Iterable[LeaseId], *, with_keys: bool) -> AsyncIterator[Answer]:
        """
        Read leases and yield each answer, in no order.

        During a reading, gRPC's own client handles a second one.

        Raises:
            ClusterUnreachableError: No member answers.
            ClusterTimeoutError: Many look-ups in a row were not answered in time.
        """
        ids = iter(lease_ids)
        if not self._is_reading and not self.notes:
            self._is_reading = True
            batch = LookupBatch(self._dependencies, ids, with_keys=with_keys)
            try:
                while answers := await batch.answers():
                    for answer in answers:
                        yield answer
            finally:
                await batch.close()
                self._is_reading = False
            if not self.notes:
                return
        async for answer in self._dependencies.grpc_reader.read(ids, with_keys=with_keys):
            yield answer

    async def close(self) -> None:
        """Close the connection."""
        await self._dependencies.pool.close()
