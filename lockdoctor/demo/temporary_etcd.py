"""Runs a temporary etcd: a server in a temporary folder, deleted afterwards."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lockdoctor.demo.etcd_server import EtcdServer


@contextlib.contextmanager
def own_etcd() -> Iterator[EtcdServer]:
    """
    Run a server; its process and folder are removed in every case.

    Raises:
        DemoError: There is no etcd binary, or it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="lockdoctor-demo-") as folder:
        server = EtcdServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()  # a shutdown would take longer, and the data is deleted
