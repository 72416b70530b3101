"""TLS with certificates made for the occasion, and what is said when it does not fit."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.cli.options.processes import ProcessFlags
from lockdoctor.cli.runtime.processes import witnesses
from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer, ServerTls
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound
from lockdoctor.domain.processes.comparison import ProcessData
from lockdoctor.errors import ClusterUnreachableError, ConfigError
from lockdoctor.etcd.connection.endpoints import parse_endpoint
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.connection.tls import TlsFiles
from lockdoctor.etcd.connection.tls_relay import Relay
from tests.etcd.certificates import Authority, Pair, self_signed
from tests.etcd.connections import connected
from tests.eventually import run

pytestmark = pytest.mark.etcd


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificates lie."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    """The authority that everybody trusts."""
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Authority:
    """An authority that nobody trusts."""
    return Authority(folder, "stranger")


@pytest.fixture(scope="module")
def client(authority: Authority) -> Pair:
    """A client's own certificate."""
    return authority.sign("client")


@pytest.fixture(scope="module")
def tls_server(etcd_binary: Path, authority: Authority, folder: Path) -> Iterator[EtcdServer]:
    """A server that speaks TLS to anybody."""
    pair = authority.sign("server")
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(folder / "tls", binary=etcd_binary, tls=tls) as server:
        yield server


@pytest.fixture(scope="module")
def mutual_server(etcd_binary: Path, authority: Authority, folder: Path) -> Iterator[EtcdServer]:
    """A server that wants to see the client's certificate."""
    pair = authority.sign("mutual")
    tls = ServerTls(cert=pair.cert, key=pair.key, client_ca=authority.cert)
    with EtcdServer(folder / "mutual", binary=etcd_binary, tls=tls) as server:
        yield server


async def connects(endpoint: str, **settings: Any) -> None:
    async with connected(endpoint, **settings) as cluster:
        assert (await cluster.keys(b"/")).keys == ()
        ids = map(LeaseId, range(1, 300))
        found = [answer async for answer in cluster.read_leases(ids, with_keys=True)]
        assert sum(isinstance(answer, LeaseNotFound) for answer in found) == 299
        assert cluster.notes == []  # the faster way shook hands as well


async def refused(endpoint: str, **settings: Any) -> str:
    with pytest.raises(ClusterUnreachableError) as caught:
        await connects(endpoint, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_server_of_the_right_authority(tls_server: EtcdServer, authority: Authority) -> None:
    """Named with https, or bare with TLS files given."""
    run(connects(tls_server.endpoint, cacert=authority.cert))
    run(connects(tls_server.address, cacert=str(authority.cert)))


def test_a_server_of_a_stranger(tls_server: EtcdServer, stranger: Authority) -> None:
    """The certificate is blamed, and why it is not trusted is said."""
    said = run(refused(tls_server.endpoint, cacert=stranger.cert))

    assert "its certificate is not trusted" in said
    assert f"{stranger.cert} is not the CA that signed it, check --cacert" in said


def test_the_systems_authorities_do_not_know_ours(tls_server: EtcdServer) -> None:
    """Without a CA certificate of one's own the system's are asked."""
    said = run(refused(tls_server.endpoint))

    assert "its certificate is not trusted" in said
    assert "give the CA that signed it with --cacert" in said


@pytest.fixture(scope="module")
def elsewhere_server(etcd_binary: Path, authority: Authority, folder: Path) -> Iterator[EtcdServer]:
    """A server whose certificate has no 127.0.0.1."""
    pair = authority.sign("elsewhere", address="10.1.2.3", hosts=["localhost", "etcd-1.example"])
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(folder / "elsewhere", binary=etcd_binary, tls=tls) as server:
        yield server


@pytest.fixture(scope="module")
def expired_server(etcd_binary: Path, authority: Authority, folder: Path) -> Iterator[EtcdServer]:
    """A server whose certificate has expired."""
    pair = authority.sign("expired", days=(-3, -1))
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(folder / "expired", binary=etcd_binary, tls=tls) as server:
        yield server


@pytest.fixture(scope="module")
def lone_server(etcd_binary: Path, folder: Path) -> Iterator[EtcdServer]:
    """A server whose certificate no authority has signed, and that names no host."""
    pair = self_signed(folder, "lone")
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(folder / "lone", binary=etcd_binary, tls=tls) as server:
        yield server


def test_a_certificate_for_other_names(
    elsewhere_server: EtcdServer, authority: Authority, client: Pair
) -> None:
    """The names to connect by are listed, and one of them works."""
    said = run(refused(elsewhere_server.endpoint, cacert=authority.cert))

    assert "not for 127.0.0.1" in said
    assert "a name in the certificate: localhost, etcd-1.example, 10.1.2.3." in said
    by_name = f"https://localhost:{elsewhere_server.client_port}"
    run(connects(by_name, cacert=authority.cert, cert=client.cert, key=client.key))


def test_a_certificate_without_names(lone_server: EtcdServer) -> None:
    """It has to be issued again: no name helps."""
    pair = Path(lone_server.folder).parent / "lone.pem"
    said = run(refused(lone_server.endpoint, cacert=pair))

    assert "its certificate is not for 127.0.0.1: it has no subject alternative name" in said


def test_a_certificate_that_is_its_own_authority(
    lone_server: EtcdServer, authority: Authority
) -> None:
    """It can be trusted by itself."""
    said = run(refused(lone_server.endpoint, cacert=authority.cert))

    assert "give the certificate itself with --cacert" in said


def test_a_certificate_that_has_expired(expired_server: EtcdServer, authority: Authority) -> None:
    """Neither --cacert nor another name is to blame."""
    said = run(refused(expired_server.endpoint, cacert=authority.cert))

    assert "has expired: renew it, or correct this host's clock" in said
    assert "--cacert" not in said


def test_a_certificate_that_is_not_valid_yet(
    etcd_binary: Path, authority: Authority, tmp_path: Path
) -> None:
    """A clock is wrong, here or there."""
    pair = authority.sign("future", days=(1, 3))
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(tmp_path, binary=etcd_binary, tls=tls) as server:
        said = run(refused(server.endpoint, cacert=authority.cert))

    assert "its certificate is not valid yet: compare the clocks of both hosts" in said


def test_a_name_that_the_records_demand(elsewhere_server: EtcdServer, authority: Authority) -> None:
    """The certificate is checked for another name than the endpoint's, by both transports."""
    run(connects(elsewhere_server.endpoint, cacert=authority.cert, server_name="etcd-1.example"))
    said = run(
        refused(elsewhere_server.endpoint, cacert=authority.cert, server_name="other.example")
    )

    assert "its certificate is not for other.example, which --insecure-discovery=false" in said


@pytest.mark.parametrize("kind", ["elsewhere_server", "expired_server", "lone_server"])
def test_any_certificate_where_none_is_verified(
    kind: str, request: pytest.FixtureRequest, stranger: Authority
) -> None:
    """Wrong name, expired, self-signed: all pass, by both transports, whatever CA is given."""
    server: EtcdServer = request.getfixturevalue(kind)

    run(connects(server.endpoint, insecure_skip_tls_verify=True))
    run(connects(server.address, insecure_skip_tls_verify=True))
    run(connects(server.endpoint, insecure_skip_tls_verify=True, cacert=stranger.cert))


def test_a_client_certificate_where_none_is_verified(
    mutual_server: EtcdServer, client: Pair
) -> None:
    """Ours is shown all the same."""
    ours: dict[str, Any] = {"cert": client.cert, "key": client.key}
    run(connects(mutual_server.endpoint, insecure_skip_tls_verify=True, **ours))

    said = run(refused(mutual_server.endpoint, insecure_skip_tls_verify=True))
    assert "it demands a client certificate: give --cert and --key" in said


def test_a_server_that_restarts_where_none_is_verified(
    etcd_binary: Path, stranger: Authority, tmp_path: Path
) -> None:
    """The connection comes back, as any other."""

    async def story(server: EtcdServer) -> None:
        async with connected(
            server.endpoint, insecure_skip_tls_verify=True, command_timeout_s=60
        ) as cluster:
            assert (await cluster.keys(b"/")).keys == ()
            await asyncio.to_thread(server.restart)
            assert (await cluster.keys(b"/")).keys == ()

    pair = stranger.sign("restarting")
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(tmp_path, binary=etcd_binary, tls=tls) as server:
        run(story(server))


def test_other_users_cannot_use_the_unverified_way(lone_server: EtcdServer) -> None:
    """Its socket lies in a folder of this user alone, and nothing is left of it."""
    endpoint = parse_endpoint(lone_server.endpoint, bare_uses_tls=True)

    async def story() -> Path:
        relay = Relay(endpoint, TlsFiles(is_verified=False))
        folder = Path(relay.target.removeprefix("unix:")).parent
        assert os.stat(folder).st_mode & 0o077 == 0  # noqa: PTH116  # not while others wait
        await relay.close()
        return folder

    assert not run(story()).exists()


def test_no_room_for_the_unverified_way(
    lone_server: EtcdServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that is to be changed is named."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    for place in (folder, Path("/dev/null")):
        monkeypatch.setattr("tempfile.tempdir", str(place))
        with pytest.raises(ConfigError, match="Set TMPDIR to another folder"):
            run(connects(lone_server.endpoint, insecure_skip_tls_verify=True))


def test_transport_security_without_files(tls_server: EtcdServer) -> None:
    """A bare endpoint is TLS where plain transport is not allowed, and http:// stays plain."""
    said = run(refused(tls_server.address, insecure_transport=False))
    assert "its certificate is not trusted" in said

    said = run(refused(f"http://{tls_server.address}", insecure_transport=False))
    assert "it speaks TLS" in said


def test_plain_http_to_a_server_with_tls(tls_server: EtcdServer) -> None:
    """The right way to write it can be copied."""
    said = run(refused(f"http://{tls_server.address}"))

    assert f"it speaks TLS: write {tls_server.endpoint}" in said


def test_tls_to_a_server_without(etcd: EtcdServer, authority: Authority) -> None:
    """The same the other way round."""
    said = run(refused(f"https://{etcd.address}", cacert=authority.cert))

    assert f"it speaks plain HTTP: write {etcd.endpoint}" in said


def test_a_client_with_a_certificate(
    mutual_server: EtcdServer, authority: Authority, client: Pair
) -> None:
    """Mutual TLS."""
    run(connects(mutual_server.endpoint, cacert=authority.cert, cert=client.cert, key=client.key))


def test_a_client_without_a_certificate(mutual_server: EtcdServer, authority: Authority) -> None:
    """It is said that one is demanded; etcdctl only says that time ran out."""
    said = run(refused(mutual_server.endpoint, cacert=authority.cert))

    assert "it demands a client certificate: give --cert and --key" in said


def test_a_client_of_a_stranger(
    mutual_server: EtcdServer, authority: Authority, stranger: Authority
) -> None:
    """It is said that ours was not accepted."""
    pair = stranger.sign("foreign-client")
    said = run(refused(mutual_server.endpoint, cacert=authority.cert, cert=pair.cert, key=pair.key))

    assert "does not accept our client certificate" in said


def test_a_client_whose_certificate_has_expired(
    mutual_server: EtcdServer, authority: Authority
) -> None:
    """Ours is blamed, not the server's."""
    pair = authority.sign("expired-client", days=(-3, -1))
    said = run(refused(mutual_server.endpoint, cacert=authority.cert, cert=pair.cert, key=pair.key))

    assert "does not accept our client certificate" in said


def test_files_that_cannot_be_used(tmp_path: Path, authority: Authority, client: Pair) -> None:
    """A missing file, one that holds something else, a key of another certificate, half a pair."""
    other = authority.sign("other-client")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    cases = {
        "Cannot read the CA certificate": TlsFiles(cacert=tmp_path / "missing.pem"),
        "has no certificates in PEM form": TlsFiles(cacert=rubbish),
        "are not a certificate and its": TlsFiles(cert=client.cert, key=other.key),
        "needs its key": TlsFiles(cert=client.cert),
    }
    for says, files in cases.items():
        with pytest.raises(ConfigError, match=says):
            files.context()


def test_bad_files_are_found_before_anything_is_sent(tmp_path: Path) -> None:
    """They are a matter of settings, not of the cluster."""
    with pytest.raises(ConfigError, match="Cannot read the CA certificate"):
        run(connects("https://127.0.0.1:1", cacert=tmp_path / "missing.pem"))


def test_metrics_as_the_connection_is(
    mutual_server: EtcdServer, authority: Authority, client: Pair
) -> None:
    """The page of metrics is read over the connection's TLS; without it nothing is told of it."""
    settings = ConnectionSettings(
        endpoints=(mutual_server.endpoint,),
        cacert=authority.cert,
        cert=client.cert,
        key=client.key,
    )
    (trusted,) = witnesses(ProcessFlags(), settings, SystemClock(), watches=True)
    (counters,) = run(trusted.poll(is_last=False)).counters
    assert (counters.member, counters.is_leader) == (f"{mutual_server.endpoint}/metrics", True)

    stranger = ConnectionSettings(endpoints=(mutual_server.endpoint,), cacert=authority.cert)
    (unknown,) = witnesses(ProcessFlags(), stranger, SystemClock(), watches=True)
    assert run(unknown.poll(is_last=False)) == ProcessData()
