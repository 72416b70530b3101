"""The demo's etcd comes and goes without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.demo.temporary_etcd import own_etcd
from lockdoctor.errors import DemoError

pytestmark = pytest.mark.etcd


@pytest.mark.usefixtures("etcd_binary")
def test_server_and_folder_are_gone_afterwards() -> None:
    """The server answers inside, and neither process nor folder is left behind."""
    with own_etcd() as server:
        assert server.is_running
        assert server.folder.is_dir()

    assert not server.is_running
    assert not server.folder.exists()


@pytest.mark.usefixtures("etcd_binary")
def test_they_are_gone_after_an_error_too() -> None:
    """What goes wrong inside changes nothing about that."""
    with pytest.raises(KeyboardInterrupt), own_etcd() as server:
        raise KeyboardInterrupt

    assert not server.is_running
    assert not server.folder.exists()


def test_without_an_etcd_no_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no server to start, the error says so and leaves nothing behind."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("LOCKDOCTOR_ETCD", str(tmp_path / "no-etcd"))

    with pytest.raises(DemoError, match="LOCKDOCTOR_ETCD"), own_etcd():
        pass

    assert list(tmp_path.iterdir()) == []
