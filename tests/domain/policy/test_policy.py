"""Which limits apply to a key, and how durations are read."""

from __future__ import annotations

import pytest

from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.durations import parse_duration
from lockdoctor.domain.policy.policy import Limits, Policy, Rule, Thresholds


def a_policy(*rules: tuple[bytes, Limits], **overrides: object) -> Policy:
    return Policy(
        rules=tuple(Rule(prefix, limits) for prefix, limits in rules),
        overrides=Limits(**overrides),  # type: ignore[typeddict-item]  # names pass through
    )


def test_without_rules_the_defaults_apply() -> None:
    """A key that nobody has written a rule for gets the documented defaults."""
    thresholds = Policy().thresholds_for(b"/any")

    assert thresholds == Thresholds()
    assert thresholds.max_hold_s is None


def test_longest_prefix_wins_whatever_the_order() -> None:
    """The rule with the longest matching prefix applies, wherever it stands in the file."""
    policy = a_policy(
        (b"/a/", Limits(max_hold_s=1)),
        (b"/a/b/", Limits(max_hold_s=2)),
        (b"", Limits(max_hold_s=3)),
    )

    assert policy.thresholds_for(b"/a/x").max_hold_s == 1
    assert policy.thresholds_for(b"/a/b/x").max_hold_s == 2
    assert policy.thresholds_for(b"/z").max_hold_s == 3


def test_rules_for_shorter_prefixes_add_nothing() -> None:
    """What a rule leaves out falls back to the default, not to an outer rule."""
    policy = a_policy((b"/a/", Limits(max_wait_s=7)), (b"/a/b/", Limits(kind=Kind.ELECTION)))

    assert policy.thresholds_for(b"/a/b/x") == Thresholds(kind=Kind.ELECTION)


def test_lock_name_matches_the_rule_for_its_keys() -> None:
    """The lock `/a/b`, whose keys lie below `/a/b/`, falls under the rule for `/a/b/`."""
    policy = a_policy((b"/a/b/", Limits(pile_up=9)))

    assert policy.thresholds_for(b"/a/b").pile_up == 9
    assert policy.thresholds_for(b"/a/bc").pile_up == Thresholds().pile_up


def test_overrides_beat_every_rule() -> None:
    """A flag changes its own limit under every prefix and leaves the others alone."""
    policy = a_policy((b"/a/", Limits(max_hold_s=1, max_wait_s=2)), max_hold_s=99.0)

    assert policy.thresholds_for(b"/a/x") == Thresholds(max_hold_s=99, max_wait_s=2)
    assert policy.thresholds_for(b"/z") == Thresholds(max_hold_s=99)


def test_prefixes_are_bytes() -> None:
    """A prefix that is no text matches byte by byte."""
    policy = a_policy((b"\xff\x00", Limits(pile_up=2)))

    assert policy.thresholds_for(b"\xff\x00\x01").pile_up == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1m0.5s", 60.5),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("3ns", 3e-9),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    """What etcdctl takes as a duration is read the same, and days besides."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("5", "'5' has no unit; write 5s for seconds, 5m for minutes"),
        ("1.5", "'1.5' has no unit; write 1.5s for seconds, 1.5m for minutes"),
        ("-5s", "'-5s' is negative; write a duration like 90s"),
        ("", "'' is not a duration; write 90s, 5m, 1h30m or 2d"),
        ("5 minutes", "'5 minutes' is not a duration; write 90s, 5m, 1h30m or 2d"),
        ("1h30", "'1h30' is not a duration; write 90s, 5m, 1h30m or 2d"),
        ("٣s", "'٣s' is not a duration; write 90s, 5m, 1h30m or 2d"),
        ("s", "'s' is not a duration; write 90s, 5m, 1h30m or 2d"),
        ("9" * 400 + "s", "'99999999999999999999...' is too long; write a shorter duration"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, complaint: str) -> None:
    """A bare number, a negative one and anything else are refused, saying what to write."""
    with pytest.raises(ValueError, match=r".") as refused:
        parse_duration(text)

    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    ("limits", "stated_s", "limit_s"),
    [
        ({}, None, 300.0),
        ({"max_wait_s": 9.0}, None, 300.0),
        ({"max_hold_s": 7200.0}, 7200.0, 7200.0),
        ({"critical_hold_s": 60.0}, 60.0, 60.0),
        ({"max_hold_s": 5.0, "critical_hold_s": 60.0}, 5.0, 5.0),
    ],
)
def test_only_a_limit_that_is_stated_is_one(
    limits: Limits, stated_s: float | None, limit_s: float
) -> None:
    """A rule and a flag state one alike; five minutes are a long hold, and no limit."""
    for policy in (Policy(rules=(Rule(b"/a/", limits),)), Policy(overrides=limits)):
        found = policy.thresholds_for(b"/a/x")

        assert (found.stated_limit_s, found.limit_s) == (stated_s, limit_s)
