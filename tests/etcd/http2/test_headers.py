"""Header blocks: short ones of requests, and what those of answers mean."""

from __future__ import annotations

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.etcd.http2.frames import ProtocolError
from lockdoctor.etcd.http2.headers import HeaderDecoder, HeaderEncoder

FIELDS = (
    (":method", "POST"),
    (":path", "/etcdserverpb.Lease/LeaseTimeToLive"),
    ("content-type", "application/grpc"),
    ("token", "secret.17"),
)

TEXT = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
BLOCKS = st.lists(
    st.tuples(
        st.sampled_from([None, 0, 60, 4096]),
        st.lists(st.tuples(st.sampled_from(["grpc-message", "x-a", "x-b"]), TEXT), max_size=4),
    ),
    max_size=12,
)
"""Blocks, before some of which the server makes its table larger or smaller."""


def decoded(server: hpack.Decoder, block: bytes) -> tuple[tuple[str, str], ...]:
    """What a server makes of a block."""
    return tuple((str(name), str(value)) for name, value in server.decode(block))


def test_the_second_request_needs_a_byte_for_each_field() -> None:
    """All later ones are the same bytes, and mean the same."""
    headers, server = HeaderEncoder(), hpack.Decoder()

    blocks = [headers.block(FIELDS) for _ in range(5)]

    assert [decoded(server, block) for block in blocks] == [FIELDS] * 5
    assert [len(block) for block in blocks[1:]] == [len(FIELDS)] * 4
    assert len(set(blocks[1:])) == 1


def test_a_new_token_comes_through() -> None:
    """Where headers change and change back, each block means what was to be said."""
    headers, server = HeaderEncoder(), hpack.Decoder()
    other = (*FIELDS[:-1], ("token", "other.18"))

    for fields in (FIELDS, FIELDS, other, other, FIELDS, other, FIELDS, FIELDS):
        assert decoded(server, headers.block(fields)) == fields


@pytest.mark.parametrize("size", [0, 40, 200])
def test_a_server_that_remembers_less(size: int) -> None:
    """The table shrinks before the next block, and what does not fit is spelled out."""
    headers, server = HeaderEncoder(), hpack.Decoder()
    server.decode(headers.block(FIELDS))
    headers.limit_table(size)
    server.max_allowed_table_size = size

    for _ in range(4):
        assert decoded(server, headers.block(FIELDS)) == FIELDS


def test_a_token_longer_than_the_table() -> None:
    """A large JWT is sent every time."""
    headers, server = HeaderEncoder(), hpack.Decoder()
    fields = (*FIELDS[:-1], ("token", "j" * 5000))
    for _ in range(3):
        assert decoded(server, headers.block(fields)) == fields


@given(BLOCKS)
def test_blocks_mean_what_they_say_whether_remembered_or_not(
    blocks: list[tuple[int | None, list[tuple[str, str]]]],
) -> None:
    """A server may use its table as it likes, or not at all: each block means the same to hpack."""
    server, plain, ours = hpack.Encoder(), hpack.Decoder(), HeaderDecoder()
    for size, fields in [(0, []), *blocks]:
        if size is not None:
            server.header_table_size = size
        for _ in range(2):
            block = server.encode(fields)
            expected = dict(decoded(plain, block)).get("grpc-message", "")
            head = ours.head(block)
            assert head.grpc_message == expected
            assert head.block in {None, block}
            assert head.block is None or plain.header_table_size == 0


def test_a_message_is_percent_decoded() -> None:
    """As gRPC writes what is not printable ASCII; what makes no sense is kept."""
    block = hpack.Encoder().encode([("grpc-status", "7"), ("grpc-message", "n%C3%B6 %zz%ff")])
    head = HeaderDecoder().head(block)
    assert (head.grpc_status, head.grpc_message) == (7, "nö %zz�")


@pytest.mark.parametrize("status", ["", "x", "-1", "1234", "٣"])
def test_a_status_that_is_no_number(status: str) -> None:
    """It is not taken for one."""
    with pytest.raises(ProtocolError):
        HeaderDecoder().head(hpack.Encoder().encode([("grpc-status", status)]))


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_are_decoded_or_refused(blocks: list[bytes]) -> None:
    """Nothing else is raised."""
    headers = HeaderDecoder()
    try:
        for block in blocks:
            headers.head(block)
    except ProtocolError as refused:
        assert str(refused)  # noqa: PT017  # refused or decoded
