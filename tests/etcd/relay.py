"""A TCP relay before an etcd: what passes may be watched, held back, or led to another server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import final

CHUNK_BYTES = 1 << 16
JOIN_TIMEOUT_S = 5.0

Hook = Callable[[bytes], object]
"""
Is shown what passes before it is passed on. It may wait, which holds back what follows, too; an
OSError that it raises breaks the connection.
"""


@final
class Relay:
    """Passes connections on to an upstream, which may be another one from some moment on."""

    def __init__(self, upstream: str) -> None:
        """
        Prepare to relay to an address, given as host:port.

        gRPC's client writes the path of a method in plain bytes when it first calls it on a
        connection, so that b"KV/Txn" in a request shows a write.
        """
        self.upstream = upstream
        """Where new connections lead."""
        self.on_request: Hook = lambda _: None
        self.on_answer: Hook = lambda _: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where to connect."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def swap(self, upstream: str) -> None:
        """Break all connections; new ones lead to another server."""
        self.upstream = upstream
        self.cut()

    def cut(self) -> None:
        """Break all connections."""
        with self._lock:
            broken, self._sockets = self._sockets, []
        for each in broken:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Relay:
        """Begin to relay."""
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and wait for that."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(JOIN_TIMEOUT_S)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            host, _, port = self.upstream.rpartition(":")
            try:
                server = socket.create_connection((host, int(port)))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._sockets += [client, server]
            self._start(self._serve, client, server)

    def _start(self, work: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            back = threading.Thread(target=self._pass, args=(server, client, self._answer))
            back.start()
            self._pass(client, server, self._request)
            back.join()

    def _request(self, chunk: bytes) -> None:
        self.on_request(chunk)

    def _answer(self, chunk: bytes) -> None:
        self.on_answer(chunk)

    def _pass(self, source: socket.socket, sink: socket.socket, hook: Hook) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                hook(chunk)
                sink.sendall(chunk)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
