"""Tells a monitoring service that a check begins and how it ended, as healthchecks.io takes it."""

from __future__ import annotations

import threading
import time
from urllib.parse import SplitResult, urlsplit, urlunsplit

from lockdoctor.errors import ProcessReadError
from lockdoctor.processes.http_client import Request

LATE = "no answer in time"

TIMEOUT_S = 5.0
"""For one ping, looking the host's name up included."""


class Ping:
    """
    One check's pings. They go out beside the check; none raises, none is waited for in vain.

    The URL is a secret: whoever knows it can call the check well. It is never shown, and nothing
    is sent where a redirect would lead. The service may lie behind a proxy of the environment.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """
        Take the URL; it is not repeated in what is said of it.

        Raises:
            ValueError: It is no http or https URL with a host.
        """
        self._url = _checked(url)
        self._timeout_s = timeout_s
        self._start: threading.Thread | None = None

    def start(self) -> None:
        """Tell that the check begins, and do not wait for it."""
        self._start = self._begin("start", "", [])

    def end(self, status: int, text: str) -> str | None:
        """
        Tell how the check ended.

        Returns:
            What went wrong, in a sentence without the URL; None if nothing did.
        """
        if self._start is not None:
            self._start.join(self._timeout_s)  # or it could arrive after the end
        failures: list[str] = []
        thread = self._begin(str(status), text, failures)
        thread.join(self._timeout_s)
        why = LATE if thread.is_alive() else next(iter(failures), None)
        return why and f"the ping to {self._url.hostname} failed: {why}"

    def _begin(self, what: str, text: str, failures: list[str]) -> threading.Thread:
        """Send in a thread that nobody needs to wait for: name look-ups know no time-out."""
        thread = threading.Thread(target=self._send, args=(what, text, failures), daemon=True)
        thread.start()
        return thread

    def _send(self, what: str, text: str, failures: list[str]) -> None:
        request = Request(
            url=urlunsplit(self._url._replace(path=f"{self._url.path.rstrip('/')}/{what}")),
            until=time.monotonic() + self._timeout_s,
            data=text.encode(),
            by_proxy=True,
        )
        try:
            request.send()
        except ProcessReadError as failed:
            failures.append(str(failed))


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_sound = False
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_sound or not is_plain or parts.username is not None:
        raise ValueError("is no URL like https://hc-ping.com/..., without a user and a password")
    return parts
