"""The chart of the TTL that was left."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.inference.ttl_timeline import TtlSegment
from lockdoctor.outputs.table.parts.ttl_chart import HEIGHT, LABEL_WIDTH, Chart


def a_chart(*teeth: TtlSegment, **fields: Any) -> Chart:
    return Chart(**{"teeth": teeth, "granted_ttl_s": 60, "since": 0.0, "until": 60.0, **fields})


def drawn(chart: Chart, width: int) -> str:
    return "\n".join(chart.lines(width))


def test_what_is_known_is_drawn_and_the_rest_stays_empty() -> None:
    """A tooth falls from the granted TTL; where nothing is known, nothing stands."""
    assert drawn(a_chart(TtlSegment(0.0, 30.0, 60.0), leader_changes=(40.0,)), 40) == (
        "    60 s ┤█▆▅▃▂\n"
        "         ┤██████▆▅▃▂\n"
        "         ┤███████████▆▅▃▂\n"
        "         ┤████████████████\n"
        "         ┤████████████████\n"
        "         ┤████████████████\n"
        "     0 s └──────────────────────────────\n"
        "                              ^\n"
        "          60 s ago                   now"
    )


def test_a_tooth_of_long_ago_is_one_column() -> None:
    """However short beside the time that is drawn, it is seen."""
    text = drawn(a_chart(TtlSegment(50_000.0, 50_001.0, 50_060.0), until=86_400.0), 80)

    assert text.count("█") == HEIGHT
    assert "24 h ago" in text or "1 day ago" in text


def test_what_was_overdue_or_promoted_stays_within_the_chart() -> None:
    """Less than nothing is drawn as the least, more than was granted as all."""
    overdue = drawn(a_chart(TtlSegment(0.0, 60.0, -5.0)), 40)
    promoted = drawn(a_chart(TtlSegment(0.0, 1.0, 70.0)), 40)

    assert "▁" in overdue
    assert "█" in promoted


@given(
    teeth=st.lists(
        st.builds(TtlSegment, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-2e3, 2e3)),
        max_size=5,
    ),
    width=st.integers(1, 200),
)
def test_every_line_fits(teeth: list[TtlSegment], width: int) -> None:
    """Whatever is drawn, no line is wider than was asked for, or than the least there is."""
    for line in a_chart(*teeth).lines(width):
        assert len(line) <= max(width, LABEL_WIDTH + 2 + 20)
