"""Reports a check's begin and end to a monitoring service like healthchecks.io."""

from __future__ import annotations

import threading
import time
from urllib.parse import SplitResult, urlsplit, urlunsplit

from lockdoctor.errors import ProcessReadError
from lockdoctor.processes.http_client import Request

LATE = "no answer in time"

TIMEOUT_S = 5.0
"""Maximum seconds for one ping, with the look-up of the host's name."""


class Ping:
    """
    The pings of one check, sent beside it; they raise no error.

    The check waits for a ping only as long as one can take. The URL is a secret: with it, anyone
    can report the check as successful. It is never shown, and no redirect is followed. The service
    can be behind a proxy from the environment.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """
        Store the URL, which no error text repeats.

        Raises:
            ValueError: It is not an http or https URL with a host.
        """
        self._url = _checked(url)
        self._timeout_s = timeout_s
        self._start: threading.Thread | None = None

    def start(self) -> None:
        """Report that the check begins, without waiting."""
        self._start = self._begin("start", "", [])

    def end(self, status: int, text: str) -> str | None:
        """
        Report how the check ended.

        Returns:
            What failed, in a sentence without the URL; None after success.
        """
        if self._start is not None:
            self._start.join(self._timeout_s)  # otherwise it might arrive after the end
        failures: list[str] = []
        thread = self._begin(str(status), text, failures)
        thread.join(self._timeout_s)
        why = LATE if thread.is_alive() else next(iter(failures), None)
        return why and f"the ping to {self._url.hostname} failed: {why}"

    def _begin(self, what: str, text: str, failures: list[str]) -> threading.Thread:
        """Send in a daemon thread, since name look-ups have no time-out."""
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
        raise ValueError("is not a URL like https://hc-ping.com/..., without a user and a password")
    return parts
