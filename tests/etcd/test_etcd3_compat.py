"""etcd3's messages on today's protobuf."""

from __future__ import annotations

import subprocess
import sys

from google.protobuf.internal import api_implementation

from lockdoctor.etcd.etcd3_compat import kv, rpc, stubs


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


def test_every_service_has_its_stub() -> None:
    """Those that lockdoctor calls."""
    assert all(hasattr(stubs, f"{service}Stub") for service in ("KV", "Lease", "Watch", "Auth"))
    assert hasattr(stubs, "MaintenanceStub")


def test_etcd3_itself_works_afterwards() -> None:
    """The library's own client can be imported after the module, in a fresh interpreter."""
    code = "import lockdoctor.etcd.etcd3_compat, etcd3; etcd3.client"

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
