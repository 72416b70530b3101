"""etcd3's messages on today's protobuf."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from google.protobuf.internal import api_implementation

from lockdoctor.etcd.protos import kv, rpc, stubs


def test_messages_survive_the_wire() -> None:
    """What is written is what is read, nested messages and raw bytes included."""
    sent = rpc.RangeResponse(
        header=rpc.ResponseHeader(revision=7), kvs=[kv.KeyValue(key=b"\xff\x00", lease=-1)]
    )

    got = rpc.RangeResponse.FromString(sent.SerializeToString())

    assert (got.header.revision, got.kvs[0].key, got.kvs[0].lease) == (7, b"\xff\x00", -1)


def test_the_fast_runtime_is_used() -> None:
    """Not protobuf's pure-Python one, which is many times slower."""
    assert api_implementation.Type() != "python"


class Recorder:
    """A channel that remembers which calls are made on it."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.made: dict[str, Made] = {}

    def __getattr__(self, kind: str) -> Callable[..., str]:
        """Make a call of one kind."""

        def make(path: str, response_deserializer: Any, **_: Any) -> str:
            self.made[path] = Made(kind, response_deserializer.__self__.DESCRIPTOR.full_name)
            return path

        return make


class Made(NamedTuple):
    """A call of a service."""

    kind: str
    answer: str


def test_the_stubs_make_the_calls_of_those_that_were_generated() -> None:
    """Each call of each service: its path, what streams, and what it answers with."""
    generated = importlib.import_module("etcd3.etcdrpc.rpc_pb2_grpc")
    names = [name for name in vars(generated) if name.endswith("Stub")]
    assert {"KVStub", "LeaseStub", "WatchStub", "AuthStub", "MaintenanceStub"} <= set(names)
    for name in names:
        ours, theirs = Recorder(), Recorder()
        stub, other = getattr(stubs, name)(ours), getattr(generated, name)(theirs)
        assert ours.made == theirs.made
        assert vars(stub) == vars(other)


def test_etcd3s_client_is_not_loaded() -> None:
    """It takes a tenth of the start of a check, and nothing of it is used there."""
    code = "import lockdoctor.etcd.protos, sys; assert 'etcd3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_etcd3_itself_works_afterwards() -> None:
    """The library's own client can be imported after the module, in a fresh interpreter."""
    code = "import lockdoctor.etcd.protos, etcd3; etcd3.client"

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
