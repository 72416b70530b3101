"""Which prefixes are examined."""

from __future__ import annotations

import os

import pytest

from lockdoctor.cli.options.prefixes import PrefixFlags, prefixes
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Rule
from lockdoctor.errors import ConfigError

RULES = (Rule(b"/a/", {}), Rule(b"", {}), Rule(b"/i/", {"kind": Kind.IGNORE}), Rule(b"\xff", {}))


def test_prefixes_are_bytes_in_the_order_given() -> None:
    """Text is taken as its UTF-8 bytes, hexadecimal digits as what they stand for."""
    flags = PrefixFlags(prefix=["/é/", "/a"], prefix_hex=["FF00", "2f 62"])

    assert prefixes(flags, ()) == ("/é/".encode(), b"/a", b"\xff\x00", b"/b")


def test_raw_bytes_of_the_command_line_pass() -> None:
    """Bytes that are no text reach etcd as they were typed."""
    assert prefixes(PrefixFlags(prefix=[os.fsdecode(b"/\xff")]), ()) == (b"/\xff",)


def test_a_prefix_inside_another_adds_nothing() -> None:
    """A key is examined once, however many of the prefixes it has."""
    assert prefixes(PrefixFlags(prefix=["/a/b", "/c", "/a", "/a"]), ()) == (b"/c", b"/a")


def test_all_keys_is_the_empty_prefix() -> None:
    """--all-keys examines every key."""
    assert prefixes(PrefixFlags(all_keys=True), RULES) == (b"",)


def test_flags_leave_the_file_out() -> None:
    """With a prefix on the command line those of the file are not examined."""
    assert prefixes(PrefixFlags(prefix=["/x"]), RULES) == (b"/x",)


def test_without_flags_the_file_decides() -> None:
    """The file's prefixes are examined, except those to ignore and the rule for all others."""
    assert prefixes(PrefixFlags(), RULES) == (b"/a/", b"\xff")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (
            PrefixFlags(),
            "No prefix given. Add `--prefix /my-lock/`, or list prefixes in lockdoctor.toml.",
        ),
        (
            PrefixFlags(prefix=[""]),
            "An empty --prefix selects every key. If you want that, use --all-keys.",
        ),
        (
            PrefixFlags(prefix_hex=[""]),
            "An empty --prefix selects every key. If you want that, use --all-keys.",
        ),
        (
            PrefixFlags(prefix=["/a"], all_keys=True),
            "--all-keys and --prefix exclude each other. Give one of them.",
        ),
        (
            PrefixFlags(prefix_hex=["2f6"]),
            "--prefix-hex '2f6' is not pairs of hexadecimal digits. Write it like 2f6d79.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(flags: PrefixFlags, complaint: str) -> None:
    """Everything is examined only when asked for in so many words."""
    with pytest.raises(ConfigError) as refused:
        prefixes(flags, (Rule(b"", {}),))

    assert str(refused.value) == complaint
