"""Keys in pages at one revision."""

from __future__ import annotations

from typing import Any

import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.errors import ClusterError
from lockdoctor.etcd.connection.attempt import KeyRange, Method, Response
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.keys import BYTES_PER_PAGE, MAX_KEYS_PER_PAGE, next_page, read_keys
from tests.etcd.connections import opened, writing
from tests.etcd.etcd_writer import Writer
from tests.eventually import run


class CompactedConnection(Connection):
    """A connection on which somebody compacts between the pages, a few times."""

    def __init__(self, server: EtcdServer, writer: Writer, key: bytes, *, times: int) -> None:
        """Compact so many times."""
        super().__init__(ConnectionSettings(endpoints=(server.endpoint,)), SystemClock())
        self.pages: list[int] = []
        self._left = times
        self._writer = writer
        self._key = key

    async def call(
        self, method: Method, request: Any, what: str, keys: KeyRange | None = None
    ) -> Response:
        """Read a page, and let the other one compact after the first of a series."""
        answer = await super().call(method, request, what, keys)
        self.pages.append(len(answer.message.kvs))
        if not request.revision and self._left:
            self._left -= 1
            await self._writer.put(self._key)
            await self._writer.compact()
        return answer


@pytest.mark.etcd
@pytest.mark.parametrize("times", [0, 2])
def test_thousands_of_keys_at_one_revision(etcd: EtcdServer, prefix: bytes, times: int) -> None:
    """All of them, once, in order, in growing pages; a compaction in between costs a new start."""

    async def story() -> None:
        async with writing(etcd.address) as writer:
            names = [prefix + b"%04d" % number for number in range(3000)]
            for name in names:
                await writer.put(name, b"value")
            connection = CompactedConnection(etcd, writer, prefix + b"0000", times=times)
            async with opened(connection):
                found = await read_keys(connection, prefix)

        assert [key.key for key in found.keys] == names
        assert found.keys[0].version == 1 + times
        assert all(key.mod_revision <= found.revision for key in found.keys)
        assert connection.pages[:2] == [64, 512] if not times else [64, 64]
        assert len(connection.pages) <= 4 + times

    run(story())


@pytest.mark.etcd
def test_endless_compaction_is_given_up(etcd: EtcdServer, prefix: bytes) -> None:
    """After some new starts it is said what is wrong."""

    async def story() -> None:
        async with writing(etcd.address) as writer:
            for number in range(100):
                await writer.put(prefix + b"%d" % number)
            connection = CompactedConnection(etcd, writer, prefix + b"0", times=1000)
            async with opened(connection):
                with pytest.raises(ClusterError, match="compacted repeatedly"):
                    await read_keys(connection, prefix)

    run(story())


@pytest.mark.etcd
def test_large_values_come_in_small_pages(etcd: EtcdServer, prefix: bytes) -> None:
    """Two hundred values of 100 kB are not asked for at once."""

    async def story() -> None:
        async with writing(etcd.address) as writer:
            for number in range(200):
                await writer.put(prefix + b"%03d" % number, b"v" * 100_000)
            connection = CompactedConnection(etcd, writer, prefix, times=0)
            async with opened(connection):
                found = await read_keys(connection, prefix)

        assert {key.value_size for key in found.keys} == {100_000}
        assert {len(key.value) for key in found.keys} == {4096}
        assert max(connection.pages[1:]) * 100_000 <= BYTES_PER_PAGE

    run(story())


def test_pages_grow_to_a_mebibyte_and_no_further() -> None:
    """Small keys by a factor, large ones one by one, never more than the most."""
    assert next_page(64, 100.0) == 512
    assert next_page(4096, 100.0) == MAX_KEYS_PER_PAGE
    assert next_page(4096, 1024.0) == 1024
    assert next_page(64, 10.0 * BYTES_PER_PAGE) == 1
