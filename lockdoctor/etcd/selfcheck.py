"""Reads every member's state and tries a scan's steps for `lockdoctor selfcheck`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, LeaseReading
from lockdoctor.domain.selfcheck.rules import MemberFacts, Permission, SelfCheckFacts
from lockdoctor.errors import NO_ANSWER, AccessDeniedError, ClusterError, ConfigError
from lockdoctor.etcd.client import EtcdCluster
from lockdoctor.etcd.connection.attempt import KeyRange
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.diagnose import probe
from lockdoctor.etcd.connection.endpoints import Endpoint
from lockdoctor.etcd.connection.errors import printable
from lockdoctor.etcd.connection.greeting import StatusReply
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.connection.tls import TlsFiles
from lockdoctor.etcd.convert import range_of
from lockdoctor.etcd.protos import rpc
from lockdoctor.ports import Clock, StopRequest

FEW_KEYS = 64
"""Maximum keys of a prefix that are searched for one with a lease."""

FEW_LOOKUPS_PER_S = 100.0

LIST_LEASES = "list the leases"

_DATE = re.compile(rb"^date: *([^\r\n]{1,64})\r?$", re.IGNORECASE | re.MULTILINE)

_VERSION = re.compile(rb'"etcdserver": *"([0-9A-Za-z.+-]{1,64})"')

NOTHING_TO_TRY = "no key below it has a lease at present, so it was not tried"


async def inspect(
    settings: ConnectionSettings, clock: Clock, prefixes: Sequence[bytes], stop: StopRequest
) -> SelfCheckFacts:
    """
    Read and try everything that a scan needs of etcd, without writing.

    After a stop, the untried steps are missing, and the facts include that.

    Raises:
        ConfigError: An endpoint or a TLS file is invalid.
        WrongClusterError: Another cluster has answered after the login.
    """
    connection = Connection(settings, clock)
    try:
        statuses = await connection.status_of_all()
        members = await asyncio.gather(
            *(_member(endpoint, found, settings, clock) for endpoint, found in statuses)
        )
        login = await _login(connection, settings)
        permissions: tuple[Permission, ...] = ()
        alarms: tuple[ClusterAlarm, ...] | None = None
        if login.refusal is None:
            cluster = EtcdCluster(connection, clock, FEW_LOOKUPS_PER_S, is_pipelined=False)
            with contextlib.suppress(ClusterError):  # the facts on a scan's needs report what fails
                alarms = (await cluster.status()).alarms
            tried = [each async for each in _tried(connection, cluster, prefixes, stop)]
            permissions = (*tried, *_only_for_root(cluster))
        is_known = settings.user is not None and any(m.refusal is None for m in members)
        return SelfCheckFacts(
            now=clock.now(),
            members=tuple(members),
            login=login if is_known else None,
            permissions=permissions,
            alarms=alarms,
        )
    finally:
        await connection.close()


async def _login(connection: Connection, settings: ConnectionSettings) -> Permission:
    what = f"log in as {settings.user}"
    try:
        await connection.open()
    except ConfigError:
        raise
    except NO_ANSWER as failed:
        return Permission(what=what, refusal=str(failed))
    return Permission(what=what)


async def _member(
    endpoint: Endpoint, found: StatusReply | str, settings: ConnectionSettings, clock: Clock
) -> MemberFacts:
    if isinstance(found, str):
        return MemberFacts(endpoint=endpoint.text, refusal=found)
    http_facts = await _http_facts(endpoint, settings.tls, clock, settings.dial_timeout_s)
    return MemberFacts(
        endpoint=endpoint.text,
        cluster_id=found.cluster_id,
        member_id=found.member_id,
        leader_id=found.leader_id,
        raft_term=found.raft_term,
        version=found.version or (http_facts.version if http_facts else ""),
        is_learner=found.is_learner,
        answered_in_s=found.answered_at - found.asked_at,
        certificate_ends_at=http_facts.certificate_ends_at if http_facts else None,
        clock_ahead_s=http_facts.clock_ahead_s if http_facts else None,
    )


class _HttpFacts(NamedTuple):
    """The facts that a member reports outside of gRPC."""

    certificate_ends_at: float | None
    clock_ahead_s: tuple[float, float] | None
    version: str
    """Empty if the member reports no version."""


async def _http_facts(
    endpoint: Endpoint, tls: TlsFiles, clock: Clock, timeout_s: float
) -> _HttpFacts | None:
    """Read a member's version over HTTP/1.1; no answer there is not a fault."""
    asked_at = clock.now()
    try:
        context = tls.context() if endpoint.uses_tls else None
        probing = probe(endpoint, context, tls.name_of(endpoint.host))
        response = await asyncio.wait_for(probing, timeout_s)
    except (OSError, TimeoutError, asyncio.TimeoutError):
        return None
    ends = (response.certificate or {}).get("notAfter")
    return _HttpFacts(
        certificate_ends_at=ssl.cert_time_to_seconds(ends) if ends else None,
        clock_ahead_s=clock_ahead_s(response.answer, asked_at, clock.now()),
        version=found[1].decode("ascii") if (found := _VERSION.search(response.answer)) else "",
    )


def clock_ahead_s(answer: bytes, asked_at: float, answered_at: float) -> tuple[float, float] | None:
    """
    Return how far a server's clock is ahead: minimum and maximum seconds.

    The Date header of an answer is rounded down to the whole second.
    """
    found = _DATE.search(answer)
    try:
        date = parsedate_to_datetime(found[1].decode("ascii")) if found else None
    except (ValueError, IndexError):
        return None
    if date is None:
        return None
    server_s = _as_utc(date).timestamp()
    return server_s - answered_at, server_s + 1 - asked_at


def _as_utc(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


async def _tried(
    connection: Connection, cluster: EtcdCluster, prefixes: Sequence[bytes], stop: StopRequest
) -> AsyncIterator[Permission]:
    for prefix in prefixes:
        if stop.reason:
            yield Permission(what="read the keys", prefix=prefix, note=_not_tried(stop))
            continue
        try:
            lease_id = await _some_lease(connection, prefix)
        except ClusterError as failed:
            yield Permission(what="read the keys", prefix=prefix, refusal=str(failed))
            continue
        yield Permission(what="read the keys", prefix=prefix)
        yield await _attached_keys(cluster, prefix, lease_id)
    if stop.reason:
        yield Permission(what=LIST_LEASES, note=_not_tried(stop))
        return
    yield await _lease_list(cluster)
    with contextlib.suppress(ClusterError):  # a scan does not need it
        await cluster.members()


def _not_tried(stop: StopRequest) -> str:
    return f"not tried: ended by {stop.reason}"


def _only_for_root(cluster: EtcdCluster) -> Iterator[Permission]:
    """Yield the facts on the cluster that this user may not read."""
    if cluster.denied:
        refusal = f"this etcd user may not see: {', '.join(cluster.denied)}; a scan does without"
        yield Permission(what="see the cluster", refusal=refusal, is_optional=True)


async def _some_lease(connection: Connection, prefix: bytes) -> LeaseId:
    """Return the lease of one key of the prefix; NO_LEASE if no key has one."""
    start, end = range_of(prefix)
    request = rpc.RangeRequest(key=start, range_end=end, limit=FEW_KEYS)
    what = f"read the keys below {printable(prefix)}"
    answer = await connection.call(lambda member: member.kv.Range, request, what, KeyRange(prefix))
    return LeaseId(next((key.lease for key in answer.message.kvs if key.lease), NO_LEASE))


async def _attached_keys(cluster: EtcdCluster, prefix: bytes, lease_id: LeaseId) -> Permission:
    what = "see the other keys of their leases"
    if lease_id == NO_LEASE:
        return Permission(what=what, prefix=prefix, note=NOTHING_TO_TRY)
    try:
        (read,) = [each async for each in cluster.read_leases([lease_id], with_keys=True)]
    except ClusterError as failed:
        return Permission(what=what, prefix=prefix, refusal=str(failed))
    if not isinstance(read, LeaseReading):
        return Permission(what=what, prefix=prefix, note="the lease that was tried is gone")
    if read.attached_keys is None:
        refusal = "this role may not read them all; lockdoctor revoke would refuse such a lease"
        return Permission(what=what, prefix=prefix, refusal=refusal, is_optional=True)
    return Permission(what=what, prefix=prefix)


async def _lease_list(cluster: EtcdCluster) -> Permission:
    what = LIST_LEASES
    try:
        await cluster.leases()
    except AccessDeniedError:
        refusal = (
            "this role may not: sessions without keys, the sign of a leak of sessions, are not"
            " seen; everything else is"
        )
        return Permission(what=what, refusal=refusal, is_optional=True)
    except ClusterError as failed:
        return Permission(what=what, refusal=str(failed))
    return Permission(what=what)
