"""Unary calls over one connection, with servers that are odd, broken or hostile."""

from __future__ import annotations

import random
from collections.abc import Callable

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.call import DEADLINE_EXCEEDED, OK, OPEN, UNAVAILABLE, UnaryCall
from lockdoctor.etcd.http2.calls import STREAM_WINDOW, Http2Client
from lockdoctor.etcd.http2.frames import ProtocolError, frame
from tests.etcd.http2_server import HEADERS, TRAILERS, Peer, Request, data_frames, greeting

FIELDS = ((":method", "POST"), (":path", "/service/method"), ("content-type", "application/grpc"))


class Talk:
    """Our calls, and the server that they are made to."""

    def __init__(self, settings: dict[int, int] | None = None) -> None:
        """Greet each other."""
        self.calls = Http2Client()
        self.peer = Peer()
        self.requests: list[Request] = []
        self.flush()
        self.poll(greeting(settings))

    def ask(self, *messages: bytes) -> list[UnaryCall]:
        """Ask with each message."""
        asked = [UnaryCall(message) for message in messages]
        self.calls.send(asked, FIELDS)
        self.flush()
        return asked

    def poll(self, data: bytes) -> None:
        """Take in what the server says."""
        self.calls.receive(data)
        self.flush()

    def flush(self) -> None:
        """Send what is due."""
        self.requests += self.peer.receive(self.calls.take_outgoing())

    def head(self, flags: int, stream: int, *fields: tuple[str, str]) -> bytes:
        """Write headers or trailers."""
        return frame(h2.HEADERS, flags, stream, self.peer.headers(fields))


def replies(calls: list[UnaryCall]) -> list[tuple[int, bytes]]:
    """What has come of calls."""
    return [(call.status, bytes(call.body)) for call in calls]


def test_each_request_arrives_as_it_was_asked() -> None:
    """With its headers, as one prefixed message, on odd streams in their order."""
    talk = Talk()
    talk.ask(b"one", b"", b"three" * 10)

    assert [request.stream for request in talk.requests] == [1, 3, 5]
    assert all(tuple(request.headers.items()) == FIELDS for request in talk.requests)
    assert [request.message for request in talk.requests] == [
        b"\0\0\0\0\3one",
        b"\0\0\0\0\0",
        b"\0\0\0\0\x32" + b"three" * 10,
    ]


def test_answers_find_their_calls_in_any_order() -> None:
    """Also when frames of several answers come mixed."""
    talk = Talk()
    asked = talk.ask(b"1", b"3", b"5", b"7")
    mixed = [
        talk.head(h2.END_HEADERS, 1, *HEADERS),
        talk.head(h2.END_HEADERS, 3, *HEADERS),
        data_frames(3, b"third"),
        data_frames(1, b"first"),
        talk.head(h2.END_HEADERS | h2.END_STREAM, 3, *TRAILERS),
        talk.peer.answer(7, b"seventh"),
        talk.peer.answer(5, b""),
        talk.head(h2.END_HEADERS | h2.END_STREAM, 1, *TRAILERS),
    ]

    talk.poll(b"".join(mixed))

    assert replies(asked) == [(OK, b"first"), (OK, b"third"), (OK, b""), (OK, b"seventh")]
    assert [call.stream for call in talk.calls.take_finished()] == [3, 7, 5, 1]


def test_what_is_padded_prioritised_continued_or_unknown() -> None:
    """None of it is in the way."""
    talk = Talk()
    (call,) = talk.ask(b"1")
    block = talk.peer.headers(HEADERS)
    body = b"\0\0\0\0\5hello"
    flags = h2.PADDED | h2.PRIORITIZED

    talk.poll(frame(h2.HEADERS, flags, 1, b"\2" + b"prior" + block[:3] + b"\0\0"))
    talk.poll(frame(h2.CONTINUATION, 0, 1, b""))
    talk.poll(frame(h2.CONTINUATION, h2.END_HEADERS, 1, block[3:]))
    talk.poll(frame(h2.PRIORITY, 0, 1, b"prior") + frame(0xBE, 0xFF, 9, b"whatever"))
    talk.poll(frame(h2.DATA, h2.PADDED, 1, b"\x03" + body[:4] + b"\0" * 3))
    talk.poll(frame(h2.DATA, 0, 1, b"") + frame(h2.DATA, 0, 1, body[4:]))
    talk.poll(talk.head(h2.END_HEADERS | h2.END_STREAM, 1, *TRAILERS))

    assert replies([call]) == [(OK, b"hello")]


def test_an_informational_answer_comes_before_the_answer() -> None:
    """RFC 9110, 15.2: it says nothing yet."""
    talk = Talk()
    (call,) = talk.ask(b"1")
    talk.poll(talk.head(h2.END_HEADERS, 1, (":status", "103")) + talk.peer.answer(1, b"x"))
    assert replies([call]) == [(OK, b"x")]


def test_a_refusal_carries_status_and_text() -> None:
    """In trailers alone, or after headers."""
    talk = Talk()
    first, second = talk.ask(b"1", b"3")
    talk.poll(talk.peer.refuse(1, 7, "etcdserver: permission%20denied"))
    talk.poll(talk.head(h2.END_HEADERS, 3, *HEADERS))
    fields = (("grpc-status", "16"), ("grpc-message", "no"))
    talk.poll(talk.head(h2.END_HEADERS | h2.END_STREAM, 3, *fields))

    assert (first.status, first.message) == (7, "etcdserver: permission denied")
    assert (second.status, second.message) == (16, "no")


def test_a_stream_that_is_reset() -> None:
    """That call alone has to be made again."""
    talk = Talk()
    first, second = talk.ask(b"1", b"3")
    talk.poll(h2.reset(1, 7) + talk.peer.answer(3, b"x"))
    assert (first.status, first.message) == (UNAVAILABLE, "the stream was reset, code 7")
    assert replies([second]) == [(OK, b"x")]


def test_a_farewell() -> None:
    """What the server will not answer has to be made again; the rest is still answered."""
    talk = Talk()
    first, second = talk.ask(b"1", b"3")
    talk.poll(frame(h2.GOAWAY, 0, 0, h2.SETTING.pack(0, 1)[2:] + b"\0\0\0\0bye"))

    assert (talk.calls.room, talk.calls.is_spent) == (0, True)
    assert (first.status, second.status) == (OPEN, UNAVAILABLE)
    talk.poll(talk.peer.answer(1, b"x"))
    assert replies([first]) == [(OK, b"x")]


def test_a_gateway_whose_server_is_away() -> None:
    """The call has to be made again; the page about it is of no interest."""
    talk = Talk()
    (call,) = talk.ask(b"1")
    head = talk.head(h2.END_HEADERS, 1, (":status", "503"), ("content-type", "text/html"))
    talk.poll(head + frame(h2.DATA, h2.END_STREAM, 1, b"<html>"))
    assert (call.status, talk.peer.resets) == (UNAVAILABLE, [1])


def test_pings_are_answered() -> None:
    """With what they carry; answers to pings are not."""
    talk = Talk()
    talk.poll(frame(h2.PING, 0, 0, b"12345678") + frame(h2.PING, h2.ACK, 0, b"87654321"))
    assert talk.peer.pongs == [b"12345678"]


def test_nothing_is_asked_before_the_server_has_spoken() -> None:
    """Its settings may say how."""
    calls = Http2Client()
    assert calls.room == 0
    calls.receive(greeting())
    assert calls.room > 1000


def test_the_server_says_how_many_calls_at_once() -> None:
    """It may change its mind at any time."""
    talk = Talk({h2.MAX_CONCURRENT_STREAMS: 2})
    assert talk.calls.room == 2
    talk.ask(b"1", b"3")
    assert talk.calls.room == 0
    talk.poll(talk.peer.answer(3, b""))
    assert talk.calls.room == 1
    talk.poll(h2.settings_frame({h2.MAX_CONCURRENT_STREAMS: 0}))
    assert talk.calls.room == 0
    assert talk.peer.is_acknowledged


def test_streams_run_out() -> None:
    """Their numbers are never used twice."""
    talk = Talk()
    talk.calls._writer.next_stream = h2.MAX_NUMBER - 4
    assert talk.calls.room == 3
    talk.ask(b"1", b"2", b"3")
    assert (talk.requests[-1].stream, talk.calls.room, talk.calls.is_spent) == (
        h2.MAX_NUMBER,
        0,
        True,
    )


@pytest.mark.parametrize("window", [0, 1, 7, 20])
def test_a_server_that_takes_little_at_a_time(window: int) -> None:
    """Requests are sent in parts, as its windows open, and none twice."""
    talk = Talk({h2.INITIAL_WINDOW_SIZE: window})
    messages = [bytes([65 + number]) * 10 for number in range(4)]
    asked = talk.ask(*messages)
    for _ in range(15):
        for call in asked:
            talk.poll(h2.window_update(call.stream, 1))

    assert sorted(request.message[5:] for request in talk.requests) == messages
    talk.poll(b"".join(talk.peer.answer(call.stream, call.request) for call in asked))
    assert replies(asked) == [(OK, message) for message in messages]


def test_the_window_of_the_whole_connection() -> None:
    """What it does not hold waits; windows of streams that change meanwhile are kept."""
    talk = Talk({h2.INITIAL_WINDOW_SIZE: 10**6})
    talk.ask(b"x" * 60_000, b"y" * 20_000, b"z")
    assert len(talk.requests) == 2
    talk.poll(h2.settings_frame({h2.INITIAL_WINDOW_SIZE: 10}) + h2.window_update(0, 10**6))
    assert len(talk.requests) == 2
    talk.poll(h2.settings_frame({h2.INITIAL_WINDOW_SIZE: 30_000}))
    assert sorted(len(request.message) - 5 for request in talk.requests) == [1, 20_000, 60_000]


def test_an_answer_that_comes_before_the_request_is_sent() -> None:
    """The rest of the request is not sent any more."""
    talk = Talk({h2.INITIAL_WINDOW_SIZE: 3})
    (call,) = talk.ask(b"long")
    talk.poll(talk.peer.refuse(1, 8, "too many"))
    talk.poll(h2.window_update(1, 100))
    assert (call.status, talk.requests, talk.peer.resets) == (8, [], [1])


def test_large_answers_are_allowed_to_flow() -> None:
    """The server never waits for long, and is not given more room than it used."""
    talk = Talk()
    asked = talk.ask(*[b""] * 8)
    large = random.Random(1).randbytes(3 * STREAM_WINDOW)  # noqa: S311  # no secret
    before = talk.peer.allowed[0]

    talk.poll(b"".join(talk.peer.answer(call.stream, large) for call in asked))

    assert all(call.body == large for call in asked)
    for call in asked:
        assert 2 * STREAM_WINDOW < talk.peer.allowed[call.stream] <= len(large) + 5
    assert len(large) < talk.peer.allowed[0] - before <= 8 * (len(large) + 5)


def test_a_call_that_was_given_up() -> None:
    """The server is told, and what it says of it all the same is not listened to."""
    talk = Talk()
    first, second = talk.ask(b"1", b"3")
    talk.calls.cancel([first], DEADLINE_EXCEEDED, "late")
    talk.flush()
    talk.poll(talk.peer.answer(1, b"late") + h2.reset(1, 0) + h2.window_update(1, 5))
    talk.poll(talk.peer.answer(3, b"x"))

    assert (first.status, first.message, talk.peer.resets) == (DEADLINE_EXCEEDED, "late", [1])
    assert replies([second]) == [(OK, b"x")]
    assert talk.calls.take_finished() == [first, second]


def test_a_lost_connection_fails_what_is_open() -> None:
    """Once, and nothing else."""
    talk = Talk()
    first, second = talk.ask(b"1", b"3")
    talk.poll(talk.peer.answer(1, b"x"))
    talk.calls.fail_all("gone")
    talk.calls.fail_all("gone again")
    assert (first.status, second.status, second.message) == (OK, UNAVAILABLE, "gone")
    assert talk.calls.take_finished() == [first, second]


WRONG: dict[str, Callable[[Talk], bytes]] = {
    "headers of no stream": lambda t: t.head(h2.END_HEADERS, 0, *HEADERS),
    "an answer to nothing": lambda t: t.peer.answer(5, b""),
    "an even stream": lambda t: t.head(h2.END_HEADERS, 2, *HEADERS),
    "a push": lambda _: frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, b"\0\0\0\2"),
    "data before headers": lambda _: data_frames(1, b"x"),
    "no trailers": lambda t: t.head(h2.END_HEADERS, 1, *HEADERS) + frame(0, 1, 1, b"\0\0\0\0\0"),
    "no status": lambda t: t.head(h2.END_HEADERS | h2.END_STREAM, 1, *HEADERS),
    "headers twice": lambda t: t.head(h2.END_HEADERS, 1, *HEADERS) * 2,
    "another headers": lambda t: t.head(4, 1, *HEADERS) + t.head(5, 1, *HEADERS, *TRAILERS),
    "no message": lambda t: t.head(h2.END_HEADERS, 1, *HEADERS) + t.head(5, 1, *TRAILERS),
    "two messages": lambda t: (
        t.head(h2.END_HEADERS, 1, *HEADERS)
        + data_frames(1, b"a")
        + data_frames(1, b"b")
        + t.head(5, 1, *TRAILERS)
    ),
    "compressed": lambda t: (
        t.head(h2.END_HEADERS, 1, *HEADERS)
        + frame(h2.DATA, 0, 1, b"\1\0\0\0\1x")
        + t.head(5, 1, *TRAILERS)
    ),
    "a web page": lambda t: t.head(4, 1, (":status", "200"), ("content-type", "text/html")),
    "not found": lambda t: t.head(5, 1, (":status", "404"), ("content-type", "application/grpc")),
    "no http status": lambda t: t.head(4, 1, ("content-type", "application/grpc")),
    "another's continuation": lambda _: frame(1, 0, 1) + frame(h2.CONTINUATION, 4, 3),
    "a break in headers": lambda _: frame(1, 0, 1) + frame(h2.PING, 0, 0, b"12345678"),
    "a stray continuation": lambda _: frame(h2.CONTINUATION, 4, 1),
    "endless headers": lambda _: frame(1, 0, 1) + frame(h2.CONTINUATION, 0, 1) * 100,
    "much of headers": lambda _: frame(1, 0, 1) + frame(h2.CONTINUATION, 0, 1, b"x" * 16000) * 5,
    "no HPACK": lambda _: frame(1, h2.END_HEADERS, 1, b"\xff\xff\xff"),
    "settings of a stream": lambda _: frame(h2.SETTINGS, 0, 1),
    "a short ping": lambda _: frame(h2.PING, 0, 0, b"123"),
    "a window that opens by nothing": lambda _: h2.window_update(0, 0),
    "a window beyond all": lambda _: h2.window_update(0, h2.MAX_NUMBER),
    "a farewell of a stream": lambda _: frame(h2.GOAWAY, 0, 1, b"\0" * 8),
    "a short farewell": lambda _: frame(h2.GOAWAY, 0, 0, b"\0"),
    "a large frame": lambda _: frame(h2.DATA, 0, 1, b"x" * 16_385),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_no_server_may_say(what: str) -> None:
    """It ends the connection, with a sentence about the server."""
    talk = Talk()
    talk.ask(b"1", b"3")
    with pytest.raises(ProtocolError) as caught:
        talk.poll(WRONG[what](talk))
    assert str(caught.value)
    assert "HTTP/2" not in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n<html>",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46and more",
        frame(h2.PING, 0, 0, b"12345678"),
        frame(0xBE, 0, 0),
        frame(h2.HEADERS, 5, 1, b"\x88"),
    ],
)
def test_a_server_of_another_protocol(said: bytes) -> None:
    """Whatever does not begin with settings speaks no HTTP/2."""
    with pytest.raises(ProtocolError, match="does not speak HTTP/2"):
        Http2Client().receive(said)


def conversation(seed: int) -> tuple[Talk, list[UnaryCall], bytes]:
    """Ask, and let the server say something lively and right."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    talk = Talk()
    asked = talk.ask(*[b"%d" % number for number in range(chance.randrange(1, 12))])
    said = []
    for call in chance.sample(asked, len(asked)):
        if chance.random() < 0.2:
            said.append(frame(h2.PING, 0, 0, b"12345678"))
        if chance.random() < 0.2:
            said.append(talk.peer.refuse(call.stream, chance.randrange(1, 17), "no"))
        elif chance.random() < 0.2:
            said.append(h2.reset(call.stream, chance.randrange(14)))
        else:
            said.append(talk.peer.answer(call.stream, call.request * chance.randrange(1, 90)))
    return talk, asked, b"".join(said)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 60), max_size=60))
def test_chunks_change_nothing(seed: int, sizes: list[int]) -> None:
    """The same bytes bring the same answers, wherever they are cut."""
    whole, expected, said = conversation(seed)
    whole.poll(said)
    talk, asked, again = conversation(seed)
    assert again == said
    for size in sizes:
        talk.poll(said[:size])
        said = said[size:]
    talk.poll(said)

    assert not talk.calls.open
    assert replies(asked) == replies(expected)


def mutilated(said: bytes, chance: random.Random) -> bytes:
    """Change, drop, double or insert a few bytes."""
    data = bytearray(said)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data) or 1)
        kind = chance.randrange(4)
        if kind == 0 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at : at + chance.randrange(1, 12)]
        elif kind == 2:
            data[at:at] = data[at : at + chance.randrange(1, 60)]
        else:
            data[at:at] = chance.randbytes(chance.randrange(1, 12))
    return bytes(data)


@settings(max_examples=300)
@given(st.integers(0, 10**9))
def test_broken_bytes_end_in_an_error_or_an_answer(seed: int) -> None:
    """Never in another exception; and every call that has ended is told of exactly once."""
    talk, asked, said = conversation(seed)
    try:
        talk.poll(mutilated(said, random.Random(seed)))  # noqa: S311  # no secret
    except ProtocolError:
        pass
    finally:
        ended = talk.calls.take_finished()
        talk.calls.fail_all("the end")
        ended += talk.calls.take_finished()
    assert sorted(call.stream for call in ended) == [call.stream for call in asked]
    assert all(call.status != OPEN for call in asked)


def frames_at_random() -> st.SearchStrategy[bytes]:
    """Frames of all types, on streams that are open and others, with content of little sense."""
    blocks = [hpack.Encoder().encode(list(fields)) for fields in (HEADERS, TRAILERS)]
    payload = st.one_of(st.binary(max_size=24), st.sampled_from([*blocks, b"\0\0\0\0\1x"]))
    parts = (st.integers(0, 11), st.integers(0, 63), st.integers(0, 8), payload)
    return st.builds(frame, *parts)


@settings(max_examples=300)
@given(st.lists(frames_at_random(), max_size=12))
def test_frames_without_sense_end_in_an_error_or_an_answer(said: list[bytes]) -> None:
    """Never in another exception, and never with a message that the server did not send."""
    talk = Talk()
    asked = talk.ask(b"1", b"3", b"5")
    try:
        for each in said:
            talk.calls.receive(each)
    except ProtocolError as refused:
        assert str(refused)  # noqa: PT017  # refused or taken
    assert all(call.body in {b"x", b""} for call in asked if call.status == OK)
