"""Which releases have which bugs."""

from __future__ import annotations

import pytest

from lockdoctor.domain.selfcheck.etcd_versions import (
    LEASE_BUGS,
    Version,
    bugs_in,
    guards_leases,
    parse_version,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.5.1", (3, 5, 1)),
        ("3.6.0-rc.1", (3, 6, 0)),
        ("3.4.23+git", (3, 4, 23)),
        ("3.5", None),
        ("", None),
        ("not decided", None),
        ("3.5." + "9" * 40, None),
    ],
)
def test_versions_are_read_as_etcd_tells_them(
    text: str, version: tuple[int, int, int] | None
) -> None:
    """What is no version is none, however long."""
    assert parse_version(text) == version


def test_a_bug_ends_with_the_release_that_mends_it() -> None:
    """The release before has it, that one and later ones do not."""
    for bug in LEASE_BUGS:
        for (major, minor), patch in bug.fixed_in.items():
            if patch is None:
                assert bug.is_in(Version(major, minor, 999))
                continue
            assert bug.is_in(Version(major, minor, patch - 1))
            assert not bug.is_in(Version(major, minor, patch))


def test_current_releases_have_none() -> None:
    """Nothing is said of a release that is all right; every line before has something."""
    assert bugs_in(Version(3, 6, 16)) == ()
    assert bugs_in(Version(3, 7, 0)) == ()
    assert len(bugs_in(Version(3, 5, 1))) == 5
    assert [bug.source for bug in bugs_in(Version(3, 4, 99))] == ["etcd issue 12291"]


@pytest.mark.parametrize(
    ("version", "guards"),
    [
        (Version(3, 4, 41), False),
        (Version(3, 4, 42), True),
        (Version(3, 5, 28), True),
        (Version(3, 6, 8), False),
        (Version(3, 7, 0), True),
        (Version(3, 3, 27), False),
    ],
)
def test_when_leases_came_to_be_guarded(version: Version, guards: bool) -> None:  # noqa: FBT001
    """In each line from one patch release on; in newer lines always, in older ones never."""
    assert guards_leases(version) is guards
