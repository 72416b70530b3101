"""The releases of etcd with bugs in leases, and how releases guard leases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Line: TypeAlias = tuple[int, int]
"""A release line, 3.5 for example."""


class Version(NamedTuple):
    """A release of etcd."""

    major: int
    minor: int
    patch: int

    @property
    def line(self) -> Line:
        """Return the release line that it belongs to."""
        return self.major, self.minor


OLDEST_LINE: Line = (3, 4)
"""lockdoctor is tested with this line and newer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseBug:
    """A bug of some releases of etcd in their leases."""

    fixed_in: Mapping[Line, int | None]
    """
    By line, the first patch release without it; None where the line was never fixed. Lines that are
    not named never had it.
    """
    source: str
    """The issue; outputs/text/selfcheck has what the bug does."""

    def is_in(self, version: Version) -> bool:
        """Return whether a release has the bug."""
        if version.line not in self.fixed_in:
            return False
        fixed = self.fixed_in[version.line]
        return fixed is None or version.patch < fixed


LEASE_BUGS = (
    LeaseBug(fixed_in={(3, 5): 3}, source="etcd issue 13766"),
    LeaseBug(fixed_in={(3, 4): 19, (3, 5): 5}, source="etcd issue 13172"),
    LeaseBug(fixed_in={(3, 4): 31, (3, 5): 13}, source="etcd issue 15247"),
    LeaseBug(fixed_in={(3, 4): 32, (3, 5): 14}, source="etcd issue 12381, PR 17642"),
    LeaseBug(fixed_in={(3, 4): 38, (3, 5): 23, (3, 6): 5}, source="etcd issue 14758, PR 20590"),
    LeaseBug(fixed_in={(3, 4): None}, source="etcd issue 12291"),
)
"""In the order of how much they matter. Source of the releases: the changelogs of etcd."""

_LEASES_NEED_A_USER = {(3, 4): 42, (3, 5): 28, (3, 6): 9}
"""From these patch releases on. Source: CVE-2026-33413."""


def parse_version(text: str) -> Version | None:
    """Return the version in etcd's text, 3.5.1 or 3.6.0-rc.1, or None."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?!\d)", text, re.ASCII)
    return Version(*map(int, found.groups())) if found else None


def bugs_in(version: Version) -> tuple[LeaseBug, ...]:
    """Return the bugs that a release has."""
    return tuple(bug for bug in LEASE_BUGS if bug.is_in(version))


def guards_leases(version: Version) -> bool:
    """Return whether only users who may read every key on a lease may list leases."""
    since = _LEASES_NEED_A_USER.get(version.line)
    return version.line > max(_LEASES_NEED_A_USER) if since is None else version.patch >= since
