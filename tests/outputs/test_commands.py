"""The commands that a report offers, and that a shell reads them as meant."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess

import pytest

from lockdoctor.domain.report import Finding
from lockdoctor.domain.verdicts import VerdictKind
from lockdoctor.outputs.commands import shell_word, steps
from tests.builders import a_finding, a_key, a_lock, a_lock_report, a_verdict
from tests.outputs.examples import HOSTILE, a_deadlock, an_eternal_lock, leaked_sessions

LOOK = "etcdctl lease timetolive --keys 32698f1c0a1b2c3d"


def _lines(finding: Finding) -> list[str]:
    return [line for step in steps(finding) for line in step.lines]


def test_a_leak_is_looked_at_and_then_ended() -> None:
    """The revoke comes second, and its purpose warns of what it deletes."""
    finding = a_finding()

    assert _lines(finding) == [LOOK, "etcdctl lease revoke 32698f1c0a1b2c3d"]
    assert "EVERY key" in steps(finding)[1].purpose


def test_a_key_without_a_lease_is_deleted_by_its_key() -> None:
    """There is no lease to revoke; a key that begins with a dash is no flag."""
    assert _lines(a_finding(an_eternal_lock(b"-it's"))) == [
        """etcdctl get -w json -- '-it'"'"'s'""",
        """etcdctl del -- '-it'"'"'s'""",
    ]


def test_a_key_that_no_shell_can_carry_has_no_command() -> None:
    """NUL ends an argument, so a shortened key would be deleted instead."""
    assert _lines(a_finding(an_eternal_lock(b"a\x00b"))) == []


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
        "etcdctl lease revoke 00000000000000b1",
    ]
    assert _lines(stuck) == ["etcdctl lease timetolive --keys 00000000000000b3"]


def test_a_negative_lease_is_no_flag() -> None:
    """A client may choose any 64-bit ID; etcdctl would take its minus sign for a flag."""
    lock = a_lock(holder=a_key(lease_id=-5))

    assert _lines(a_finding(a_lock_report(lock))) == [
        "etcdctl lease timetolive --keys -- -000000000000005",
        "etcdctl lease revoke -- -000000000000005",
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
