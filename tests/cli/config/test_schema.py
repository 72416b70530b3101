"""Lines of things in a TOML text."""

from __future__ import annotations

import pytest

from lockdoctor.cli.config.schema import line_of

TEXT = '''\
# a comment with max_hold = "1s" in it
[connection]
endpoints = [
  "a:1",   # "pile_up" = 9

  "b:2",
]
user = """
[[prefix]]
"""

[[prefix]]
prefix = "/a/"
max_hold = "1s"

[[prefix]]
"max_hold" = "2s"
'''

NESTED = """\
clusters.one.user = "a"
clusters.two = { user = "b", cert = "c" }

[clusters . "three four"]
user = "d"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("connection",), 2),
        (("connection", "endpoints"), 3),
        (("connection", "endpoints", 1), 3),
        (("connection", "user"), 8),
        (("prefix",), 12),
        (("prefix", 0, "prefix"), 13),
        (("prefix", 0, "max_hold"), 14),
        (("prefix", 1), 16),
        (("prefix", 1, "max_hold"), 17),
    ],
)
def test_line_of_a_key(path: tuple[str | int, ...], line: int) -> None:
    """A key's line is found whatever comments, lists and texts over several lines say around it."""
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("clusters", "one", "user"), 1),
        (("clusters", "two"), 2),
        (("clusters", "two", "cert"), 2),
        (("clusters", "three four"), 4),
        (("clusters", "three four", "user"), 5),
    ],
)
def test_line_of_a_nested_key(path: tuple[str | int, ...], line: int) -> None:
    """Dotted keys, inline tables and quoted names are TOML as well."""
    assert line_of(NESTED, path) == line


def test_last_line_without_newline() -> None:
    """A text may end without a newline."""
    assert line_of("a = 1\nb = 2", ("b",)) == 2
