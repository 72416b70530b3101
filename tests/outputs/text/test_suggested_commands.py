"""The commands that a report offers, and that a shell reads them as meant."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import subprocess

import pytest

from lockdoctor.cli import main
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.locks import Basis, Kind, Recipe
from lockdoctor.domain.report.findings import Finding
from lockdoctor.outputs.text.suggested_commands import shell_word, steps
from tests.factories.report_examples import HOSTILE, a_deadlock, an_eternal_lock, leaked_sessions
from tests.factories.reports import HOLDER, a_finding, a_key, a_lock, a_lock_report, a_verdict

LOOK = "etcdctl lease timetolive --keys 32698f1c0a1b2c3d"


def _lines(finding: Finding) -> list[str]:
    return [line for step in steps(finding) for line in step.lines]


REVOKE = "lockdoctor revoke --prefix /my-lock/"


def test_a_leak_is_looked_at_and_then_ended() -> None:
    """The treatment comes second; what made the verdict goes with it."""
    leak = a_lock_report()
    limited = dataclasses.replace(leak, max_hold_s=90.0)
    suspected = a_lock_report(None, a_verdict(VerdictKind.SUSPECTED_LEAK))

    assert _lines(a_finding(leak)) == [LOOK, f"{REVOKE} 32698f1c0a1b2c3d"]
    assert _lines(a_finding(limited))[1] == f"{REVOKE} --max-hold 90s 32698f1c0a1b2c3d"
    assert _lines(a_finding(suspected))[1] == f"{REVOKE} --verdict suspected-leak 32698f1c0a1b2c3d"
    assert "plan, then" in steps(a_finding(leak))[1].purpose


def test_a_key_without_a_lease_is_named_by_its_key() -> None:
    """There is no lease to revoke; a key that begins with a dash is no flag."""
    assert _lines(a_finding(an_eternal_lock(b"-it's"))) == [
        """etcdctl get -w json -- '-it'"'"'s'""",
        f"""{REVOKE} --verdict eternal-lock --lock-key '-it'"'"'s'""",
    ]


def test_a_key_that_no_shell_can_carry_is_written_in_hexadecimal() -> None:
    """NUL ends an argument, so a shortened key would be deleted instead."""
    assert _lines(a_finding(an_eternal_lock(b"a\x00b"))) == [
        f"{REVOKE} --verdict eternal-lock --lock-key-hex 610062"
    ]


def test_nothing_is_offered_that_deletes_what_may_be_data() -> None:
    """Whatever was found of it: one looks at it, and no more."""
    bare = a_key(b"data", lease_id=0)
    for key in (bare, a_key(b"data")):
        own = a_lock(b"data", holder=key, kind=Kind.UNKNOWN, recipe=Recipe.LEASED_KEY)
        blocked = a_lock(b"x", holder=key, foreign_holder=True, foreign_kind=Kind.REGISTRATION)
        for lock in (own, blocked):
            for kind in VerdictKind:
                report = a_lock_report(lock, a_verdict(kind, lock=lock))
                (line,) = _lines(a_finding(report))

                look = (
                    "etcdctl get -w json --" if key is bare else "etcdctl lease timetolive --keys"
                )
                assert line.startswith(look)


def test_a_kind_that_was_stated_is_stated_again() -> None:
    """Or the plan would not know the key as a lock's."""
    lock = a_lock(b"x", holder=a_key(b"x"), recipe=Recipe.SINGLE_KEY, basis=Basis.POLICY)

    assert _lines(a_finding(a_lock_report(lock, a_verdict(lock=lock))))[-1] == (
        f"{REVOKE} --kind lock {HOLDER:016x}"
    )


@pytest.mark.parametrize("prefix", [b"", b"/a b/", b"-x", b"a\x00", b"\xff"])
def test_lockdoctor_takes_what_is_offered(prefix: bytes) -> None:
    """Its own parser knows every option, and reads the same bytes again."""
    for lock in (a_lock_report(prefix=prefix), an_eternal_lock(b"-it's"), an_eternal_lock(b"\x00")):
        *_, line = _lines(a_finding(lock))
        if "$'" not in line:  # what only a shell takes apart
            assert callable(main._parse(shlex.split(line)[1:]))


@pytest.mark.parametrize(
    "kind", [VerdictKind.BLOCKED_QUEUE, VerdictKind.LATE_RENEWAL, VerdictKind.LONG_TTL]
)
def test_nobody_at_work_is_revoked(kind: VerdictKind) -> None:
    """Where the holder may be at work, or a waiter is meant, one only looks at the holder."""
    lock = a_lock(waiters=1)
    verdict = a_verdict(
        kind, lock=lock, key=lock.waiters[0].key, leases=(lock.waiters[0].lease_id,)
    )

    assert _lines(a_finding(a_lock_report(lock, verdict))) == [LOOK]


def test_a_deadlock_is_ended_where_it_does_least_harm() -> None:
    """Its sessions are looked at and one is ended; a holder stuck behind it is only looked at."""
    deadlock, stuck = a_deadlock().located_findings

    assert _lines(deadlock) == [
        "etcdctl lease timetolive --keys 00000000000000b1",
        "etcdctl lease timetolive --keys 00000000000000b2",
        f"{REVOKE} --even-if-healthy 00000000000000b1",
    ]
    assert _lines(stuck) == ["etcdctl lease timetolive --keys 00000000000000b3"]


def test_a_negative_lease_is_no_flag() -> None:
    """A client may choose any 64-bit ID; etcdctl would take its minus sign for a flag."""
    lock = a_lock(holder=a_key(lease_id=-5))

    assert _lines(a_finding(a_lock_report(lock))) == [
        "etcdctl lease timetolive --keys -- -000000000000005",
        f"{REVOKE} -- -000000000000005",
    ]


@pytest.mark.parametrize("kind", [VerdictKind.LEAKED_SESSION, VerdictKind.SESSION_PILE_UP])
def test_sessions_are_counted(kind: VerdictKind) -> None:
    """They are known to have no keys; and none is revoked: pooled sessions stand among them."""
    verdict = dataclasses.replace(leaked_sessions(40), kind=kind)

    assert _lines(Finding(verdict, None)) == ["etcdctl lease list | head -n 1"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("raw", [key for key in HOSTILE if b"\x00" not in key])
def test_bash_reads_the_quoted_key_as_the_key(raw: bytes) -> None:
    """What is copied means these bytes and nothing else, on one line."""
    word = shell_word(raw)

    assert word is not None
    assert word.isprintable()
    told = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, timeout=30
    )
    assert told.stdout == raw
