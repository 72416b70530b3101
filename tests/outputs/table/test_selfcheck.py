"""The self-check as people and programs read it."""

from __future__ import annotations

import io
import json
from typing import Any

from lockdoctor.domain.selfcheck.rules import (
    MemberFacts,
    Permission,
    SelfCheck,
    SelfCheckFacts,
    judge,
)
from lockdoctor.outputs.json.selfcheck import write_json
from lockdoctor.outputs.table.selfcheck import selfcheck_parts
from lockdoctor.outputs.text.suggested_commands import role_commands
from tests.factories.pages import page
from tests.factories.reports import NOON

MEMBER = MemberFacts(
    endpoint="10.0.0.5:2379",
    cluster_id=1,
    member_id=7,
    leader_id=7,
    raft_term=2,
    version="3.6.16",
    answered_in_s=0.002,
)
EVIL = "no \x1b[31m[red]\n| leases"


def a_check(*permissions: Permission, **fields: Any) -> SelfCheck:
    return judge(SelfCheckFacts(now=NOON, members=(MEMBER,), permissions=permissions, **fields))


def table(found: SelfCheck, *prefixes: bytes) -> str:
    return page(selfcheck_parts(found, prefixes))


def test_the_first_line_says_that_all_is_well_or_what_is_not() -> None:
    """A tired person needs no other."""
    fine = Permission(what="read the keys", prefix=b"/my-lock/")
    denied = Permission(what="read the keys", prefix=b"/my-lock/", refusal="not permitted")

    assert table(a_check(fine)).startswith("Everything that a scan needs works\n")
    assert table(a_check(denied)).startswith("1 problem: keys below /my-lock/: not permitted\n")


def test_what_a_server_says_is_escaped() -> None:
    """In both forms."""
    found = a_check(Permission(what="list the leases", refusal=EVIL))
    out = io.StringIO()
    write_json(found, (), out)

    assert "\x1b" not in table(found)
    assert "[red]" in table(found)
    assert json.loads(out.getvalue())["remarks"][1]["text"] == r"no \x1b[31m[red]\n| leases"


def test_a_prefix_that_no_command_line_can_carry_is_said() -> None:
    """NUL cannot be typed; every other byte can."""
    commands = role_commands([b"a\0b", b"c\xff"])

    assert commands[1].startswith(r"# a\x00b: no command line")
    assert r"$'c\377'" in commands[2]


def test_every_key_is_an_empty_prefix() -> None:
    """As etcdctl takes it."""
    assert role_commands([b""])[1].endswith("read --prefix -- ''")
