"""The pattern language: which keys a pattern takes, and their parts."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.recipes.pattern import (
    LEASE,
    KeyPattern,
    PatternError,
    Placeholder,
    parse_pattern,
)

SEGMENT = st.binary(min_size=1, max_size=6).filter(lambda raw: b"/" not in raw)
VALUES = {
    "segment": SEGMENT,
    "path": st.binary(max_size=12),
    "hex": st.from_regex(rb"[0-9a-f]{1,12}", fullmatch=True),
    "dec": st.from_regex(rb"[0-9]{1,12}", fullmatch=True),
    "uuid": st.uuids().map(lambda found: str(found).encode()),
    "ns": st.integers(10**18, 10**19 - 1).map(lambda number: b"%d" % number),
    "read|write": st.sampled_from([b"read", b"write"]),
}
LITERAL = st.text(string.ascii_lowercase + ".-_@", max_size=4)


@st.composite
def patterns(draw: st.DrawFn) -> tuple[KeyPattern, dict[str, bytes]]:
    """A valid pattern, and a value for each of its placeholders."""
    parts: list[str] = []
    values: dict[str, bytes] = {}
    has_path = False
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from([*VALUES, "none"]))
        if kind == "none" or (kind == "path" and has_path):
            parts.append(draw(LITERAL))
            continue
        has_path |= kind == "path"
        name = f"p{number}"
        values[name] = draw(VALUES[kind])
        parts.append(f"{draw(LITERAL)}{{{name}:{kind}}}{draw(LITERAL)}")
    return parse_pattern("/" + "/".join(parts)), values


@given(patterns())
def test_a_key_made_from_a_pattern_has_the_same_parts(
    made: tuple[KeyPattern, dict[str, bytes]],
) -> None:
    """Whatever the bytes of the parts: a key can be split in one way only."""
    pattern, values = made
    found = pattern.split(pattern.render(values))

    assert found is not None
    assert found.groupdict() == values


@given(patterns(), st.binary(max_size=30))
def test_parts_that_are_found_make_the_same_key(
    made: tuple[KeyPattern, dict[str, bytes]], key: bytes
) -> None:
    """No key is taken for another one, and no bytes crash."""
    found = made[0].split(key)

    assert found is None or made[0].render(found.groupdict()) == key


@given(st.text(alphabet="{}/:|abc lock\n\x00é", max_size=20))
def test_any_text_is_a_pattern_or_a_clear_error(text: str) -> None:
    """Nothing but a PatternError is raised."""
    with contextlib.suppress(PatternError):
        parse_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "key", "parts"),
    [
        ("/jobs/{lock}/{lease:hex}", b"/jobs/a/7f", {"lock": b"a", "lease": b"7f"}),
        ("/jobs/{lock}/{lease}", b"/jobs/a/-7", {"lock": b"a", "lease": b"-7"}),
        ("{lock:path}/{lease:dec}", b"/a//b/70", {"lock": b"/a//b", "lease": b"70"}),
        ("{lock:path}/{lease:hex}", b"/7", {"lock": b"", "lease": b"7"}),
        ("/a/{rest}", b"/a/", {"rest": b""}),
        ("/a/{rest}", b"/a/b\n/c", {"rest": b"b\n/c"}),
        ("/a.b/{n}", b"/a.b/\xff", {"n": b"\xff"}),
        ("/{m:read|write}/x", b"/read/x", {"m": b"read"}),
    ],
)
def test_keys_are_split(pattern: str, key: bytes, parts: dict[str, bytes]) -> None:
    """Text stands for itself; a placeholder takes what its type allows."""
    found = parse_pattern(pattern).split(key)

    assert found is not None
    assert found.groupdict() == parts


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ("/jobs/{lock}/{lease:hex}", b"/jobs/a/b/7f"),
        ("/jobs/{lock}", b"/jobs/"),
        ("/jobs/{lock}", b"/jobs/a\x00/"),
        ("/jobs/{lock}", b"x/jobs/a"),
        ("/a.b/{n}", b"/axb/1"),
        ("/{m:read|write}/x", b"/reading/x"),
        ("/{n:dec}", "/٣".encode()),
        ("/{lock}/{lease:dec}", b"/a/070"),
    ],
)
def test_other_keys_are_left(pattern: str, key: bytes) -> None:
    """The pattern is for the whole key."""
    assert parse_pattern(pattern).split(key) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "it is empty. Write the whole key, such as /jobs/{lock}/{lease:hex}"),
        ("/a/{lock", "it has a single brace. A placeholder is {name} or {name:type}"),
        ("/a/{{lock}}", "it has a single brace. A placeholder is {name} or {name:type}"),
        (
            "/a/{}",
            "{} has no valid name. Use small letters, digits and _, such as {lock}",
        ),
        (
            "/a/{Lock}",
            "{Lock} has no valid name. Use small letters, digits and _, such as {lock}",
        ),
        (
            "/a/{lock:int}",
            (
                "{lock:int} has the unknown type 'int'. Use one of segment, path, hex, dec, uuid,"
                " ns, or words with | between them"
            ),
        ),
        (
            "/a/{lease:uuid}",
            "{lease:uuid} has the type uuid. A lease is {lease:hex} or {lease:dec}",
        ),
        ("/{a}/{a}", "{a} is there twice. Give each placeholder its own name"),
        (
            "{a:path}/{b:path}",
            "{a} and {b} can both have slashes. Only one placeholder may be a path",
        ),
        ("/{rest}/x", "{rest} is not at the end. Use {name:path} elsewhere"),
        (
            "/{a}-{b}",
            (
                "{a} and {b} have no / between them, so a key could be split in two ways. Put a /"
                " between them"
            ),
        ),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, reason: str) -> None:
    """The reason says what to write instead."""
    with pytest.raises(PatternError) as error:
        parse_pattern(pattern)

    assert str(error.value) == reason


def test_the_lease_is_hexadecimal_unless_said_otherwise() -> None:
    """Go's clients write it so."""
    assert parse_pattern("/{lock}/{lease}").placeholder(LEASE) == Placeholder(LEASE, "hex")
