"""Frames out of a stream of bytes, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.frames import Frame, FrameReader, ProtocolError, frame

FRAMES = st.tuples(
    st.integers(0, 255), st.integers(0, 255), st.integers(0, h2.MAX_NUMBER), st.binary(max_size=40)
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut bytes into chunks of these sizes, and what is left."""
    chunks = []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    return [*chunks, data]


def read(reader: FrameReader, chunk: bytes) -> list[Frame]:
    """Read all frames that are whole after a chunk."""
    reader.feed(chunk)
    return list(iter(reader.next, None))


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 30), max_size=20))
def test_frames_come_out_as_they_went_in(frames: list[Frame], sizes: list[int]) -> None:
    """However the bytes are cut into chunks."""
    stream = b"".join(frame(*each) for each in frames)
    reader = FrameReader()

    found = [each for chunk in cut(stream, sizes) for each in read(reader, chunk)]

    assert found == frames


def test_a_reserved_bit_is_no_part_of_the_stream() -> None:
    """RFC 9113, 4.1: it is to be ignored."""
    reader = FrameReader()
    assert read(reader, frame(h2.PING, 0, 5 | 1 << 31, b"")) == [(h2.PING, 0, 5, b"")]


def test_a_frame_that_is_longer_than_allowed() -> None:
    """It is refused before its bytes are waited for."""
    with pytest.raises(ProtocolError, match="a frame of 16385 bytes"):
        read(FrameReader(), frame(h2.DATA, 0, 1, b"x" * 16385)[:9])


@given(st.binary(max_size=20), st.integers(0, 255), st.binary(max_size=20))
def test_padding_is_taken_off(content: bytes, padding: int, priority: bytes) -> None:
    """And the priority of headers, wherever both stand."""
    padded = bytes([padding]) + content + b"\0" * padding
    assert h2.content_of(h2.DATA, h2.PADDED, padded) == content
    prioritised = bytes([padding]) + priority[:5].ljust(5, b"p") + content + b"\0" * padding
    assert h2.content_of(h2.HEADERS, h2.PADDED | h2.PRIORITIZED, prioritised) == content
    assert h2.content_of(h2.DATA, 0, content) == content


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x05abcd"])
def test_padding_that_is_longer_than_its_frame(payload: bytes) -> None:
    """It cannot be meant so."""
    with pytest.raises(ProtocolError):
        h2.content_of(h2.HEADERS, h2.PADDED | h2.PRIORITIZED, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"\0\0\0",
        h2.SETTING.pack(h2.INITIAL_WINDOW_SIZE, 1 << 31),
        h2.SETTING.pack(h2.MAX_FRAME_SIZE, 16383),
        h2.SETTING.pack(h2.MAX_FRAME_SIZE, 1 << 24),
    ],
)
def test_settings_that_may_not_be(payload: bytes) -> None:
    """Broken off, or out of range."""
    with pytest.raises(ProtocolError):
        h2.settings_of(payload)


@pytest.mark.parametrize(
    "read_content",
    [
        h2.settings_of,
        h2.number_of,
        lambda content: h2.content_of(h2.HEADERS, len(content) * 8, content),
        lambda content: h2.content_of(h2.DATA, h2.PADDED, content),
    ],
)
@given(payload=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(
    read_content: Callable[[bytes], object], payload: bytes
) -> None:
    """Nothing else is raised by what reads the content of frames."""
    try:
        read_content(payload)
    except ProtocolError as refused:
        assert str(refused)  # noqa: PT017  # refused or read
