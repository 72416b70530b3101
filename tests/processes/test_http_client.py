"""One GET: in time, of a limited size, with no password in sight, and every failure in words."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.errors import ConfigError, ProcessReadError
from lockdoctor.processes.http_client import Address, get, parse_address
from tests.eventually import run
from tests.processes.http_server import Reply, Serving, http, raw, serving, serving_paths
from tests.processes.mutations import mutated

SECRET = "s3cret"


def got(text: str, *, timeout_s: float = 5.0, max_bytes: int = 1 << 20) -> bytes:
    """Get what is at a URL."""
    address = parse_address(text, "--pprof")
    until = time.monotonic() + timeout_s
    return run(get(address, None, until=until, max_bytes=max_bytes))


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
    with pytest.raises(ConfigError, match=r"--pprof .*is not a URL") as refused:
        parse_address(text, "--pprof")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        f"http://bob:1/{SECRET}@x:6060/",
        f"http://bob:1?{SECRET}@x:6060/",
        f"http://bob:1#{SECRET}@x:6060/",
        f"bob:1/{SECRET}@x",
    ],
)
def test_a_password_that_looks_like_a_path(text: str) -> None:
    """Half of it would be asked for, and shown: how to write it is told instead."""
    with pytest.raises(
        ConfigError, match="--pprof has a password with special characters"
    ) as refused:
        parse_address(text, "--pprof")
    assert SECRET not in str(refused.value)


def silence(server: Serving, _: socket.socket) -> None:
    """Say nothing."""
    server.is_over.wait(30)


def drip(server: Serving, connection: socket.socket) -> None:
    """Send a byte of the body now and then, and never come to an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    again_and_again(server, connection, b"x")


def drip_a_header(server: Serving, connection: socket.socket) -> None:
    """Send a byte of a header now and then, and never come to the body."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nServer: ")
    again_and_again(server, connection, b"x")


def drip_chunks(server: Serving, connection: socket.socket) -> None:
    """Send the size of a chunk with more and more zeros before it."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    again_and_again(server, connection, b"0")


def say_go_on(server: Serving, connection: socket.socket) -> None:
    """Announce again and again that an answer comes."""
    again_and_again(server, connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100, pause_s=0.0)


def again_and_again(
    server: Serving, connection: socket.socket, piece: bytes, pause_s: float = 0.02
) -> None:
    """Send the same until the other side has had enough."""
    try:
        while not server.is_over.wait(pause_s):
            connection.sendall(piece)
    finally:
        server.left.set()


@pytest.mark.parametrize("slow", [silence, drip, drip_a_header, drip_chunks, say_go_on])
def test_slow_answers(slow: Callable[[Serving, socket.socket], None]) -> None:
    """A server that says nothing, or next to nothing, costs no more than the time-out."""
    servers: list[Serving] = []
    with serving(page=lambda connection: slow(servers[0], connection)) as server:
        servers.append(server)
        started = time.monotonic()
        with pytest.raises(ProcessReadError, match="no answer in time"):
            got(server.url, timeout_s=0.3, max_bytes=1 << 40)
        assert time.monotonic() - started < 5
        if slow is not silence:
            assert server.left.wait(10), "the connection is read on after the time-out"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def reset(connection: socket.socket) -> None:
    """Begin to answer, and reset the connection."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (http(b"x" * 2_000_000), "bigger than 1 MiB"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000), "bigger than 1 MiB"),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000), "bigger than 1 MiB"),
        (raw(CHUNKED + b"200000\r\n" + b"x" * 2_000_000), "bigger than 1 MiB"),
        (raw(CHUNKED + b"-5\r\n" + b"x" * 50), "cut off|not answer as an HTTP server"),
        (raw(CHUNKED + b"z\r\n"), "cut off|not answer as an HTTP server"),
        (raw(b"<html>HTTP/0.9 has no headers</html>"), "not answer as an HTTP server"),
        (raw(b"HTTP/1.1 99999999999 OK\r\n\r\n"), "not answer as an HTTP server"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), "cut off"),
        (reset, "Connection reset by peer|cut off"),
        (http(b"", "302 Found", Location="file:///etc/passwd"), "redirects .* not followed"),
        (
            http(b"", "307 Temporary Redirect", Location="http://127.0.0.1:1/"),
            "redirects .* not followed",
        ),
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
        with pytest.raises(ProcessReadError, match=why) as failed:
            got(f"http://bob:{SECRET}@127.0.0.1:{server.port}")
        assert SECRET not in str(failed.value)
        assert len(server.asked) == 1


def test_nobody_there() -> None:
    """A closed port is called one."""
    with serving() as server:
        pass
    with pytest.raises(ProcessReadError, match="connection refused"):
        got(server.url)


def test_plain_http_behind_https() -> None:
    """A server that speaks no TLS is one with which TLS fails."""
    with serving(page=http(b"hello")) as server:
        address = Address(server.url.replace("http", "https"), "shown")
        context = ssl.create_default_context()
        with pytest.raises(ProcessReadError, match="TLS failed"):
            run(get(address, context, until=time.monotonic() + 5.0, max_bytes=100))


@given(
    st.one_of(
        mutated(
            [
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
                CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
                b"HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n",
            ]
        ),
        st.binary(max_size=100),
    )
)
@settings(max_examples=60)
def test_any_answer_ends_in_a_body_or_a_refusal(answer: bytes) -> None:
    """Whatever bytes come back, they are a body, or a failure in words, and soon."""
    with serving(page=raw(answer)) as server, contextlib.suppress(ProcessReadError):
        got(server.url)


def test_bytes_that_are_no_tls() -> None:
    """A server whose TLS makes no sense is one with which TLS fails."""
    with serving(page=raw(b"\x16\x03\x03\xff\xff" + b"x" * 100_000)) as server:
        address = parse_address(server.url.replace("http", "https"), "--pprof")
        context = ssl.create_default_context()
        with pytest.raises(ProcessReadError, match="TLS failed"):
            run(get(address, context, until=time.monotonic() + 5.0, max_bytes=100))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_proxy_is_asked(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process is asked directly, whatever proxies the environment names; it gets the password."""
    with serving(page=http(b"from the proxy")) as trap, serving(page=http(b"direct")) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, trap.url)
            monkeypatch.setenv(name.upper(), trap.url)
        monkeypatch.setenv("no_proxy", "")
        url = f"{scheme}://bob:{SECRET}@127.0.0.1:{server.port}"
        if scheme == "http":
            assert got(url) == b"direct"
            assert "Authorization: Basic" in server.headers[0]
        else:
            with pytest.raises(ProcessReadError, match="TLS failed"):
                got(url)
        assert (len(server.asked), trap.asked) == (1, [])


@pytest.mark.parametrize("code", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
def test_a_redirect_carries_nothing_elsewhere(code: str) -> None:
    """Neither the request nor its password goes to another host."""
    with serving(page=http(b"elsewhere")) as other:
        reply = http(b"", code, Location=f"http://bob:{SECRET}@127.0.0.1:{other.port}/")
        with serving(page=reply) as server:
            with pytest.raises(ProcessReadError, match="redirects") as failed:
                got(f"http://bob:{SECRET}@127.0.0.1:{server.port}")
            assert SECRET not in str(failed.value)
        assert other.asked == []


def test_beyond_ascii() -> None:
    """A path and a password in any letters are sent as UTF-8; a host that is no name is told."""
    with serving_paths({"/%C3%BC%FF": http(b"found")}) as server:
        assert got(f"http://b\u00f6b:\udcff@127.0.0.1:{server.port}/\u00fc\udcff") == b"found"
        sent = base64.b64encode("böb:".encode() + b"\xff").decode()
        assert f"Authorization: Basic {sent}" in server.headers[0]
    with pytest.raises(ProcessReadError, match="the name cannot be resolved"):
        got(f"http://{'a' * 64}.b/")


def test_page_of_text_files_only_over_http(tmp_path: Path) -> None:
    """No local file can be had by a URL."""
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(ConfigError):
        parse_address((tmp_path / "secret").as_uri(), "--metrics")
