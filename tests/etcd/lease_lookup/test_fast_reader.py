"""The faster reader with members that are odd, broken or hostile: all is answered all the same."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.domain.model.leases import FailedReading, LeaseId, LeaseReading
from lockdoctor.errors import ClusterTimeoutError
from lockdoctor.etcd.client import EtcdCluster, connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.frames import frame
from lockdoctor.etcd.http2.pool import MAX_MISSES
from lockdoctor.etcd.lease_lookup.grpc_reader import MAX_TIMEOUTS
from lockdoctor.etcd.lease_lookup.rate_limit import INITIAL_OPEN
from tests.etcd.http2_server import RAFT_TERM, Request, asked_for, greeting, ttl_answer, ttl_of
from tests.etcd.misbehaving_member import OddMember, Script, Session, serving
from tests.eventually import eventually, run

IDS = range(0x7000, 0x7000 + 400)


def answer_all(session: Session, requests: Sequence[Request]) -> None:
    """Serve as etcd does."""
    for request in requests:
        session.answer(request)


class Found:
    """What a reading brought, and from whom."""

    def __init__(self, cluster: EtcdCluster, answers: list[Any]) -> None:
        """Remember it."""
        self.notes = list(cluster.notes)
        self.answers = answers

    def assert_all_right(self, ids: Iterable[int] = IDS) -> None:
        """Every lease once, each with its own TTLs, asked before answered."""
        assert sorted(answer.lease_id for answer in self.answers) == sorted(ids)
        for answer in self.answers:
            assert isinstance(answer, LeaseReading)
            assert (answer.remaining_ttl_s, answer.granted_ttl_s) == ttl_of(answer.lease_id)
            assert answer.raft_term == RAFT_TERM
            assert answer.asked_at <= answer.answered_at


async def read(
    address: str,
    ids: Iterable[int] = IDS,
    *,
    with_keys: bool = False,
    times: int = 1,
    clock: SystemClock | None = None,
    per_s: float = math.inf,
    **more: Any,
) -> Found:
    """Look leases up."""
    settings = ConnectionSettings(endpoints=(address,), **more)
    cluster = await connect(settings, clock or SystemClock(), per_s)
    try:
        for _ in range(times):
            leases = map(LeaseId, ids)
            answers = [each async for each in cluster.read_leases(leases, with_keys=with_keys)]
        return Found(cluster, answers)
    finally:
        await cluster.close()


def serve(member: OddMember, ids: Iterable[int] = IDS, **more: Any) -> Found:
    """Look leases up at a member."""

    async def story() -> Found:
        async with serving(member) as address:
            return await read(address, ids, **more)

    return run(story(), within_s=30)


def test_one_connection_answers_everything() -> None:
    """All look-ups go over it, reading after reading, and none by gRPC's own client."""
    member = OddMember(answer_all)
    found = serve(member, times=3)

    found.assert_all_right()
    assert found.notes == []
    assert (member.sessions, len(member.asked), member.asked_by_rpc) == (1, 3 * len(IDS), [])


class HastyClock(SystemClock):
    """Moves on with each look at it: what two looks in a row see is never the same moment."""

    def __init__(self) -> None:
        """Begin at the right time."""
        super().__init__()
        self._steps = random.Random(7)  # noqa: S311
        self._hurry_s = 0.0

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        self._hurry_s += self._steps.uniform(0, 0.001)
        return super().now() + self._hurry_s


def test_a_pace_that_lets_something_through_between_two_looks() -> None:
    """Nobody waits for a pace that does not hold anything back any more."""
    serve(OddMember(answer_all), clock=HastyClock(), per_s=100).assert_all_right()


def test_what_the_pace_holds_back_goes_in_whole_bursts() -> None:
    """A wake-up for each single look-up would cost more than the look-up."""
    batches: list[int] = []

    def script(session: Session, requests: Sequence[Request]) -> None:
        batches.append(len(requests))
        answer_all(session, requests)

    ids = range(1, 801)
    serve(OddMember(script), ids, per_s=5000).assert_all_right(ids)

    arrived = list(accumulate(batches))
    paced = [each for each, partial_or in zip(batches, arrived, strict=True) if partial_or > 550]
    assert sum(paced) > 200
    assert len(paced) <= sum(paced) / 5


def test_what_every_request_carries() -> None:
    """The method, the demand for a leader, and how long the answer is waited for."""
    headers: list[dict[str, str]] = []

    def script(session: Session, requests: Sequence[Request]) -> None:
        headers.extend(request.headers for request in requests)
        answer_all(session, requests)

    serve(OddMember(script), command_timeout_s=7.5)

    assert len({tuple(each.items()) for each in headers}) == 1
    assert headers[0][":path"] == "/etcdserverpb.Lease/LeaseTimeToLive"
    assert (headers[0]["te"], headers[0]["content-type"]) == ("trailers", "application/grpc")
    assert headers[0]["hasleader"] == "true"
    assert 7000 < int(headers[0]["grpc-timeout"].removesuffix("m")) <= 7500
    assert "token" not in headers[0]


def in_small_bits(session: Session, requests: Sequence[Request]) -> None:
    """Allow a byte of each request at a time; the requests come whole in the end."""
    answer_all(session, requests)
    begun = [each.stream for each in session.peer.requests.values() if not each.is_whole]
    session.write(b"".join(h2.window_update(stream, 3) for stream in begun))


@pytest.mark.parametrize(
    ("settings", "script"),
    [
        ({h2.MAX_CONCURRENT_STREAMS: 1}, answer_all),
        ({h2.MAX_CONCURRENT_STREAMS: 3, h2.HEADER_TABLE_SIZE: 0}, answer_all),
        ({h2.INITIAL_WINDOW_SIZE: 5}, in_small_bits),
        ({h2.HEADER_TABLE_SIZE: 70}, answer_all),
    ],
)
def test_a_member_that_wants_little(settings: dict[int, int], script: Script) -> None:
    """One call at a time, small windows, no memory for headers: all of it is kept to."""

    def watched(session: Session, requests: Sequence[Request]) -> None:
        assert len(requests) <= settings.get(h2.MAX_CONCURRENT_STREAMS, 1000)
        script(session, requests)

    member = OddMember(watched, greeting(settings))
    found = serve(member, IDS[:30])

    found.assert_all_right(IDS[:30])
    assert (found.notes, member.asked_by_rpc) == ([], [])


def test_a_farewell_in_the_middle() -> None:
    """What was not processed is asked again, elsewhere; the connection's last answers count."""

    def script(session: Session, requests: Sequence[Request]) -> None:
        if session.number == 2:
            answer_all(session, requests)
        elif session.asked == len(requests):
            last = requests[len(requests) // 2].stream
            session.write(frame(h2.GOAWAY, 0, 0, h2.NUMBER.pack(last) + b"\0\0\0\0"))
            answer_all(session, [request for request in requests if request.stream <= last])

    member = OddMember(script)
    found = serve(member)

    found.assert_all_right()
    assert found.notes == []
    assert member.sessions == 3
    assert 0 < len(member.asked_by_rpc) < len(IDS) // 2


def test_streams_that_are_reset() -> None:
    """Each of them is asked again, and the others go on."""

    def script(session: Session, requests: Sequence[Request]) -> None:
        for request in requests:
            if asked_for(request)[0] % 10 == 3:
                session.write(h2.reset(request.stream, 7))
            else:
                session.answer(request)

    member = OddMember(script)
    found = serve(member)

    found.assert_all_right()
    assert found.notes == []
    assert sorted(member.asked_by_rpc) == [lease for lease in IDS if lease % 10 == 3]


@pytest.mark.parametrize("spoken", [0, 1, 9, 30, 60, 200, 500, 900])
def test_a_connection_that_breaks(spoken: int) -> None:
    """Wherever in its answers that is: nothing is lost, nothing is told twice."""
    ends: list[int] = []

    def script(session: Session, requests: Sequence[Request]) -> None:
        said = [
            session.peer.answer(each.stream, ttl_answer(asked_for(each)[0])) for each in requests
        ]
        if session.number > 0 or not requests:
            session.write(b"".join(said))
        elif session.asked == len(requests):
            session.write(b"".join(said)[:spoken])
            session.close()
            ends.extend(accumulate(map(len, said)))

    member = OddMember(script)
    found = serve(member)

    found.assert_all_right()
    assert found.notes == []
    assert member.sessions == 2
    answered = sum(end <= spoken for end in ends)
    assert set(member.asked_by_rpc) >= set(IDS[answered:INITIAL_OPEN])
    assert set(member.asked_by_rpc).isdisjoint(IDS[:answered])


def test_connections_that_always_break() -> None:
    """After a few of them, gRPC's own client reads the rest, and it is said why."""

    def script(session: Session, requests: Sequence[Request]) -> None:
        if requests:
            session.close()

    member = OddMember(script)
    found = serve(member)

    found.assert_all_right()
    (note,) = found.notes
    assert f"accepted {MAX_MISSES} connections without a response" in note
    assert member.sessions == MAX_MISSES


def test_a_silent_member_is_told_once() -> None:
    """Every look-up has its deadline, and so many out of time are the cluster's."""

    def script(session: Session, requests: Sequence[Request]) -> None:
        """Say nothing."""

    async def story() -> None:
        async with serving(OddMember(script)) as address:
            with pytest.raises(ClusterTimeoutError, match="did not answer in time"):
                await read(address, command_timeout_s=0.4)

    run(story(), within_s=20)


def test_a_few_that_are_never_answered() -> None:
    """They are told as such, and the server is told that nobody waits any more."""
    lost = set(IDS[:: len(IDS) // (MAX_TIMEOUTS - 4)])
    sessions = set()

    def script(session: Session, requests: Sequence[Request]) -> None:
        sessions.add(session)
        answer_all(session, [each for each in requests if asked_for(each)[0] not in lost])

    found = serve(OddMember(script), command_timeout_s=1.5)

    failed = {each.lease_id for each in found.answers if isinstance(each, FailedReading)}
    assert failed == lost
    assert {each.reason for each in found.answers if isinstance(each, FailedReading)} == {
        "timed out"
    }
    assert len(found.answers) == len(IDS)
    assert sum(len(session.peer.resets) for session in sessions) == len(lost)


def test_a_server_that_allows_no_calls() -> None:
    """It is not waited for."""
    member = OddMember(answer_all, greeting({h2.MAX_CONCURRENT_STREAMS: 0}))
    found = serve(member, IDS[:40])
    found.assert_all_right(IDS[:40])
    assert len(member.asked_by_rpc) == 40


@pytest.mark.parametrize(
    "hello",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>",
        b"\0" * 9,
        frame(h2.GOAWAY, 0, 0, b"\0" * 8),
    ],
)
def test_a_server_that_greets_otherwise(hello: bytes) -> None:
    """What is not HTTP/2 is left to gRPC's own client, with a note."""
    member = OddMember(answer_all, hello)
    found = serve(member)

    found.assert_all_right()
    (note,) = found.notes
    assert note.startswith("Lease look-ups were slower, over gRPC: the")
    assert "does not speak HTTP/2" in note
    assert (member.asked, sorted(member.asked_by_rpc)) == ([], list(IDS))


def test_a_server_that_never_greets() -> None:
    """It is waited for as long as an endpoint may take, a few times."""
    member = OddMember(answer_all, b"\0\0\0")
    found = serve(member, dial_timeout_s=0.3)
    found.assert_all_right()
    assert len(found.notes) == 1


def wrong_lease(session: Session, request: Request) -> bytes:
    """An answer about another lease."""
    return session.peer.answer(request.stream, ttl_answer(asked_for(request)[0] + 1))


def no_message(session: Session, request: Request) -> bytes:
    """An answer that is no message of etcd's."""
    return session.peer.answer(request.stream, b"\xff\xff\xff")


def web_page(session: Session, request: Request) -> bytes:
    """An answer of a web server."""
    fields = ((":status", "200"), ("content-type", "text/html"))
    head = frame(h2.HEADERS, h2.END_HEADERS, request.stream, session.peer.headers(fields))
    return head + frame(h2.DATA, h2.END_STREAM, request.stream, b"<html>")


def garbage(session: Session, request: Request) -> bytes:
    """Bytes without sense."""
    del session, request
    return bytes(range(256)) * 4


@pytest.mark.parametrize("broken", [wrong_lease, no_message, web_page, garbage])
def test_answers_that_are_not_understood(broken: Any) -> None:
    """Nothing of them is believed; gRPC's own client reads the rest, and it is said why."""

    def script(session: Session, requests: Sequence[Request]) -> None:
        for number, request in enumerate(requests):
            if number == 5:
                session.write(broken(session, request))
            else:
                session.answer(request)

    member = OddMember(script)
    found = serve(member)

    found.assert_all_right()
    (note,) = found.notes
    assert note.endswith(", which the fast reader does not support.")
    assert member.sessions == 1
    assert member.asked_by_rpc


@pytest.mark.parametrize("seed", range(8))
def test_bytes_gone_wrong(seed: int) -> None:
    """Whatever comes: every lease is told of once, or it is said that the cluster is silent."""
    chance = random.Random(seed)  # noqa: S311  # no secret

    def script(session: Session, requests: Sequence[Request]) -> None:
        for request in requests:
            said = bytearray(session.peer.answer(request.stream, ttl_answer(asked_for(request)[0])))
            if chance.random() < 0.02:
                at = chance.randrange(len(said))
                said[at : at + chance.randrange(9)] = chance.randbytes(chance.randrange(9))
            session.write(bytes(said))

    member = OddMember(script)
    try:
        found = serve(member, command_timeout_s=1.0)
    except ClusterTimeoutError as silent:
        assert "did not answer in time" in str(silent)  # noqa: PT017  # one of two good ends
    else:
        assert sorted(answer.lease_id for answer in found.answers) == list(IDS)


@pytest.mark.parametrize(("one_in", "count"), [(1, 1), (1, 400), (2, 400)])
def test_keys_that_are_denied_are_done_without(one_in: int, count: int) -> None:
    """The lease is asked for again over the same connection, without its keys."""

    def script(session: Session, requests: Sequence[Request]) -> None:
        for request in requests:
            lease_id, wants_keys = asked_for(request)
            if wants_keys and lease_id % one_in == 0:
                session.write(
                    session.peer.refuse(request.stream, 7, "etcdserver: permission denied")
                )
            else:
                session.answer(request, [b"b", b"a"] if wants_keys else [])

    member = OddMember(script)
    found = serve(member, IDS[:count], with_keys=True, command_timeout_s=60.0)

    found.assert_all_right(IDS[:count])
    for answer in found.answers:
        assert answer.attached_keys == ((b"a", b"b") if answer.lease_id % one_in else None)
    assert (member.sessions, member.asked_by_rpc) == (1, [])


def test_a_token_that_is_refused() -> None:
    """Another one is asked for, once, and carried by all further requests of the connection."""
    carried: list[str] = []

    def script(session: Session, requests: Sequence[Request]) -> None:
        for request in requests:
            carried.append(request.headers["token"])
            if carried[-1] == "token-1":
                refusal = "etcdserver: invalid auth token"
                session.write(session.peer.refuse(request.stream, 16, refusal))
            else:
                session.answer(request)

    member = OddMember(script)
    found = serve(member, user="root", password="secret")

    found.assert_all_right()
    assert (found.notes, member.tokens, member.sessions) == ([], 2, 1)
    assert carried == sorted(carried)
    assert set(carried) == {"token-1", "token-2"}
    assert sorted(member.asked_by_rpc) == sorted(
        lease for (lease, _), token in zip(member.asked, carried, strict=True) if token == "token-1"
    )


def test_streams_run_out() -> None:
    """Another connection is opened for the rest."""
    member = OddMember(answer_all)

    async def story() -> Found:
        async with serving(member) as address:
            settings = ConnectionSettings(endpoints=(address,))
            cluster = await connect(settings, SystemClock(), math.inf)
            first = [a async for a in cluster.read_leases([LeaseId(IDS[0])], with_keys=False)]
            (pipe,) = cluster._leases._dependencies.pool._connections  # type: ignore[union-attr]
            pipe._calls._writer.next_stream = h2.MAX_NUMBER - 8
            rest = [a async for a in cluster.read_leases(map(LeaseId, IDS[1:]), with_keys=False)]
            await cluster.close()
            return Found(cluster, first + rest)

    run(story()).assert_all_right()
    assert (member.sessions, member.asked_by_rpc) == (2, [])


def test_a_second_reading_at_the_same_time() -> None:
    """Both are answered, and giving one up does not harm the other."""
    member = OddMember(answer_all)

    async def story() -> None:
        async with serving(member) as address:
            settings = ConnectionSettings(endpoints=(address,))
            cluster = await connect(settings, SystemClock(), math.inf)
            first = cluster.read_leases(map(LeaseId, IDS), with_keys=False)
            begun = [await first.__anext__()]
            given_up = cluster.read_leases(map(LeaseId, IDS), with_keys=False)
            assert await given_up.__anext__()
            await given_up.aclose()  # type: ignore[attr-defined]  # it is a generator
            second = [a async for a in cluster.read_leases(map(LeaseId, IDS), with_keys=False)]
            Found(cluster, second).assert_all_right()
            Found(cluster, begun + [a async for a in first]).assert_all_right()
            await cluster.close()

    run(story())


def test_a_reading_that_is_given_up() -> None:
    """The server is told, and the next reading uses the same connection."""
    sessions = set()

    def script(session: Session, requests: Sequence[Request]) -> None:
        sessions.add(session)
        session.waiting += requests
        if session.asked < 40:
            answer_all(session, requests[:1])
        else:
            answer_all(session, requests)

    async def story() -> None:
        async with serving(OddMember(script)) as address:
            settings = ConnectionSettings(endpoints=(address,))
            cluster = await connect(settings, SystemClock(), math.inf)
            reading = cluster.read_leases(map(LeaseId, IDS[:16]), with_keys=False)
            assert await reading.__anext__()
            await reading.aclose()  # type: ignore[attr-defined]  # it is a generator
            (session,) = sessions
            await eventually(lambda: len(session.peer.resets) == 15, within_s=10)
            session.asked = 100
            answers = [a async for a in cluster.read_leases(map(LeaseId, IDS), with_keys=False)]
            Found(cluster, answers).assert_all_right()
            await cluster.close()

    run(story())
