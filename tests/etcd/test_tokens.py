"""Tokens that were given: from etcd itself, or signed where etcd cannot sign."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from lockdoctor.cli.main import main
from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, LeaseReading
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.errors import AccessDeniedError, ConfigError
from lockdoctor.etcd.connection.auth import GivenToken
from lockdoctor.etcd.protos import rpc
from lockdoctor.etcd.writer import EtcdWriter
from tests.etcd.connections import connected, writing
from tests.eventually import run

pytestmark = pytest.mark.etcd

MAY = b"/may/"
SECRETS = {"root": "root-secret", "reader": "reader-secret"}
FEW_S, LONG_S = 3, 600


class Signer:
    """A key pair in files, and the tokens that it signs."""

    def __init__(self, folder: Path, name: str) -> None:
        """Make a pair."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private, self.public = folder / f"{name}.key", folder / f"{name}.pub"
        self.private.write_bytes(
            self._key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        self.public.write_bytes(
            self._key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def token(self, user: str, revision: int, life_s: float = LONG_S) -> str:
        """Sign what etcd would sign. Source: server/auth/jwt.go in etcd."""
        claims = {"username": user, "revision": revision, "exp": int(time.time() + life_s)}
        body = ".".join(
            _coded(json.dumps(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims)
        )
        signature = self._key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{body}.{_coded(signature)}"


def _coded(part: str | bytes) -> str:
    raw = part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Whoever signs the tokens of the cluster."""
    return Signer(tmp_path_factory.mktemp("keys"), "cluster")


@pytest.fixture(scope="module")
def signing(
    etcd_binary: Path, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EtcdServer]:
    """A server that signs its tokens itself; they live for a few seconds."""
    way = f"jwt,pub-key={signer.public},priv-key={signer.private},sign-method=RS256,ttl={FEW_S}s"
    folder = tmp_path_factory.mktemp("signing")
    with EtcdServer(folder, binary=etcd_binary, flags=["--auth-token", way]) as server:
        run(_appoint(server))
        yield server


@pytest.fixture(scope="module")
def verifying(
    etcd_binary: Path, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EtcdServer]:
    """A server that has the public key alone."""
    way = f"jwt,pub-key={signer.public},sign-method=RS256"
    folder = tmp_path_factory.mktemp("verifying")
    with EtcdServer(folder, binary=etcd_binary, flags=["--auth-token", way]) as server:
        run(_appoint(server))
        yield server


async def _appoint(server: EtcdServer) -> None:
    async with writing(server.address) as writer:
        await writer.put(MAY + b"see", lease_id=await writer.grant(LONG_S))
        await writer.allow("root", SECRETS["root"], None)
        await writer.allow("reader", SECRETS["reader"], MAY)
        await writer.demand_users()


async def _issued(server: EtcdServer, user: str) -> str:
    async with writing(server.address) as writer:
        request = rpc.AuthenticateRequest(name=user, password=SECRETS[user])
        return str((await writer.auth.Authenticate(request)).token)


def _revision(token: str) -> int:
    claims = token.split(".")[1]
    return int(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["revision"])


@pytest.fixture(scope="module")
def revision(signing: EtcdServer) -> int:
    """The auth revision of both servers: the same users were made in each."""
    return _revision(run(_issued(signing, "root")))


async def sees(server: EtcdServer, **settings: Any) -> None:
    async with connected(server.endpoint, **settings) as cluster:
        (key,) = (await cluster.keys(MAY)).keys
        ids = [key.lease_id] * 50
        readings = [r async for r in cluster.read_leases(ids, with_keys=True)]
        assert sum(isinstance(reading, LeaseReading) for reading in readings) == 50
        assert cluster.notes == []


def test_a_token_of_etcds_own(signing: EtcdServer, tmp_path: Path) -> None:
    """It serves gRPC and the faster reader; the end of its line does not belong to it."""
    file = tmp_path / "token"
    for end in ("", "\n", "\r\n"):
        file.write_text(run(_issued(signing, "reader")) + end, newline="")
        run(sees(signing, token=GivenToken(file=file)))
    run(sees(signing, token=GivenToken(token=run(_issued(signing, "reader")))))


def test_a_token_that_etcd_could_not_have_signed(
    verifying: EtcdServer, signer: Signer, revision: int, tmp_path: Path
) -> None:
    """A cluster with the public key alone has no other way in."""
    file = tmp_path / "token"
    file.write_text(signer.token("reader", revision))
    run(sees(verifying, token=GivenToken(file=file)))

    with pytest.raises(AccessDeniedError, match="issues no tokens") as caught:
        run(sees(verifying, user="reader", password=SECRETS["reader"]))
    assert SECRETS["reader"] not in str(caught.value)


def test_a_token_that_is_replaced_in_its_file(
    verifying: EtcdServer, signer: Signer, revision: int, tmp_path: Path
) -> None:
    """When one has expired, the next is read: for a call, many look-ups, and a write."""
    file = tmp_path / "token"

    async def expire_and_replace() -> None:
        await asyncio.sleep(FEW_S + 1)  # the server's time, which nobody can fake
        file.write_text(signer.token("root", revision, FEW_S))

    async def story() -> None:
        file.write_text(signer.token("root", revision, FEW_S))
        async with connected(verifying.endpoint, token=GivenToken(file=file)) as cluster:
            await expire_and_replace()
            assert len((await cluster.keys(MAY)).keys) == 1
            await expire_and_replace()
            ids = map(LeaseId, range(1, 50))
            found = [each async for each in cluster.read_leases(ids, with_keys=True)]
            assert sum(isinstance(each, LeaseNotFound) for each in found) == 49
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            lease_id = await key_writer.grant(60)
            await expire_and_replace()
            assert (await key_writer.revoke(lease_id)).effect is WriteOutcome.DONE

    run(story())


def test_a_token_that_is_refused(
    verifying: EtcdServer, signer: Signer, revision: int, tmp_path: Path
) -> None:
    """Its file is named, and the token is not shown: expired, of another signer, too old."""
    stranger = Signer(tmp_path, "stranger")
    refused = {
        "expired": signer.token("reader", revision, -FEW_S),
        "stranger": stranger.token("reader", revision),
        "old": signer.token("reader", revision - 1),
    }
    for name, token in refused.items():
        file = tmp_path / name
        file.write_text(token)
        with pytest.raises(AccessDeniedError, match="Write a new token into the file") as caught:
            run(sees(verifying, token=GivenToken(file=file)))
        assert str(file) in str(caught.value)
        assert token not in str(caught.value)

    with pytest.raises(AccessDeniedError, match="the token of ETCDCTL_AUTH_JWT_TOKEN"):
        run(sees(verifying, token=GivenToken(token=refused["expired"])))


def test_a_token_of_a_user_who_may_not(
    verifying: EtcdServer, signer: Signer, revision: int
) -> None:
    """The role is to blame, not the token."""

    async def story() -> None:
        token = GivenToken(token=signer.token("reader", revision))
        async with connected(verifying.endpoint, token=token) as cluster:
            with pytest.raises(AccessDeniedError, match="permi"):
                await cluster.keys(b"/other/")

    run(story())


def test_a_token_where_none_is_needed(etcd: EtcdServer, prefix: bytes) -> None:
    """Fine, as for etcdctl."""

    async def story() -> None:
        async with connected(etcd.endpoint, token=GivenToken(token="any")) as cluster:
            assert (await cluster.keys(prefix)).keys == ()

    run(story())


@pytest.mark.parametrize("content", [None, b"", b"\n", b"two words", b"tok\xc3\xa9n", b"\xff"])
def test_files_without_a_token(content: bytes | None, tmp_path: Path) -> None:
    """They are named, and what they hold is not shown."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="token file") as caught:
        GivenToken(file=file).read()

    assert str(file) in str(caught.value)
    assert "two words" not in str(caught.value)


def test_a_scan_with_a_token(
    verifying: EtcdServer,
    signer: Signer,
    revision: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the option, and by etcdctl's variable, which beats a user beside it; never shown."""
    monkeypatch.chdir(tmp_path)
    token = signer.token("reader", revision)
    file = tmp_path / "token"
    file.write_text(token)
    scan = ["scan", "--prefix", "/may/", "--window", "0", "--endpoints", verifying.endpoint]
    assert main([*scan, "--auth-token-file", str(file)]) == 0

    monkeypatch.setenv("ETCDCTL_AUTH_JWT_TOKEN", token)
    monkeypatch.setenv("ETCDCTL_USER", "reader:wrong")
    assert main(scan) == 0

    monkeypatch.setenv("ETCDCTL_AUTH_JWT_TOKEN", token[:-2])
    os.environ["LOCKDOCTOR_DEBUG"] = "1"
    assert main(scan) == 3
    out, err = capsys.readouterr()
    assert "etcd refused the token of ETCDCTL_AUTH_JWT_TOKEN" in err
    assert token[:-2] not in out + err
