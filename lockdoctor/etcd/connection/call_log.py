"""
Logs each call to etcd: its method, endpoint, outcome and duration.

A line has nothing of what a call carries: no key, value, user, password or token, and none of the
server's own words, which may repeat them. Without --verbose no call passes through this module.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio

from lockdoctor.etcd.connection.endpoints import Endpoint
from lockdoctor.etcd.connection.errors import one_line

LOG = logging.getLogger("lockdoctor.etcd")

_STATUS_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def is_logging() -> bool:
    """Return whether calls are logged."""
    return LOG.isEnabledFor(logging.INFO)


@contextmanager
def logged_call(method: str, endpoint: Endpoint) -> Iterator[None]:
    """Log the call that is made within the context, where calls are logged."""
    if not is_logging():
        yield
        return
    started_at = _now()
    outcome = "OK"
    try:
        yield
    except grpc.aio.AioRpcError as error:
        outcome = error.code().name
        raise
    except asyncio.CancelledError:
        outcome = grpc.StatusCode.CANCELLED.name
        raise
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        _write(method, endpoint, outcome, started_at)


def logged_channel(channel: Any, endpoint: Endpoint) -> Any:
    """Return the channel to make stubs of: one that logs, where calls are logged."""
    return _LoggedChannel(channel, endpoint) if is_logging() else channel


class LookupLog:
    """Counts the answers of one batch of look-ups, which are too many for a line each."""

    def __init__(self) -> None:
        """Begin when the first look-up is sent."""
        self._started_at = _now()
        self._answers: dict[Endpoint, Counter[str]] = {}

    def add(self, endpoint: Endpoint, statuses: Iterable[int]) -> None:
        """Count answers of one endpoint by gRPC's numbers of their statuses."""
        names = (_STATUS_NAMES.get(status, str(status)) for status in statuses)
        self._answers.setdefault(endpoint, Counter()).update(names)

    def write(self, method: str) -> None:
        """Write one line for each endpoint that has answered."""
        for endpoint, answers in self._answers.items():
            outcome = ", ".join(f"{number} {name}" for name, number in answers.most_common())
            _write(f"{method} x {answers.total()}", endpoint, outcome, self._started_at)


class _LoggedChannel:
    """A channel whose calls are logged; it has what etcd's services need of one."""

    def __init__(self, channel: Any, endpoint: Endpoint) -> None:
        self._channel = channel
        self._endpoint = endpoint

    def unary_unary(self, path: str, **serializers: Any) -> Callable[..., Any]:
        call = self._channel.unary_unary(path, **serializers)

        async def logged(request: Any, **options: Any) -> Any:
            with logged_call(_method(path), self._endpoint):
                return await call(request, **options)

        return logged

    def stream_stream(self, path: str, **serializers: Any) -> Callable[..., Any]:
        """Log a stream when it has ended."""
        start = self._channel.stream_stream(path, **serializers)

        def logged(**options: Any) -> Any:
            started_at = _now()
            call = start(**options)
            call.add_done_callback(
                lambda done: _write(_method(path), self._endpoint, _outcome(done), started_at)
            )
            return call

        return logged

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _method(path: str) -> str:
    return path.rpartition(".")[2]  # KV/Range of /etcdserverpb.KV/Range


def _outcome(call: Any) -> str:
    """Name the status of a stream that has ended: its code is there without waiting."""
    reading = call.code()
    try:
        reading.send(None)
    except StopIteration as answer:
        return str(answer.value.name)
    finally:
        reading.close()
    return "ENDED"


def _write(method: str, endpoint: Endpoint, outcome: str, started_at: float) -> None:
    # Not the endpoint's text: only host and port are certain to be no secret.
    address = one_line(endpoint.target.removeprefix("dns:///"))
    took_ms = (_now() - started_at) * 1000
    LOG.info("%s at %s: %s after %.1f ms", method, address, outcome, took_ms)
