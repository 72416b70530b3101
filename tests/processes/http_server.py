"""A server on loopback that answers as a test wants, well or badly."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

Reply = Callable[[socket.socket], None]
"""Answers one request on its connection, which is closed after that."""


def http(body: bytes, status: str = "200 OK", **headers: str) -> Reply:
    """Answer in good order."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    raw = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return lambda connection: connection.sendall(raw)


def raw(answer: bytes) -> Reply:
    """Answer with these bytes."""
    return lambda connection: connection.sendall(answer)


class Serving:
    """The server, and what it was asked."""

    def __init__(self, listener: socket.socket, pages: Mapping[str, Reply]) -> None:
        """Take the pages by path and query; any other page is a 404."""
        self.asked: list[str] = []
        self.headers: list[str] = []
        self.is_over = threading.Event()
        self.left = threading.Event()
        """For a reply that never ends: the other side has closed the connection."""
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._listener = listener
        self._pages = pages

    def run(self) -> None:
        """Answer until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and b"GET".startswith(head[:3]):
                head += connection.recv(4096)
            first, _, rest = head.decode("latin-1").partition("\r\n")
            path = first.split(" ")[1] if head.startswith(b"GET") else "/"
            self.asked.append(path)
            self.headers.append(rest)
            self._pages.get(path, http(b"", "404 Not Found"))(connection)


@contextlib.contextmanager
def serving(**pages: Reply) -> Iterator[Serving]:
    """Serve pages by their path without the slash; `page` alone serves the path /."""
    by_path = {"/" if name == "page" else f"/{name}": reply for name, reply in pages.items()}
    with serving_paths(by_path) as server:
        yield server


@contextlib.contextmanager
def serving_paths(pages: Mapping[str, Reply]) -> Iterator[Serving]:
    """Serve pages by path and query."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Serving(listener, pages)
        threading.Thread(target=server.run, daemon=True).start()
        try:
            yield server
        finally:
            server.is_over.set()
            listener.shutdown(socket.SHUT_RDWR)
