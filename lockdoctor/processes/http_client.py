"""
Requests over HTTP with a deadline and a size limit, and errors without secrets.

No redirect is followed. A proxy is used only for a request with by_proxy.
"""

from __future__ import annotations

import base64
import http.client
import io
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from lockdoctor.errors import ConfigError, ProcessReadError
from lockdoctor.processes.thread import run_in_thread

_HOST = re.compile(r"[\w.:%-]+")

_WRITTEN = "%/:;=&?,+~!$'()*[]"
"""Characters that stay unescaped in a path or a query; non-ASCII is escaped."""

PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of a request, with the user for it."""

    url: str = field(repr=False)
    """The URL without user and password; its query might contain other secrets."""
    shown: str
    """The URL as it may be shown: without user, password and query."""
    authorization: str | None = field(default=None, repr=False)

    def without(self, path: str) -> Address:
        """Return the address without the end of its path and without its query."""
        base = self.shown.rstrip("/").removesuffix(path)
        return replace(self, url=base, shown=base)

    def below(self, path: str) -> Address:
        """Return the address of a path below this one."""
        base = self.url.rstrip("/")
        return Address(
            base + path, self.shown.rstrip("/") + path.partition("?")[0], self.authorization
        )


def parse_address(text: str, what: str) -> Address:
    """
    Parse an http or https URL; one without a scheme is http.

    Raises:
        ConfigError: It is not such a URL. A text that might contain a password is not repeated.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), None, None
    if "@" in f"{parts.path}?{parts.query}#{parts.fragment}":
        raise ConfigError(
            f"{what} has a password with special characters. Write %40 for @, %2F for /."
        )
    is_clean = all(char > " " and char != "\x7f" for char in text)
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not _HOST.fullmatch(host)
        or not is_clean
    ):
        shown = f"the value of {what}" if "@" in text else f"{what} {text!r}"
        raise ConfigError(f"{shown} is not a URL. Write it like http://orders-7f:6060.")
    where = f"[{host}]" if ":" in host else host
    place = f"{parts.scheme}://{where}" + (f":{port}" if port is not None else "")
    path, query = (quote(part, safe=_WRITTEN, errors="surrogateescape") for part in parts[2:4])
    return Address(place + path + (f"?{query}" if query else ""), place + path, _basic(parts))


async def get(
    address: Address, context: ssl.SSLContext | None, *, until: float, max_bytes: int
) -> bytes:
    """
    Return the body at an address, without a proxy.

    Args:
        context: The TLS context, for https; None trusts the system's certificates.
        until: The moment of time.monotonic() at which to give up.

    Raises:
        ProcessReadError: The request failed, with the reason in a few words.
    """
    request = Request(
        url=address.url,
        authorization=address.authorization,
        context=context,
        until=until,
        max_bytes=max_bytes,
    )
    return await run_in_thread(request.body, until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One blocking request, to be sent in its own thread."""

    url: str = field(repr=False)
    until: float
    """The moment of time.monotonic() at which to give up."""
    max_bytes: int = 1 << 20
    """Maximum bytes of the response, its headers included."""
    data: bytes | None = field(default=None, repr=False)
    """The data to post; None for a GET."""
    authorization: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = None
    by_proxy: bool = False
    """Use the proxies of http_proxy, https_proxy and no_proxy."""

    def body(self) -> bytes:
        """
        Send the request, and return the body of the response.

        Raises:
            ProcessReadError: It failed, or the response is not a success.
        """
        return self._sent(_read)

    def send(self) -> None:
        """
        Send the request without using the response's body.

        Raises:
            ProcessReadError: It failed, or the response is not a success.
        """
        self._sent(lambda _: b"")

    def _sent(self, read: Callable[[Any], bytes]) -> bytes:
        try:
            with self._opened() as answer:
                return read(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise ProcessReadError(_refusal(error.code)) from None
        except urllib.error.URLError as error:
            raise ProcessReadError(self._why(error.reason)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ProcessReadError(self._why(error)) from None

    def _opened(self) -> Any:
        request = urllib.request.Request(self.url, self.data)  # noqa: S310  # http or https
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        opener = urllib.request.OpenerDirector()
        opener.add_handler(urllib.request.ProxyHandler(None if self.by_proxy else {}))
        opener.add_handler(_Bounded(self))
        opener.add_handler(urllib.request.HTTPErrorProcessor())
        opener.add_handler(urllib.request.HTTPDefaultErrorHandler())
        return opener.open(request, timeout=_left_s(self.until))

    def _why(self, error: object) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            advice = ": check --cacert" if self.context else ""
            return f"its certificate is not trusted ({error.verify_message}){advice}"
        return _why(error)


class _Bounded(urllib.request.AbstractHTTPHandler):
    """Opens connections whose responses are limited in time and in size."""

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_

    def __init__(self, limits: Request) -> None:
        super().__init__()
        self._limits = limits

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._opening(http.client.HTTPConnection), request)

    def https_open(self, request: urllib.request.Request) -> Any:
        opening = self._opening(http.client.HTTPSConnection)
        return self.do_open(opening, request, context=self._limits.context)

    def _opening(self, kind: Callable[..., Any]) -> Any:
        def opening(host: str, **options: Any) -> Any:
            connection = kind(host, **options)
            connection.response_class = partial(_Answer, limits=self._limits)
            return connection

        return opening


class _Answer(http.client.HTTPResponse):
    """A response that is read through _LimitedReader."""

    def __init__(self, sock: socket.socket, *args: Any, limits: Request, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_LimitedReader(self.fp, sock, limits))


class _LimitedReader(io.RawIOBase):
    """
    Received bytes with one deadline for all of them.

    A socket's own time-out restarts with each byte: one byte per second would never end.
    """

    def __init__(self, source: io.BufferedReader, sock: socket.socket, limits: Request) -> None:
        super().__init__()
        self._source = source
        self._socket = sock
        self._until = limits.until
        self._max_bytes = self._left = limits.max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left_s(self._until))
        size = self._source.readinto1(buffer)
        self._left -= size
        if self._left < 0:
            raise ProcessReadError(f"the answer is bigger than {self._max_bytes >> 20} MiB")
        return size

    def close(self) -> None:
        self._source.close()
        super().close()


def _read(answer: Any) -> bytes:
    pieces: list[bytes] = []
    while piece := answer.read1(PIECE):
        pieces.append(piece)
    if answer.length:  # announced bytes that did not arrive
        raise ProcessReadError("the answer was cut off")
    return b"".join(pieces)


def _left_s(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _refusal(code: int) -> str:
    if 300 <= code < 400:  # noqa: PLR2004
        return f"it redirects (HTTP {code}), which is not followed: give the final address"
    if code in (401, 403):
        return f"it wants another user or password (HTTP {code})"
    if code == 404:  # noqa: PLR2004
        return "there is no such page (HTTP 404)"
    return f"it answers with the error HTTP {code}"


def _why(error: object) -> str:
    """Return the reason without the URL, which Python's messages might contain."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or 'reset'})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "the name cannot be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused, nothing listens there"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer was cut off"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it does not answer as an HTTP server does"


def _basic(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode(errors="surrogateescape")).decode("ascii")
