"""One GET, in time, of a limited size, with no password in sight."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import field, replace
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from lockdoctor.clients.aside import aside
from lockdoctor.errors import ConfigError, WitnessError
from lockdoctor.values import dataclass

_HOST = re.compile(r"[\w.:%-]+")

PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where to ask, and who we are there."""

    url: str = field(repr=False)
    """Without user and password; its query may hold other secrets."""
    shown: str
    """The URL as it may be shown: without user, password and query."""
    authorization: str | None = field(default=None, repr=False)

    def without(self, path: str) -> Address:
        """Leave out the end of the path, and the query."""
        base = self.shown.rstrip("/").removesuffix(path)
        return replace(self, url=base, shown=base)

    def below(self, path: str) -> Address:
        """Go on from here."""
        base = self.url.rstrip("/")
        return Address(
            base + path, self.shown.rstrip("/") + path.partition("?")[0], self.authorization
        )


def parse_address(text: str, what: str) -> Address:
    """
    Take a URL of http or https apart; one without a scheme is of http.

    Raises:
        ConfigError: It is no such URL; what was given is not repeated where it may hold a password.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), None, None
    is_clean = all(char > " " and char != "\x7f" for char in text)
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not _HOST.fullmatch(host)
        or not is_clean
    ):
        shown = f"what {what} is given" if "@" in text else f"{what} {text!r}"
        raise ConfigError(f"{shown} is no URL like http://orders-7f:6060")
    where = f"[{host}]" if ":" in host else host
    place = f"{parts.scheme}://{where}" + (f":{port}" if port is not None else "")
    url = place + parts.path + (f"?{parts.query}" if parts.query else "")
    return Address(url, place + parts.path, _basic(parts))


async def get(
    address: Address, context: ssl.SSLContext | None, *, timeout_s: float, most_bytes: int
) -> bytes:
    """
    Get what is there.

    Args:
        context: Whom to trust, for https; None trusts what the system trusts.

    Raises:
        WitnessError: It could not be had, in a few words.
    """
    request = _Request(address, context, time.monotonic() + timeout_s, most_bytes)
    return await aside(request.body, timeout_s=timeout_s)


@dataclass(frozen=True, slots=True)
class _Request:
    """One GET."""

    address: Address
    context: ssl.SSLContext | None
    deadline: float
    most_bytes: int

    def body(self) -> bytes:
        try:
            with self._opened() as answer:
                return self._read(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise WitnessError(_refusal(error.code)) from None
        except urllib.error.URLError as error:
            raise WitnessError(_why(error.reason)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise WitnessError(_why(error)) from None

    def _opened(self) -> Any:
        request = urllib.request.Request(self.address.url)  # noqa: S310  # parse_address saw to it
        if self.address.authorization:
            request.add_unredirected_header("Authorization", self.address.authorization)
        https = urllib.request.HTTPSHandler(context=self.context)
        opener = urllib.request.build_opener(_NoRedirect, https)
        return opener.open(request, timeout=self._left_s())

    def _read(self, answer: Any) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := answer.read1(PIECE):
            size += len(piece)
            if size > self.most_bytes:
                raise WitnessError(f"the answer is bigger than {self.most_bytes >> 20} MiB")
            self._left_s()
            pieces.append(piece)
        if answer.length:  # what was announced and did not come
            raise WitnessError("the answer was cut off")
        return b"".join(pieces)

    def _left_s(self) -> float:
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: neither to another scheme nor, with a password, to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _refusal(code: int) -> str:
    if 300 <= code < 400:  # noqa: PLR2004
        return f"it sends us elsewhere (HTTP {code}): give the address that answers itself"
    if code in (401, 403):
        return f"it wants another user or password (HTTP {code})"
    if code == 404:  # noqa: PLR2004
        return "there is no such page (HTTP 404)"
    return f"it answers with the error HTTP {code}"


def _why(error: object) -> str:
    """Say why, without the URL, which Python's own messages may repeat."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}): check --cacert"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or 'reset'})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
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
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
