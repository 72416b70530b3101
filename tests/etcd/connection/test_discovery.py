"""Endpoints from SRV records."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.cli.config.connection import ConnectionValues, connection_settings, from_environment
from lockdoctor.cli.main import main
from lockdoctor.demo.etcd_server import EtcdServer, ServerTls
from lockdoctor.errors import ClusterUnreachableError
from lockdoctor.etcd.connection.endpoints import discover
from lockdoctor.etcd.connection.settings import ConnectionSettings
from tests.etcd.certificates import Authority
from tests.etcd.dns_server import dns_server
from tests.folders import ROOT

DOMAIN = "cluster.example"
TLS, PLAIN = f"_etcd-client-ssl._tcp.{DOMAIN}", f"_etcd-client._tcp.{DOMAIN}"


def settings(*sources: ConnectionValues) -> ConnectionSettings:
    return connection_settings(sources, None)


def test_both_services_are_asked() -> None:
    """Those with TLS come first, each by priority and weight; names lose their final dot."""
    records = {
        TLS: ["10 1 2379 b.example.", "5 1 2379 a.example."],
        PLAIN: ["0 1 2380 d.example.", "0 9 2379 c.example."],
    }
    with dns_server(records) as asked:
        assert discover(DOMAIN) == (
            "https://a.example:2379",
            "https://b.example:2379",
            "http://c.example:2379",
            "http://d.example:2380",
        )
    assert asked == [TLS, PLAIN]


@pytest.mark.parametrize("name", [TLS, PLAIN])
def test_one_service_is_enough(name: str) -> None:
    """A cluster speaks TLS or it does not."""
    with dns_server({name: ["0 0 2379 a.example."]}):
        assert [each.partition("://")[2] for each in discover(DOMAIN)] == ["a.example:2379"]


def test_the_name_of_the_service() -> None:
    """It comes behind etcd's own."""
    records = {f"_etcd-client-ssl-blue._tcp.{DOMAIN}": ["0 0 2379 blue.example."]}
    with dns_server(records) as asked:
        found = settings({"discovery_srv": DOMAIN, "discovery_srv_name": "blue"})

    assert found.endpoints == ("https://blue.example:2379",)
    assert f"_etcd-client-blue._tcp.{DOMAIN}" in asked


def test_no_records() -> None:
    """What was asked for is named, and no default endpoint takes its place."""
    with dns_server({}), pytest.raises(ClusterUnreachableError) as caught:
        settings({"discovery_srv": DOMAIN})

    assert f"{TLS} does not exist; {PLAIN} does not exist" in str(caught.value)
    assert "--discovery-srv-name" in str(caught.value)


@pytest.mark.parametrize("domain", ["", "a" * 64, "a..b"])
def test_domains_that_are_none(domain: str) -> None:
    """An error of DNS is one sentence."""
    with (
        dns_server({}),
        pytest.raises(ClusterUnreachableError, match=r"^No endpoint found") as caught,
    ):
        discover(domain or "." * 3)
    assert "\n" not in str(caught.value)


def test_the_domain_beats_the_endpoints_of_its_source() -> None:
    """As in etcdctl; but endpoints of a stronger source beat the domain."""
    environ = {"ETCDCTL_DISCOVERY_SRV": DOMAIN, "ETCDCTL_ENDPOINTS": "env:1"}
    with dns_server({TLS: ["0 0 2379 a.example."]}) as asked:
        assert settings(from_environment(environ)).endpoints == ("https://a.example:2379",)
        asked.clear()
        flags: ConnectionValues = {"endpoints": ("flag:1",)}
        assert settings(flags, from_environment(environ)).endpoints == ("flag:1",)
    assert asked == []


def test_secure_discovery() -> None:
    """Endpoints without TLS are left out, and certificates must name the domain."""
    both = {TLS: ["0 0 2379 a.example."], PLAIN: ["0 0 2379 b.example."]}
    with dns_server(both):
        found = settings({"discovery_srv": DOMAIN, "insecure_discovery": False})
    assert found.endpoints == ("https://a.example:2379",)
    assert found.tls.server_name == DOMAIN

    with dns_server({PLAIN: both[PLAIN]}):
        given = settings(
            {"discovery_srv": DOMAIN, "insecure_discovery": False, "endpoints": ("x:1",)}
        )
        assert given.endpoints == ("x:1",)
        assert given.tls.is_given
        with pytest.raises(ClusterUnreachableError, match="no endpoint with TLS"):
            settings({"discovery_srv": DOMAIN, "insecure_discovery": False})


@pytest.mark.etcd
def test_a_scan_of_a_domain(
    etcd: EtcdServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the variable alone the right cluster is examined."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETCDCTL_DISCOVERY_SRV", DOMAIN)
    with dns_server({PLAIN: [f"0 0 {etcd.client_port} localhost."]}):
        assert main(["scan", "--prefix", "/no-such-lock/", "--window", "0"]) == 0

    assert f"http://localhost:{etcd.client_port}" in capsys.readouterr().out


@pytest.mark.etcd
def test_a_scan_of_a_domain_with_certificates(
    etcd_binary: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The certificate is checked for the domain, if that is demanded, and for the host else."""
    monkeypatch.chdir(tmp_path)
    authority = Authority(tmp_path, "authority")
    pair = authority.sign("of-the-domain", address=None, hosts=[DOMAIN])
    tls = ServerTls(cert=pair.cert, key=pair.key)
    scan = ["scan", "--prefix", "/no/", "--window", "0", "--cacert", str(authority.cert)]
    scan += ["--discovery-srv", DOMAIN]
    with EtcdServer(tmp_path / "etcd", binary=etcd_binary, tls=tls) as server:
        records = {TLS: [f"0 0 {server.client_port} localhost."]}
        with dns_server(records):
            assert main([*scan, "--insecure-discovery", "false"]) == 0
            assert main(scan) == 3

    said = capsys.readouterr().err
    assert f"not for localhost: connect by a name in the certificate: {DOMAIN}" in said


def test_without_the_package(tmp_path: Path) -> None:
    """The extra that is missing is named, together with the variable."""
    hidden = tmp_path / "dns.py"
    hidden.write_text("raise ImportError")
    command = [sys.executable, "-m", "lockdoctor", "scan", "--prefix", "/a"]
    path = f"{tmp_path}:{ROOT}"
    done = subprocess.run(
        command,
        env={"PYTHONPATH": path, "ETCDCTL_DISCOVERY_SRV": DOMAIN, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "ETCDCTL_DISCOVERY_SRV: dnspython is not installed" in done.stderr
    assert "pip install 'lockdoctor[srv]'" in done.stderr
