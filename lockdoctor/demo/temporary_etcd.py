"""An etcd for a while: a server in a temporary folder, and nothing left of it afterwards."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lockdoctor.demo.etcd_server import EtcdServer


@contextlib.contextmanager
def own_etcd() -> Iterator[EtcdServer]:
    """
    Run a server; process and folder are gone afterwards, however it ends.

    Raises:
        DemoError: There is no etcd, or it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="lockdoctor-demo-") as folder:
        server = EtcdServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()  # in good order would take longer, and its data is thrown away
