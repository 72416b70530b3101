"""
Lock recipes: the shapes in which client libraries write locks as keys.

Adding a recipe means adding one class here and naming it in RECIPES.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from lockdoctor.domain.inference.hold_age import uuid1_written_at
from lockdoctor.domain.model.locks import Kind, LockKey, Recipe


class LockRecipe:
    """How one client library lays a lock out as keys; what most of them share."""

    recipe: Recipe
    kind: Kind
    """What the keys are for, where a lease on one of them proves the layout."""
    can_wait = False
    """Those who wait leave keys, too."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """Name the lock that the key contends for; None where the key is not of this recipe."""
        raise NotImplementedError

    def queue_prefix(self, name: bytes) -> bytes:
        """Say what every contender's key begins with."""
        return name

    def order(self, key: LockKey) -> int:
        """Tell older contenders from younger ones."""
        return key.create_revision

    def holding(self, queue: Iterable[LockKey]) -> list[LockKey]:
        """Find those who hold the lock, in a queue that is in order, with at least one in it."""
        return [next(iter(queue))]

    def written_at(self, key: LockKey) -> float | None:
        """Read when the attempt began, in POSIX seconds of the client's clock, where it says so."""
        return uuid1_written_at(key.value)


class GoQueue(LockRecipe):
    """
    Go's Mutex and Election, etcdctl lock, and every client of etcd's lock service.

    The key is `<name>/<lease ID in unpadded hex>`; the oldest key below `<name>/` holds, whoever
    wrote it. An election's keys carry the candidate as their value, a mutex's are empty.
    Source: mutex.go and election.go in etcd's client/v3/concurrency, v3lock/lock.go.
    """

    recipe = Recipe.GO_MUTEX
    kind = Kind.LOCK
    can_wait = True

    _LOST_LEASE = re.compile(rb"[0-9a-f]{12,16}")

    def lock_name(self, key: LockKey) -> bytes | None:
        """`<name>` if the last part of the key is its own lease, or looks like one that it lost."""
        name, slash, suffix = key.key.rpartition(b"/")
        if not slash:
            return None
        if key.has_lease:
            return name if suffix == b"%x" % key.lease_id else None
        return name if self._LOST_LEASE.fullmatch(suffix) else None

    def queue_prefix(self, name: bytes) -> bytes:
        """Everything below the name contends."""
        return name + b"/"


class GoRwMutex(LockRecipe):
    """
    Go's RWMutex: `<name>/read/<time>` and `<name>/write/<time>`, empty; many readers hold at once.

    Three marks together make the layout: the folder, a time in nanoseconds, and no value. No other
    client is known to write them on a lease, so they prove a lock.
    A writer waits for every older key, a reader for older writers only; what counts is the
    revision of the last write. The time is the client's, in nanoseconds, when the attempt began.
    Source: rwmutex.go and key.go in etcd's client/v3/experimental/recipes.
    """

    recipe = Recipe.RW_MUTEX
    kind = Kind.LOCK
    can_wait = True

    _KEY = re.compile(rb"(.*)/(read|write)/([0-9]{19})", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """The part before `/read/` or `/write/`."""
        found = self._KEY.fullmatch(key.key)
        return found[1] if found and not key.value_size else None

    def queue_prefix(self, name: bytes) -> bytes:
        """Readers and writers stand side by side below the name."""
        return name + b"/"

    def order(self, key: LockKey) -> int:
        """The recipe looks at the last write."""
        return key.mod_revision

    def holding(self, queue: Iterable[LockKey]) -> list[LockKey]:
        """The oldest, and where that is a reader, all readers before the first writer."""
        holding: list[LockKey] = []
        for key in queue:
            if self._writes(key):
                return holding or [key]
            holding.append(key)
        return holding

    def written_at(self, key: LockKey) -> float | None:
        """The last part of the key is the time."""
        return int(key.key.rpartition(b"/")[2]) / 1e9

    def _writes(self, key: LockKey) -> bool:
        found = self._KEY.fullmatch(key.key)
        return found is not None and found[2] == b"write"


class VitessLock(LockRecipe):
    """
    Vitess: `<path>/locks/<lease ID in decimal>`, with who and why as its value.

    The key that was written first holds. Beside the folder, below `<path>/`, are the data that the
    lock guards. Source: lock.go in Vitess's go/vt/topo/etcd2topo.
    """

    recipe = Recipe.VITESS
    kind = Kind.LOCK
    can_wait = True

    def lock_name(self, key: LockKey) -> bytes | None:
        """`<path>` if the last part of the key is its own lease, or looks like one that it lost."""
        place = _before_lease(key)
        return place[: -len(b"/locks")] if place and place.endswith(b"/locks") else None

    def queue_prefix(self, name: bytes) -> bytes:
        """All contenders stand in one folder."""
        return name + b"/locks/"

    def order(self, key: LockKey) -> int:
        """The recipe looks at the last write."""
        return key.mod_revision


class VitessElection(VitessLock):
    """
    Vitess's elections: locks below `elections/`, kept as long as their process lives.

    Source: election.go in Vitess's go/vt/topo/etcd2topo.
    """

    recipe = Recipe.VITESS_ELECTION
    kind = Kind.ELECTION

    _NAME = re.compile(rb"(?:.*/)?elections/[^/]+", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """`<path>/elections/<name>`."""
        name = super().lock_name(key)
        return name if name is not None and self._NAME.fullmatch(name) else None


class NodeElection(LockRecipe):
    """
    The election of node's etcd3: `<namespace>election/<name>/<lease ID in decimal>`.

    The key that was created first leads. Source: election.ts of microsoft/etcd3.
    """

    recipe = Recipe.NODE_ELECTION
    kind = Kind.ELECTION
    can_wait = True

    _NAME = re.compile(rb".*election/[^/]+", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """Everything before the lease, or before what looks like one that the key lost."""
        name = _before_lease(key)
        return name if name is not None and self._NAME.fullmatch(name) else None

    def queue_prefix(self, name: bytes) -> bytes:
        """All candidates stand below the name."""
        return name + b"/"


class PythonEtcd3(LockRecipe):
    """
    python-etcd3's Lock: one key, the 16 bytes of a uuid1 as its value; waiters leave no key.

    No other client is known to write these bytes on a lease. Without a lease they may be somebody's
    record, except below `/locks/`, where the Lock writes. Source: Lock in python-etcd3's
    etcd3/locks.py.
    """

    recipe = Recipe.PYTHON_ETCD3
    kind = Kind.LOCK

    _PLACE = b"/locks/"

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself."""
        is_uuid1 = key.value_size == len(key.value) and uuid1_written_at(key.value) is not None
        is_lock = is_uuid1 and (key.has_lease or key.key.startswith(self._PLACE))
        return key.key if is_lock else None


class Registration(LockRecipe):
    """
    A service's own entry, where its shape leaves no doubt: nobody contends for it.

    Source: go-zero's core/discov/publisher.go (the lease in decimal), Milvus's session_util.go
    (its own lease in its value), Patroni's member keys, TiDB's server info, and Kubernetes, whose
    objects begin with four magic bytes in etcd.
    """

    recipe = Recipe.REGISTRATION
    kind = Kind.REGISTRATION

    _KUBERNETES = b"k8s\x00"
    _TIDB = re.compile(rb".*/server/info/([0-9a-f-]{36})|.*/topology/tidb/[^/]+/ttl", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease and a value that only these services write."""
        return key.key if key.has_lease and key.value_size and self._is_known(key) else None

    def _is_known(self, key: LockKey) -> bool:
        if _before_own_lease(key) or key.value.startswith(self._KUBERNETES):
            return True
        if self._TIDB.fullmatch(key.key):
            return True
        is_member = patroni_scope(key) is not None
        return is_member or _json_object(key).get("LeaseID") == key.lease_id


class SingleKey(LockRecipe):
    """
    Keys such as etcd3gw (the text of a uuid1), tooz (16 bytes of a uuid4) and node's etcd3 (empty)
    write as locks; services register with an empty value or a uuid, too, so it is only a guess.

    Source: etcd3gw/lock.py, tooz/drivers/etcd3gw.py, lock.ts of microsoft/etcd3.
    """

    recipe = Recipe.SINGLE_KEY
    kind = Kind.UNKNOWN

    _BARRIER = re.compile(rb".*/waiters/[0-9]{19}", re.DOTALL)
    """Keys of Go's DoubleBarrier are empty, too, but many of them may stand at once."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease and a value that only these clients write."""
        if not key.has_lease or self._BARRIER.fullmatch(key.key):
            return None
        return key.key if key.value_size == 0 or _is_uuid(key.value) else None


class LeasedKey(LockRecipe):
    """Any other key with a lease: a lock of unknown make, or a service's registration."""

    recipe = Recipe.LEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease."""
        return key.key if key.has_lease else None


class UnleasedKey(LockRecipe):
    """Any other key without a lease: a lock that never expires, or plain data."""

    recipe = Recipe.UNLEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself."""
        return key.key


RECIPES: tuple[LockRecipe, ...] = (
    GoQueue(),
    GoRwMutex(),
    VitessElection(),
    VitessLock(),
    NodeElection(),
    PythonEtcd3(),
    Registration(),
    SingleKey(),
    LeasedKey(),
    UnleasedKey(),
)
"""In the order in which they are asked; the last one takes every key."""

RECIPE_OF = {known.recipe: known for known in RECIPES}


def patroni_scope(key: LockKey) -> bytes | None:
    """
    Give the folder of a Patroni cluster, ending in a slash, of which the key is a member's.

    Source: members_path in Patroni's patroni/dcs.
    """
    found = _PATRONI_MEMBER.fullmatch(key.key)
    if not found or not key.has_lease or not {"conn_url", "api_url"} <= _json_object(key).keys():
        return None
    return found[1]


_PATRONI_MEMBER = re.compile(rb"(.*/)members/[^/]+", re.DOTALL)
_LOST_LEASE = re.compile(rb"[1-9][0-9]{0,18}")


def _before_own_lease(key: LockKey) -> bytes | None:
    """What stands before the key's own lease, written in decimal as its last part."""
    return _before_lease(key) if key.has_lease else None


def _before_lease(key: LockKey) -> bytes | None:
    """The same, or what stands before a number where the key has no lease any more."""
    place, slash, suffix = key.key.rpartition(b"/")
    if key.has_lease:
        return place if slash and suffix == b"%d" % key.lease_id else None
    return place if slash and _LOST_LEASE.fullmatch(suffix) else None


def _json_object(key: LockKey) -> dict[str, Any]:
    """What the value says, where it is a JSON object and whole; else nothing."""
    if not key.value.startswith(b"{") or key.value_size != len(key.value):
        return {}
    try:
        said = json.loads(key.value)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_uuid(value: bytes) -> bool:
    """Whether the value is a uuid: its 16 bytes, or its usual text."""
    try:
        if len(value) == 16:  # noqa: PLR2004 - the bytes of a UUID
            found = uuid.UUID(bytes=value)
            return found.version is not None and found.variant == uuid.RFC_4122
        return str(uuid.UUID(value.decode("ascii"))) == value.decode("ascii").lower()
    except ValueError:
        return False
