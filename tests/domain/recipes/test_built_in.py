"""The built-in recipes: keys as each product writes them, and near misses."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.model.locks import Basis, Kind, KnownKind, LockKey, Recipe
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.recipes.registry import built_in
from tests.factories.reports import HOLDER, a_key

LEASE = 0x694D7AEF9C2B3A01
ELECTION = KnownKind(Kind.ELECTION, Basis.LAYOUT)
LOCK = KnownKind(Kind.LOCK, Basis.LAYOUT)
REGISTRATION = KnownKind(Kind.REGISTRATION, Basis.LAYOUT)
LIKELY = KnownKind(Kind.REGISTRATION, Basis.LIKELY)
DATA = KnownKind(Kind.DATA, Basis.LAYOUT)
UNKNOWN = KnownKind(Kind.UNKNOWN, Basis.UNKNOWN)


def a_json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def key(name: str, value: bytes = b"", lease: int = LEASE) -> LockKey:
    return a_key(name.encode(), lease_id=lease, value=value)


KRATOS = a_json(id="7", name="user", version="1", metadata={}, endpoints=["grpc://10.0.0.7:9000"])
MICRO = a_json(name="greeter", version="latest", metadata={}, endpoints=[], nodes=[{"id": "g-1"}])
DUBBO = "dubbo%3A%2F%2F10.0.0.7%3A20880%2Forg.apache.DemoService%3Fapplication%3Ddemo"
SERVER = "0e4ff2cc-6d3c-4f2b-8d1c-0123456789ab"
MAGIC = b"k8s\x00\n\x0f\n\x02v1"

EXAMPLES: dict[str, tuple[LockKey, KnownKind]] = {
    "mutex": (key(f"/my-lock/orders/{LEASE:x}"), LOCK),
    "rw-mutex": (key("/rw/read/1763942400000000000"), LOCK),
    "vitess": (key(f"/vitess/global/keyspaces/main/locks/{LEASE}", b"{}"), LOCK),
    "vitess-election": (key(f"/vitess/global/elections/vtctld/locks/{LEASE}", b"{}"), ELECTION),
    "node-election": (key(f"app:election/cron/{LEASE}", b"host-1"), ELECTION),
    "vault-lock": (
        key(f"/vault/core/lock/{LEASE:x}", str(uuid.uuid4()).encode(), NO_LEASE),
        ELECTION,
    ),
    "tidb-owner": (
        key(f"/tidb/ddl/fg/owner/{LEASE:x}", str(uuid.uuid4()).encode(), NO_LEASE),
        ELECTION,
    ),
    "pd-leader": (key("/pd/7301234567890123456/leader", b"\x08\x01", NO_LEASE), ELECTION),
    "pd-primary": (key("/ms/7301234567890123456/tso/00000/primary", b"\x08\x01"), ELECTION),
    "pd-registry": (key("/ms/7301234567890123456/tso/registry/http://10.0.0.7:3379"), REGISTRATION),
    "pd-data": (key("/pd/7301234567890123456/raft/s/00000000000000000001", b"x", NO_LEASE), DATA),
    "pulsar-leader": (
        key("/loadbalance/leader", a_json(serviceUrl="http://a:8080"), NO_LEASE),
        ELECTION,
    ),
    "pulsar-broker": (key("/loadbalance/brokers/a:8080", a_json(webServiceUrl="x")), REGISTRATION),
    "pulsar-bundle": (
        key("/namespace/public/default/0x00000000_0x40000000", a_json(nativeUrl="x")),
        REGISTRATION,
    ),
    "milvus-session": (
        key("by-dev/meta/session/rootcoord", a_json(ServerID=3, LeaseID=LEASE)),
        REGISTRATION,
    ),
    "tidb-server": (key(f"/tidb/server/info/{SERVER}", b"{}"), REGISTRATION),
    "tidb-topology": (key("/topology/tidb/10.0.0.7:4000/ttl", b"1763942400"), REGISTRATION),
    "tidb-topology-data": (
        key("/topology/tidb/10.0.0.7:4000/info", a_json(version="8"), NO_LEASE),
        DATA,
    ),
    "tidb-monitoring": (key("/topology/prometheus", a_json(ip="10.0.0.7"), NO_LEASE), DATA),
    "kubernetes-masterlease": (key("/registry/masterleases/10.0.0.7", MAGIC), REGISTRATION),
    "kubernetes-object": (key("/registry/leases/kube-system/kcm", MAGIC, NO_LEASE), DATA),
    "kubernetes-custom-object": (
        key("/registry/example.com/things/x", a_json(apiVersion="v1", kind="Thing"), NO_LEASE),
        DATA,
    ),
    "apisix-server": (
        key(f"/apisix/data_plane/server_info/{SERVER}", a_json(hostname="a", boot_time=1)),
        REGISTRATION,
    ),
    "apisix-server-uptime": (
        key(f"/apisix/data_plane/server_info/{SERVER}", a_json(hostname="a", up_time=1)),
        REGISTRATION,
    ),
    "dubbo": (key(f"/dubbo/org.apache.DemoService/providers/{DUBBO}"), LIKELY),
    "kitex": (
        key("kitex/registry-etcd/echo/10.0.0.7:8888", a_json(network="tcp", address="10.0.0.7")),
        REGISTRATION,
    ),
    "kratos": (key("/microservices/user/7", KRATOS), REGISTRATION),
    "go-micro": (key("/micro/registry/greeter/greeter-1", MICRO), REGISTRATION),
    "grpc-naming": (key("orders/10.0.0.7:80", a_json(Op=0, Addr="10.0.0.7:80")), REGISTRATION),
    "m3-heartbeat": (key("_hb/prod/m3db/node-1", b"\x08\x01"), REGISTRATION),
    "flannel-subnet": (
        key("/coreos.com/network/subnets/10.5.1.0-24", a_json(PublicIP="10.0.0.7")),
        REGISTRATION,
    ),
    "go-zero": (key(f"user.rpc/{LEASE}", b"10.0.0.7:8080"), REGISTRATION),
    "vault-leader": (key(f"/vault/core/leader/{SERVER}", b"\x00\x00", NO_LEASE), DATA),
    "patroni-member": (
        key("/service/pg/members/node-a", a_json(conn_url="x", api_url="y")),
        REGISTRATION,
    ),
    "patroni-config": (key("/service/pg/config", a_json(ttl=30, loop_wait=10), NO_LEASE), DATA),
    "python-etcd3": (key("/locks/orders", uuid.uuid1().bytes), LOCK),
    "python-etcd3-unleased": (key("/locks/orders", uuid.uuid1().bytes, NO_LEASE), LOCK),
    "double-barrier": (key("/barrier/waiters/1763942400000000000"), UNKNOWN),
    "single-key-empty": (key("/agents/alive/10.0.0.0"), UNKNOWN),
    "single-key-uuid": (key("/workers/w0", str(uuid.uuid4()).encode()), UNKNOWN),
    "mutex-unleased": (key(f"/data/{LEASE:x}", b"x", NO_LEASE), UNKNOWN),
    "leased-key": (key("/x", b"10.0.0.7:8080"), UNKNOWN),
    "key-without-lease": (key("/x", b"x", NO_LEASE), UNKNOWN),
}


@pytest.mark.parametrize("name", [recipe.name for recipe in built_in().in_order])
def test_each_recipe_knows_the_keys_of_its_product(name: str) -> None:
    """Alone in its prefix, and without a word on its kind; Patroni's others have tests beside."""
    if built_in().named(name).beside:
        return
    example, known = EXAMPLES[name]
    (lock,) = locks([example], b"")

    assert built_in().claim(example)[0].name == name
    assert lock.known_kind == known


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"mutex", "rw-mutex", "vitess"}))
def test_a_registration_is_never_called_a_lock(name: str) -> None:
    """Whatever its value: only locks of known clients are locks."""
    example, known = EXAMPLES[name]
    if known.kind is not Kind.REGISTRATION:
        return
    for value in (example.value, b"", str(uuid.uuid4()).encode(), b"{}"):
        changed = key(example.key.decode(), value, example.lease_id)
        (lock,) = locks([changed], b"")

        assert lock.kind is not Kind.LOCK
        assert not lock.known_kind.may_be_planned


STUCK = ("vault-lock", "tidb-owner", "pd-leader", "pulsar-leader")


@pytest.mark.parametrize("name", STUCK)
def test_a_leader_key_without_a_lease_is_an_election(name: str) -> None:
    """Its candidates stay out until it is deleted: this must be found."""
    (lock,) = locks([EXAMPLES[name][0]], b"")

    assert lock.known_kind == ELECTION
    assert lock.holder is not None
    assert not lock.holder.has_lease


def test_vaults_standbys_wait_behind_a_leader_without_a_lease() -> None:
    """Both are in one queue, though a recipe of its own knows the leader."""
    leader, _ = EXAMPLES["vault-lock"]
    standby = a_key(lock=b"/vault/core/lock", lease_id=HOLDER, create_revision=99)
    (lock,) = locks([leader, standby], b"/vault/")

    assert lock.known_kind == ELECTION
    assert (lock.holder, lock.waiters) == (leader, (standby,))


NEAR_MISSES = {
    "a member without Patroni's fields": key("/service/pg/members/a", a_json(role="master")),
    "another number than the lease": key("/orders.rpc/7", b"10.0.0.7:8080"),
    "a number below a folder named locks": key("/vt/locks/7", b"{}"),
    "a leader of nobody known": key("/app/leader", b"node-a"),
    "a leader of nobody known, without a lease": key("/app/leader", b"node-a", NO_LEASE),
    "another lease in the value": key("/x/session/proxy", a_json(LeaseID=8)),
    "a broken value": key("/x", b'{"LeaseID": 7'),
    "a value that is too deep": key("/x", b"[" * 4000),
    "a weight of a store of PD": key("/pd/x/leader", b"1", NO_LEASE),
    "digits without a lease": key(f"/data/{LEASE}", b"x", NO_LEASE),
}


@pytest.mark.parametrize("example", NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_what_merely_looks_alike_stays_unknown(example: LockKey) -> None:
    """Not certain, so not claimed."""
    (lock,) = locks([example], b"")

    assert lock.known_kind == UNKNOWN


def test_recipes_have_names_of_their_own() -> None:
    """`show --explain-kind` and `beside` name them."""
    names = [recipe.name for recipe in built_in().in_order]

    assert len(set(names)) == len(names)
    assert built_in().anchors <= set(names)
    assert set(names) - set(EXAMPLES) == {r.name for r in built_in().with_neighbors}


def test_keys_of_one_name_in_outputs_follow_one_rule() -> None:
    """A queue is found again by the name of its recipe alone."""
    for recipe in built_in().in_order:
        rules = built_in().of(recipe.recipe)

        assert (recipe.holder, recipe.queue_ending) == (rules.holder, rules.queue_ending)
    assert built_in().of(Recipe("gone")).queue_prefix(b"/x") == b"/x"
