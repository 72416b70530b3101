"""The range syntax of monitoring plugins."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.check.ranges import parse_range

NUMBERS = st.integers(-1000, 1000) | st.decimals(-1000, 1000, places=2)


@pytest.mark.parametrize(
    ("text", "alarming", "fine"),
    [
        ("10", (-0.1, 10.1, 11), (0, 5, 10)),
        ("0", (1, -1), (0,)),
        (":10", (-1, 11), (0, 10)),
        ("10:", (-5, 0, 9.9), (10, 1e9)),
        ("~:10", (10.1, 1e9), (-1e9, 0, 10)),
        ("10:20", (9.9, 20.1), (10, 15, 20)),
        ("@10:20", (10, 15, 20), (9.9, 20.1)),
        ("@0", (0,), (-1, 1)),
        ("-5:-1.5", (-6, -1, 0), (-5, -2, -1.5)),
        ("~:", (), (-1e9, 0, 1e9)),
        (".5:1.", (0.4, 1.1), (0.5, 1)),
    ],
)
def test_examples(text: str, alarming: tuple[float, ...], fine: tuple[float, ...]) -> None:
    """Each form alarms where the guidelines say so, at its very ends as well."""
    found = parse_range(text)

    assert [value for value in alarming if not found.alarms(value)] == []
    assert [value for value in fine if found.alarms(value)] == []
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    ["", ":", "@", "@:", "ten", "10:x", "~", "~10", "1:2:3", "1e3", "inf", "nan", "10 ", "+1", "٣"],
)
def test_what_is_no_range(text: str) -> None:
    """A text that is no range is quoted in the error, with examples of what is."""
    with pytest.raises(ValueError, match="is not a range; write 10, 10:") as error:
        parse_range(text)

    assert repr(text) in str(error.value)


def test_ends_the_wrong_way_round() -> None:
    """A range that ends before it begins would alarm always, which nobody means."""
    with pytest.raises(ValueError, match="'20:10' ends before it begins"):
        parse_range("20:10")


@given(NUMBERS, NUMBERS, NUMBERS)
def test_at_is_the_opposite(one: float, other: float, value: float) -> None:
    """An @ turns every answer round."""
    text = f"{min(one, other)}:{max(one, other)}"

    assert parse_range(text).alarms(float(value)) is not parse_range(f"@{text}").alarms(
        float(value)
    )


@given(st.integers(0, 1000), st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_alone_begins_at_zero(end: int, value: float) -> None:
    """N is 0:N is :N."""
    answers = {parse_range(text).alarms(value) for text in (f"{end}", f"0:{end}", f":{end}")}

    assert answers == {not 0 <= value <= end}


@given(st.text(max_size=12))
def test_every_text_is_read_or_refused(text: str) -> None:
    """Whatever is written is a range or one sentence; a range never has ends that cross."""
    try:
        found = parse_range(text)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017  # most texts are refused, some are not
    else:
        assert found.low <= found.high
        assert not math.isnan(found.low)
