"""Lock names that would like to be obeyed by a terminal, or are no text at all."""

from __future__ import annotations

import contextlib

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient
from tests.scenarios.run_scan import finish_scan, scan, start_scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

NAMES = (
    b"raw-\xff\xfe\x80",
    b"two\nlines",
    b"[red]markup[/red]",
    b"\x1b[31mescape\x1b]0;title\x07",
    b"bidi-\xe2\x80\xae-carriage\rreturn",
    b"long-" + b"x" * 10_000,
)


def test_names_come_out_whole_and_harmless(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """JSON gives each name back byte for byte; the table holds nothing that a terminal obeys."""
    with contextlib.ExitStack() as running:
        for name in NAMES:
            leak = running.enter_context(go.start("leak", prefix + name, ttl=60))
            leak.wait_for("locked")
        document = scan(etcd.endpoint, prefix, "--window=0")
        table = finish_scan(start_scan(etcd.endpoint, prefix, "--window=0"))

    assert document.verdicts == {prefix + name: "undetermined" for name in NAMES}
    assert (document.status, table.status) == (0, 0)
    assert [c for c in table.stdout if not c.isprintable() and c != "\n"] == []
    assert "[red]markup[/red]" in table.stdout
    assert len(table.stdout) < 20_000
