"""An etcd that cannot end leases by itself: its token provider may not act as root."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate

from lockdoctor.demo.etcd_server import EtcdServer, ServerTls
from tests.etcd.certificates import Authority
from tests.lock_clients import eventually
from tests.scenarios.run_scan import scan

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(120)]

PREFIX = b"/my-lock/"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[EtcdServer, list[str]]]:
    """
    A server with users whose tokens are JWTs that it can only verify, and the flags of its root.

    Such a server of version 3.4 and 3.5 is refused by itself when it ends a lease with keys. Root
    comes with a certificate, for which no token is needed. Source: etcd issue 14616.
    """
    authority = Authority(tmp_path, "authority")
    server, pair = authority.sign("server"), authority.sign("root")
    public = tmp_path / "public.pem"
    key = load_pem_x509_certificate(server.cert.read_bytes()).public_key()
    public.write_bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    tls = ServerTls(cert=server.cert, key=server.key, client_ca=authority.cert)
    tokens = ["--auth-token", f"jwt,pub-key={public},sign-method=ES256"]
    with EtcdServer(tmp_path / "etcd", tls=tls, flags=tokens) as etcd:
        yield etcd, [f"--cacert={authority.cert}", f"--cert={pair.cert}", f"--key={pair.key}"]


def test_lock_that_etcd_does_not_end(root: tuple[EtcdServer, list[str]], etcdctl: Path) -> None:
    """A crashed holder's lock stays for good: overdue, told with how late etcd is."""
    server, flags = root

    def control(*words: str) -> str:
        command = [str(etcdctl), "--endpoints", server.endpoint, *flags, *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        return done.stdout

    for words in ("user add root:secret", "user grant-role root root", "auth enable"):
        control(*words.split())
    lease = control("lease", "grant", "2").split()[1]
    control("put", f"--lease={lease}", f"/my-lock/orders/{lease.lstrip('0')}", "")
    told = eventually(
        lambda: re.search(
            r"already expired|remaining\(-[2-9]s\)", control("lease", "timetolive", lease)
        ),
        within_s=20,
    )
    if told and told[0] == "already expired":
        pytest.skip("this etcd ends leases all the same")
    found = scan(server.endpoint, PREFIX, *flags)

    assert (found.status, found.findings) == (1, ["overdue"])
    finding = found.finding("overdue")
    assert (finding["lease"], finding["confidence"]) == (lease, "proven")
    assert finding["evidence"][0]["for_s"] >= 5

    control("lease", "revoke", lease)
    after = scan(server.endpoint, PREFIX, "--window=0", *flags)

    assert (after.status, after.verdicts) == (0, {})
