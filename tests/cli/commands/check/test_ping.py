"""Pings to a monitoring service: what is sent, and what goes wrong without harm."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lockdoctor.cli.commands.check.ping import Ping
from lockdoctor.demo.etcd_server import LOOPBACK, reserve_port

SECRET = "5ec2e7"  # of a service that does not exist


class Service(http.server.ThreadingHTTPServer):
    """Keeps what it is told, and answers with a status of the test's choice."""

    def __init__(self, status: int, wait_s: float) -> None:
        """Listen on a free port."""
        super().__init__((LOOPBACK, 0), Handler)
        self.status = status
        self.wait_s = wait_s
        self.told: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        """The URL of one check."""
        return f"http://{LOOPBACK}:{self.server_port}/{SECRET}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes one ping."""

    server: Service

    def do_POST(self) -> None:
        """Keep it."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.told.append((self.command, self.path, body))
        time.sleep(self.server.wait_s)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def service(status: int = 200, wait_s: float = 0.0) -> Iterator[Service]:
    with Service(status, wait_s) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            yield listening
        finally:
            listening.shutdown()


def test_start_and_end() -> None:
    """The start comes before the end, which carries the exit status and the status line."""
    with service(wait_s=0.2) as listening:
        ping = Ping(listening.url + "/")
        ping.start()
        assert ping.end(2, "LOCKDOCTOR CRITICAL - schön") is None

    assert listening.told == [
        ("POST", f"/{SECRET}/start", ""),
        ("POST", f"/{SECRET}/2", "LOCKDOCTOR CRITICAL - schön"),
    ]


def test_query_stays_at_the_end() -> None:
    """What is added belongs to the path."""
    with service() as listening:
        Ping(f"{listening.url}?create=1").end(0, "")

    assert [path for _, path, _ in listening.told] == [f"/{SECRET}/0?create=1"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (301, "it redirects (HTTP 301), which is not followed: give the final address"),
        (307, "it redirects (HTTP 307), which is not followed: give the final address"),
        (404, "there is no such page (HTTP 404)"),
        (500, "it answers with the error HTTP 500"),
    ],
)
def test_refusal_is_told(status: int, why: str) -> None:
    """The answer is told, the secret is not, and no redirect is followed."""
    with service(status) as listening:
        complaint = Ping(listening.url).end(0, "text")

    assert complaint == f"the ping to {LOOPBACK} failed: {why}"
    assert len(listening.told) == 1


def test_nobody_listens() -> None:
    """What the system says is told, without the URL."""
    url = f"http://{LOOPBACK}:{reserve_port()}/{SECRET}"

    why = "connection refused, nothing listens there"
    assert Ping(url).end(0, "") == f"the ping to {LOOPBACK} failed: {why}"


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service outside may lie behind a proxy; no_proxy names those that do not."""
    with service() as proxy, service() as inside:
        monkeypatch.setenv("http_proxy", f"http://{LOOPBACK}:{proxy.server_port}")
        monkeypatch.setenv("no_proxy", LOOPBACK)
        assert Ping(f"http://hc-ping.invalid/{SECRET}").end(1, "text") is None
        assert Ping(inside.url).end(0, "") is None

    assert proxy.told == [("POST", f"http://hc-ping.invalid/{SECRET}/1", "text")]
    assert inside.told == [("POST", f"/{SECRET}/0", "")]


def test_slow_service_is_not_waited_for() -> None:
    """A service that does not answer holds the check up for the time-out at most."""
    with service(wait_s=3.0) as listening:
        began = time.monotonic()
        ping = Ping(listening.url, timeout_s=0.2)
        ping.start()
        assert time.monotonic() - began < 0.2
        complaint = ping.end(0, "")
        assert time.monotonic() - began < 2.0

    assert complaint == f"the ping to {LOOPBACK} failed: no answer in time"


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"hc-ping.com/{SECRET}",
        f"ftp://hc-ping.com/{SECRET}",
        f"file:///{SECRET}",
        f"https:///{SECRET}",
        f"https://ops:{SECRET}@hc-ping.com/",
        f"https://hc-ping.com:99999/{SECRET}",
        f"https://hc-ping.com:x/{SECRET}",
        f"https://[::1/{SECRET}",
        f"https://hc-ping.com/{SECRET}\n",
        f"https://hc-ping.com/{SECRET} x",
        f"https://hc-ping.com/{SECRET}ö",
    ],
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    """It may be a secret with one letter wrong."""
    with pytest.raises(ValueError, match="is not a URL") as refused:
        Ping(url)

    assert SECRET not in str(refused.value)
