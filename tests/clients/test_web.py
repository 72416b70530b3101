"""One GET: in time, of a limited size, with no password in sight, and every failure in words."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lockdoctor.clients.web import Address, get, parse_address
from lockdoctor.errors import ConfigError, WitnessError
from tests.clients.serving import Reply, Serving, http, raw, serving
from tests.waiting import run

SECRET = "s3cret"


def got(text: str, *, timeout_s: float = 5.0, most_bytes: int = 1 << 20) -> bytes:
    """Get what is at a URL."""
    address = parse_address(text, "--pprof")
    return run(get(address, None, timeout_s=timeout_s, most_bytes=most_bytes))


def test_body() -> None:
    """What is there comes back, with a length or in chunks."""
    chunked = raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with serving(page=http(b"hello"), chunks=chunked) as server:
        assert got(server.url) == b"hello"
        assert got(f"{server.url}/chunks") == b"abcde"


def test_user_and_password_go_to_the_server_and_nowhere_else() -> None:
    """They are sent as the HTTP that they are, and stand in nothing that may be shown."""
    address = parse_address(f"http://bob:{SECRET}%21@orders-7f:6060/a?token={SECRET}", "--pprof")

    assert address.shown == "http://orders-7f:6060/a"
    assert SECRET not in repr(address)
    assert address.url == f"http://orders-7f:6060/a?token={SECRET}"
    with serving(page=http(b"")) as server:
        got(f"http://bob:{SECRET}%21@127.0.0.1:{server.port}")
        sent = base64.b64encode(f"bob:{SECRET}!".encode()).decode()
        assert f"Authorization: Basic {sent}" in server.headers[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders-7f:6060", "http://orders-7f:6060"),
        ("https://[::1]:6060/", "https://[::1]:6060/"),
        ("HTTP://Orders", "http://orders"),
    ],
)
def test_addresses(text: str, shown: str) -> None:
    """A bare host and port are of http; brackets stay."""
    assert parse_address(text, "--pprof").shown == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file:///etc/passwd",
        "ftp://x/",
        "http://",
        "http://x:port",
        "http://[::1",
        "http://a b/",
        f"gopher://bob:{SECRET}@x",
        f"http://bob:{SECRET}@x:y",
        f"http://bob:{SECRET}@x\r\nHost: y",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """It is refused, and repeated only where no password can be in it."""
    with pytest.raises(
        ConfigError, match=r"--pprof .*no URL like http://orders-7f:6060"
    ) as refused:
        parse_address(text, "--pprof")
    assert SECRET not in str(refused.value)


def silence(server: Serving, _: socket.socket) -> None:
    """Say nothing."""
    server.is_over.wait(30)


def drip(server: Serving, connection: socket.socket) -> None:
    """Send a byte now and then, and never come to an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not server.is_over.wait(0.02):
        connection.sendall(b"x")


@pytest.mark.parametrize("slow", [silence, drip])
def test_slow_answers(slow: Callable[[Serving, socket.socket], None]) -> None:
    """A server that says nothing, or next to nothing, costs no more than the time-out."""
    servers: list[Serving] = []
    with serving(page=lambda connection: slow(servers[0], connection)) as server:
        servers.append(server)
        started = time.monotonic()
        with pytest.raises(WitnessError, match=r"no answer (within|in time)"):
            got(server.url, timeout_s=0.3)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (http(b"x" * 2_000_000), "bigger than 1 MiB"),
        (http(b"", "302 Found", Location="file:///etc/passwd"), "sends us elsewhere"),
        (http(b"", "307 Temporary Redirect", Location="http://127.0.0.1:1/"), "sends us elsewhere"),
        (http(b"who?", "401 Unauthorized"), "another user or password"),
        (http(b"", "404 Not Found"), "no such page"),
        (http(b"", "500 Internal Server Error"), "the error HTTP 500"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"), "cut off"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx"), "cut off"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "not answer as an HTTP server"),
        (raw(b""), "not answer as an HTTP server"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000 + b"\r\n"), "not answer as an HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000), "not answer as an HTTP server"),
    ],
)
def test_bad_answers(reply: Reply, why: str) -> None:
    """Each is told in a few words, without the URL and without a traceback."""
    with serving(page=reply) as server:
        with pytest.raises(WitnessError, match=why) as failed:
            got(f"http://bob:{SECRET}@127.0.0.1:{server.port}")
        assert SECRET not in str(failed.value)
        assert len(server.asked) == 1


def test_nobody_there() -> None:
    """A closed port is called one."""
    with serving() as server:
        pass
    with pytest.raises(WitnessError, match="connection refused"):
        got(server.url)


def test_plain_http_behind_https() -> None:
    """A server that speaks no TLS is one with which TLS fails."""
    with serving(page=http(b"hello")) as server:
        address = Address(server.url.replace("http", "https"), "shown")
        context = ssl.create_default_context()
        with pytest.raises(WitnessError, match="TLS failed"):
            run(get(address, context, timeout_s=5.0, most_bytes=100))


def test_page_of_text_files_only_over_http(tmp_path: Path) -> None:
    """No local file can be had by a URL."""
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(ConfigError):
        parse_address((tmp_path / "secret").as_uri(), "--metrics")
