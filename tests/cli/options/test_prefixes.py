"""Which prefixes are examined."""

from __future__ import annotations

import os

import pytest

from lockdoctor.cli.options.prefixes import TargetFlags, prefixes
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Rule
from lockdoctor.errors import ConfigError

RULES = (Rule(b"/a/", {}), Rule(b"", {}), Rule(b"/i/", {"kind": Kind.IGNORE}), Rule(b"\xff", {}))


def test_prefixes_are_bytes_in_the_order_given() -> None:
    """Text is taken as its UTF-8 bytes, hexadecimal digits as what they stand for."""
    flags = TargetFlags(prefix=["/é/", "/a"], prefix_hex=["FF00", "2f 62"])

    assert prefixes(flags, ()) == ("/é/".encode(), b"/a", b"\xff\x00", b"/b")


def test_raw_bytes_of_the_command_line_pass() -> None:
    """Bytes that are no text reach etcd as they were typed."""
    assert prefixes(TargetFlags(prefix=[os.fsdecode(b"/\xff")]), ()) == (b"/\xff",)


def test_a_prefix_inside_another_adds_nothing() -> None:
    """A key is examined once, however many of the prefixes it has."""
    assert prefixes(TargetFlags(prefix=["/a/b", "/c", "/a", "/a"]), ()) == (b"/c", b"/a")


def test_all_keys_is_the_empty_prefix() -> None:
    """--all-keys examines every key."""
    assert prefixes(TargetFlags(all_keys=True), RULES) == (b"",)


def test_flags_leave_the_file_out() -> None:
    """With a prefix on the command line those of the file are not examined."""
    assert prefixes(TargetFlags(prefix=["/x"]), RULES) == (b"/x",)


def test_without_flags_the_file_decides() -> None:
    """The file's prefixes are examined, except those to ignore and the rule for all others."""
    assert prefixes(TargetFlags(), RULES) == (b"/a/", b"\xff")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (TargetFlags(), "Say which keys to examine, for example --prefix /my-lock/"),
        (
            TargetFlags(prefix=[""]),
            "An empty --prefix would be every key; if that is meant, use --all-keys",
        ),
        (
            TargetFlags(prefix_hex=[""]),
            "An empty --prefix would be every key; if that is meant, use --all-keys",
        ),
        (
            TargetFlags(prefix=["/a"], all_keys=True),
            "--all-keys leaves nothing for a --prefix to add; give one of them",
        ),
        (
            TargetFlags(prefix_hex=["2f6"]),
            "--prefix-hex '2f6' is not hexadecimal digits in pairs, like 2f6d79",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(flags: TargetFlags, complaint: str) -> None:
    """Everything is examined only when asked for in so many words."""
    with pytest.raises(ConfigError) as refused:
        prefixes(flags, (Rule(b"", {}),))

    assert str(refused.value) == complaint
