"""Keys as well-known products write them, on leases that are kept alive by hand."""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from types import TracebackType
from typing import Any, final

import lockdoctor.etcd.protos  # noqa: F401  # makes etcd3 load on today's protobuf

import etcd3  # isort: skip

TTL_S = 4
EVERY_S = 0.5
REWRITTEN_EVERY = 4
"""So many rounds of renewals pass before Kubernetes' entry is written again."""
MASTERLEASE = b"registry/masterleases/10.0.0.7"


@final
class Layouts:
    """
    Writes each layout below one prefix, and keeps its leases alive until it is closed.

    Source: the shapes as their products write them; see shapes.py for where each comes from.
    """

    def __init__(self, address: str, base: bytes) -> None:
        """Write everything once."""
        host, port = address.split(":")
        self._client: Any = etcd3.client(host=host, port=int(port), timeout=10)
        self._base = base
        self._leases: list[Any] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)

    def __enter__(self) -> Layouts:
        """Write the keys and begin to keep them alive."""
        for write in (
            self._patroni,
            self._vault,
            self._tidb,
            self._milvus,
            self._vitess,
            self._go_zero,
            self._node,
            self._rw_mutex,
            self._pulsar,
        ):
            write()
        self._write_masterlease()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the leases run out, and take away what has none."""
        self._ended.set()
        self._thread.join()
        self._client.delete_prefix(self._base)
        self._client.close()

    def _patroni(self) -> None:
        """Leader and member key on one lease; the cluster's settings beside them on none."""
        leader, replica = self._lease(), self._lease()
        said = {"conn_url": "postgres://a:5432/postgres", "api_url": "http://a:8008/patroni"}
        self._put(b"service/pg/leader", b"node-a", leader)
        self._put(b"service/pg/members/node-a", _json(said | {"role": "master"}), leader)
        self._put(b"service/pg/members/node-b", _json(said | {"role": "replica"}), replica)
        for name, value in ((b"config", b'{"ttl": 30}'), (b"initialize", b"73"), (b"history", b"")):
            self._put(b"service/pg/" + name, value, None)

    def _vault(self) -> None:
        """The active node writes its lock again with its name; a standby waits."""
        active, standby = self._lease(), self._lease()
        for value in (b"", str(uuid.uuid4()).encode()):
            self._put(b"vault/core/lock/%x" % active.id, value, active)
        self._put(b"vault/core/lock/%x" % standby.id, b"", standby)

    def _tidb(self) -> None:
        """The owner of the schema is elected; each server tells of itself."""
        server = str(uuid.uuid4()).encode()
        for lease in (self._lease(), self._lease()):
            self._put(b"tidb/ddl/fg/owner/%x" % lease.id, str(uuid.uuid4()).encode(), lease)
        info = _json({"ddl_id": server.decode(), "ip": "10.0.0.7", "listening_port": 4000})
        self._put(b"tidb/server/info/" + server, info, self._lease())
        self._put(b"topology/tidb/10.0.0.7:4000/ttl", b"1763942400", self._lease())

    def _milvus(self) -> None:
        """A session that names its own lease."""
        for role in (b"rootcoord", b"proxy-3"):
            lease = self._lease()
            said = {"ServerID": 3, "HostName": "milvus-0", "LeaseID": lease.id}
            self._put(b"by-dev/meta/session/" + role, _json(said), lease)

    def _vitess(self) -> None:
        """Folders of keys that end in their lease, in decimal."""
        said = _json({"Action": "PlannedReparentShard", "HostName": "vtctld-0"})
        for place in (b"vt/elections/vtctld", b"vt/keyspaces/main"):
            for lease in (self._lease(), self._lease()):
                self._put(b"%s/locks/%d" % (place, lease.id), said, lease)

    def _go_zero(self) -> None:
        """A service's address under its lease, in decimal."""
        lease = self._lease()
        self._put(b"orders.rpc/%d" % lease.id, b"10.0.0.7:8080", lease)

    def _node(self) -> None:
        """Candidates under their leases, in decimal."""
        for lease in (self._lease(), self._lease()):
            self._put(b"app:election/cron/%d" % lease.id, b"host-1", lease)

    def _rw_mutex(self) -> None:
        """Two readers, and a writer that waits for them."""
        for role in (b"read", b"read", b"write"):
            self._put(b"rw/%s/%d" % (role, time.time_ns()), b"", self._lease())

    def _pulsar(self) -> None:
        """All that a broker has registered, on one lease."""
        broker = self._lease()
        for number in range(12):
            self._put(b"namespace/public/default/%d" % number, b'{"nativeUrl": "x"}', broker)

    def _write_masterlease(self) -> None:
        """Kubernetes renews no lease: it grants another one and writes its entry again."""
        self._put(MASTERLEASE, b"k8s\x00\n\x0f\n\x02v1\x12\tEndpoints", self._client.lease(TTL_S))

    def _lease(self) -> Any:
        lease = self._client.lease(TTL_S)
        self._leases.append(lease)
        return lease

    def _put(self, key: bytes, value: bytes, lease: Any) -> None:
        self._client.put(self._base + key, value, lease=lease)

    def _keep_alive(self) -> None:
        for turn in itertools.count(1):
            if self._ended.wait(EVERY_S):
                return
            for lease in self._leases:
                lease.refresh()
            if not turn % REWRITTEN_EVERY:
                self._write_masterlease()


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()
