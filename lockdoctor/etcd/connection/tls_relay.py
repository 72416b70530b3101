"""A connection for gRPC to a member whose certificate is not verified."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from pathlib import Path

from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.endpoints import Endpoint
from lockdoctor.etcd.connection.tls import TlsFiles

ALPN = "h2"
PIECE = 1 << 16
"""Maximum bytes in one read."""


class Relay:
    """
    Passes bytes between a Unix socket and a member over unverified TLS.

    gRPC for Python always verifies each certificate; Python's ssl module can skip that. The Unix
    socket is without TLS, in a folder that only this user can enter: the connection to the member
    might use this user's client certificate.
    """

    def __init__(self, endpoint: Endpoint, tls: TlsFiles) -> None:
        """
        Start to listen; an event loop must run.

        Raises:
            ConfigError: A TLS file cannot be used, or no socket can be made.
        """
        self._endpoint = endpoint
        self._tls = tls
        self._context = tls.context()
        self._context.set_alpn_protocols([ALPN])
        self._folder = _folder()
        path = Path(self._folder.name) / "etcd"
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.bind(str(path))
        except OSError as error:
            self._socket.close()
            self._folder.cleanup()
            raise _no_socket(error) from error
        self._socket.listen()
        self.target = f"unix:{path}"
        """The target for gRPC."""
        self._calls: set[asyncio.Task[None]] = set()
        self._serving = asyncio.ensure_future(self._serve())

    async def close(self) -> None:
        """Close all connections."""
        tasks = (self._serving, *self._calls)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()
        self._folder.cleanup()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._socket.setblocking(False)
        while True:
            near, _ = await loop.sock_accept(self._socket)
            task = asyncio.ensure_future(self._connect(near))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _connect(self, near: socket.socket) -> None:
        """Pass bytes until one side closes; gRPC reconnects where it must."""
        reader, writer = await asyncio.open_unix_connection(sock=near)
        try:
            await self._relay(reader, writer)
        except OSError:
            pass  # gRPC sees the end of its connection, and the probe finds the reason
        finally:
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            self._endpoint.host,
            self._endpoint.port,
            ssl=self._context,
            server_hostname=self._tls.name_of(self._endpoint.host),
        )
        copies = [
            asyncio.ensure_future(_copy(reader, far_writer)),
            asyncio.ensure_future(_copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            far_writer.transport.abort()  # first, since close() can cancel the wait below
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()


def _folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="lockdoctor-")
    except OSError as error:
        raise _no_socket(error) from error


def _no_socket(error: OSError) -> ConfigError:
    return ConfigError(
        "Cannot make the socket that --insecure-skip-tls-verify needs in"
        f" {tempfile.gettempdir()}: {error.strerror or error}. Set TMPDIR to another folder."
    )
