"""What can be wrong before anything is examined: one sentence, the right exit status."""

from __future__ import annotations

import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import LOOPBACK, EtcdServer, ServerTls, reserve_port
from tests.etcd.certificates import Authority
from tests.scenarios.run_scan import Scanned, finish_scan, scan, start_scan

pytestmark = [pytest.mark.slow]

PREFIX = b"/my-lock/"


def test_etcd_is_down() -> None:
    """Nothing listens: not examined, and the sentence names the endpoint."""
    endpoint = f"{LOOPBACK}:{reserve_port()}"

    _complains(scan(endpoint, PREFIX), of=endpoint)


def test_something_else_listens() -> None:
    """A web server on the port is not taken for an etcd."""
    with http.server.HTTPServer((LOOPBACK, 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            endpoint = f"{LOOPBACK}:{server.server_port}"
            _complains(scan(endpoint, PREFIX), of=endpoint)
        finally:
            server.shutdown()


@pytest.mark.etcd
def test_tls_where_none_is_spoken(etcd: EtcdServer) -> None:
    """Https to a server that speaks plain HTTP ends in a word on TLS."""
    _complains(scan(f"https://{etcd.address}", PREFIX), of="plain HTTP")


@pytest.mark.etcd
def test_nothing_below_the_prefix(etcd: EtcdServer, prefix: bytes) -> None:
    """A prefix without keys is no finding, and no error."""
    found = scan(etcd.endpoint, prefix)

    assert (found.status, found.document["locks"], found.findings) == (0, [], [])


def test_empty_prefix() -> None:
    """Everything is examined only when asked for by name."""
    found = finish_scan(start_scan(LOOPBACK, b""))

    assert found.status == 2
    assert "--all-keys" in _sentence(found)


def test_bad_usage() -> None:
    """A flag that makes no sense is named."""
    found = finish_scan(start_scan(LOOPBACK, PREFIX, "--max-hold=soon"))

    assert found.status == 2
    assert "soon" in _sentence(found)


@pytest.fixture(scope="module")
def guarded(
    etcd_binary: Path, etcdctl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EtcdServer]:
    """A server where ops may read /allowed/ alone."""
    with EtcdServer(tmp_path_factory.mktemp("guarded"), binary=etcd_binary) as server:
        for words in (
            "user add root:root",
            "user grant-role root root",
            "role add reader",
            "role grant-permission reader --prefix=true read /allowed/",
            "user add ops:secret",
            "user grant-role ops reader",
            "auth enable",
        ):
            command = [str(etcdctl), "--endpoints", server.endpoint, *words.split()]
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        yield server


@pytest.mark.etcd
def test_wrong_password(guarded: EtcdServer) -> None:
    """A refused password is said so, and never repeated."""
    found = scan(guarded.endpoint, b"/allowed/", "--user=ops", "--password=wr0ng")

    _complains(found, of="password")
    assert "wr0ng" not in found.stderr


@pytest.mark.etcd
def test_no_password(guarded: EtcdServer) -> None:
    """A cluster that wants to know who asks is told apart from one that refuses."""
    _complains(scan(guarded.endpoint, b"/allowed/"), of="--user")


@pytest.mark.etcd
def test_keys_that_may_not_be_read(guarded: EtcdServer) -> None:
    """A prefix beyond the role's is refused, and named."""
    found = scan(guarded.endpoint, PREFIX, "--user=ops", "--password=secret")

    _complains(found, of=PREFIX.decode())


@pytest.mark.etcd
def test_smallest_role(guarded: EtcdServer) -> None:
    """A role that may read the prefix alone gets its diagnosis."""
    found = scan(guarded.endpoint, b"/allowed/", "--user=ops", "--password=secret")

    assert (found.status, found.findings) == (0, [])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of an authority, a server, a client and a stranger."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder, "authority")
    authority.sign("server")
    authority.sign("client")
    Authority(folder, "stranger")
    return folder


@pytest.fixture(scope="module")
def mutual(
    etcd_binary: Path, certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EtcdServer]:
    """A server that speaks TLS and wants to see a client's certificate."""
    tls = ServerTls(
        cert=certificates / "server.pem",
        key=certificates / "server.key",
        client_ca=certificates / "authority.pem",
    )
    folder = tmp_path_factory.mktemp("mutual")
    with EtcdServer(folder, binary=etcd_binary, tls=tls) as server:
        yield server


@pytest.mark.etcd
def test_mutual_tls(mutual: EtcdServer, certificates: Path) -> None:
    """With the right certificates the cluster is examined."""
    flags = (
        f"--cacert={certificates / 'authority.pem'}",
        f"--cert={certificates / 'client.pem'}",
        f"--key={certificates / 'client.key'}",
    )

    assert scan(mutual.endpoint, PREFIX, *flags).status == 0


@pytest.mark.etcd
def test_certificate_of_an_unknown_authority(mutual: EtcdServer, certificates: Path) -> None:
    """A server that nobody vouches for is refused, and the flag that would help is named."""
    found = scan(mutual.endpoint, PREFIX, f"--cacert={certificates / 'stranger.pem'}")

    _complains(found, of="--cacert")


@pytest.mark.etcd
def test_no_client_certificate(mutual: EtcdServer, certificates: Path) -> None:
    """A server that wants a certificate of us says so; etcdctl would only time out."""
    found = scan(mutual.endpoint, PREFIX, f"--cacert={certificates / 'authority.pem'}")

    _complains(found, of="--cert")


@pytest.mark.etcd
def test_no_tls_where_it_is_spoken(mutual: EtcdServer) -> None:
    """Plain HTTP to a server that speaks TLS is told apart, and the way out is named."""
    _complains(scan(mutual.address, PREFIX), of=mutual.endpoint)


def _complains(found: Scanned, *, of: str) -> None:
    """Check that the run examined nothing and says why, in one sentence."""
    assert (found.status, found.stdout) == (3, "")
    assert of in _sentence(found)


def _sentence(found: Scanned) -> str:
    (sentence,) = found.stderr.splitlines()
    return sentence
