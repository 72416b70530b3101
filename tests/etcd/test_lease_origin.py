"""Lease IDs as real members give them: the granting member is told, and never a time too late."""

from __future__ import annotations

import time

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.inference.lease_origin import LeaseOrigin, origin
from tests.etcd.connections import connected, writing
from tests.eventually import run

pytestmark = pytest.mark.etcd


def test_a_granted_lease_tells_its_member_and_a_bound(etcd: EtcdServer) -> None:
    """The only member is the one; the time in the ID lies before the grant."""

    async def story() -> tuple[int, LeaseOrigin | None, float]:
        async with connected(etcd.endpoint) as cluster, writing(etcd.address) as hand:
            lease = await hand.grant(5)
            granted_at = time.time()
            members, status = await cluster.members(), await cluster.status()
            await hand.revoke(lease)
            return status.member_id, origin(lease, members, granted_at), granted_at

    member_id, found, granted_at = run(story())

    assert found is not None
    assert found.member_id == member_id
    assert found.not_before_at <= granted_at
    assert found.not_before_at > granted_at - 86_400
