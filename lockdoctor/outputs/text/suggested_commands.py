"""Returns the command lines that an operator can copy for a finding."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockdoctor.domain.evidence.deadlock import CheapestBreak, HolderWaits
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId, hex_id
from lockdoctor.domain.report.findings import Finding
from lockdoctor.outputs.text.values import printable

MAX_SHOWN = 3
"""Maximum leases of one finding with a command line."""


@dataclass(frozen=True, slots=True)
class SuggestedCommand:
    """An instruction with its command lines."""

    purpose: str
    lines: tuple[str, ...]


COUNT_LEASES = SuggestedCommand(
    "Count all leases now, and again in a minute", ("etcdctl lease list | head -n 1",)
)
COMPARE_MEMBERS = SuggestedCommand(
    "Compare the data and the versions of all members",
    ("etcdctl endpoint hashkv --cluster", "etcdctl endpoint status --cluster -w table"),
)


def steps(finding: Finding) -> tuple[SuggestedCommand, ...]:
    """
    Return the commands for a finding: first to read, then to act.

    Connection flags are left out: lockdoctor reads the same ETCDCTL_* environment as etcdctl. No
    command revokes a lease that might belong to a working process or to a waiter. No command
    deletes a key that might be data.
    """
    if _may_be_data(finding):
        return _show_key(finding)
    verdict = finding.verdict
    if any(isinstance(each, HolderWaits) for each in verdict.evidence):
        return _show_holder(finding)  # its holder is as stuck as its waiters
    match verdict.kind:
        case VerdictKind.LEAKED_LOCK | VerdictKind.SUSPECTED_LEAK:
            return (_show_lease(*verdict.leases), *_free(finding))
        case VerdictKind.DEADLOCK | VerdictKind.SELF_DEADLOCK:
            ends = [each.lease for each in verdict.evidence if isinstance(each, CheapestBreak)]
            return (
                _show_lease(*verdict.leases[:MAX_SHOWN]),
                *(_end(finding, each) for each in ends),
            )
        case VerdictKind.ETERNAL_LOCK:
            return (*_delete(verdict.key)[:1], *_free(finding))
        case VerdictKind.DANGLING:
            return (COMPARE_MEMBERS, *_delete(verdict.key))
        case VerdictKind.OVERDUE:
            leases = verdict.leases[:MAX_SHOWN]
            return (_show_lease(*leases), *([_revoke(*leases)] if finding.lock else []))
        case VerdictKind.GHOST_LEASE:
            return (COMPARE_MEMBERS, _show_lease(*verdict.leases[:MAX_SHOWN]))
        case VerdictKind.LEAKED_SESSION | VerdictKind.SESSION_PILE_UP:
            return (COUNT_LEASES,)
        case _:
            return _show_holder(finding)


def shell_word(raw: bytes) -> str | None:
    r"""
    Return bytes as one word for bash, zsh or ksh: bare, in '..', or in $'..'.

    Returns:
        None if a byte is NUL, which no command line can contain.
    """
    if 0 in raw:
        return None
    text = raw.decode("utf-8", "replace")
    if printable(raw).replace(r"\\", "\\").replace(r"\x20", " ") == text:
        return shlex.quote(text)
    # three octal digits end by themselves; hexadecimal digits do not in ksh
    return "$'" + "".join(chr(b) if _is_plain(b) else f"\\{b:03o}" for b in raw) + "'"


def _is_plain(byte: int) -> bool:
    return 0x20 <= byte < 0x7F and byte not in b"'\\!"  # noqa: PLR2004 - printable ASCII


def _show_lease(*leases: LeaseId) -> SuggestedCommand:
    lines = (f"etcdctl lease timetolive --keys {_lease_word(lease)}" for lease in leases)
    return SuggestedCommand("Show the TTL and every key on the lease", tuple(lines))


def _revoke(*leases: LeaseId) -> SuggestedCommand:
    lines = (f"etcdctl lease revoke {_lease_word(lease)}" for lease in leases)
    return SuggestedCommand("Revoke the lease, which deletes EVERY key on it", tuple(lines))


def _free(finding: Finding) -> Iterator[SuggestedCommand]:
    """Yield a lockdoctor command for this target, with all flags of its verdict."""
    verdict, lock = finding.verdict, finding.lock
    if lock is None:
        return
    words = ["lockdoctor revoke", _prefix_flag(lock.prefix)]
    if lock.max_hold_s is not None:
        words.append(f"--max-hold {lock.max_hold_s:g}s")
    if verdict.kind is not VerdictKind.LEAKED_LOCK:
        words.append(f"--verdict {verdict.kind.value}")
    if lock.lock.kind_is_stated:
        words.append(f"--kind {lock.lock.kind.value}")
    words += map(_lease_word, verdict.leases) if verdict.leases else [_key_flag(verdict.key)]
    yield SuggestedCommand("Free the lock (shows a plan, then asks)", (" ".join(words),))


def _end(finding: Finding, lease: LeaseId) -> SuggestedCommand:
    """Return the command that ends a session, to free the others."""
    if finding.lock is None:
        return _revoke(lease)
    words = ("lockdoctor revoke", _prefix_flag(finding.lock.prefix), "--even-if-healthy")
    line = " ".join((*words, _lease_word(lease)))
    return SuggestedCommand(
        "Revoke the lease (shows a plan with every key on it, then asks)", (line,)
    )


def _prefix_flag(prefix: bytes) -> str:
    if not prefix:
        return "--all-keys"
    word = shell_word(prefix)
    return f"--prefix-hex {prefix.hex()}" if word is None else f"--prefix {word}"


def _key_flag(key: bytes | None) -> str:
    word = shell_word(key or b"")
    return f"--lock-key-hex {(key or b'').hex()}" if word is None else f"--lock-key {word}"


def _lease_word(lease: LeaseId) -> str:
    return f"-- {hex_id(lease)}" if lease < 0 else hex_id(lease)  # else read as a flag


def _delete(key: bytes | None) -> tuple[SuggestedCommand, ...]:
    word = shell_word(key) if key is not None else None
    if word is None:
        return ()
    return (
        SuggestedCommand(
            "Show the value and the revisions of the key", (f"etcdctl get -w json -- {word}",)
        ),
        SuggestedCommand(
            "Delete the key, after its owner is verified to have ended", (f"etcdctl del -- {word}",)
        ),
    )


def _may_be_data(finding: Finding) -> bool:
    if finding.lock is None:
        return False
    lock, key = finding.lock.lock, finding.verdict.key
    return any(lock.may_be_data(each) for each in lock.keys if each.key == key)


def _show_key(finding: Finding) -> tuple[SuggestedCommand, ...]:
    if finding.verdict.leases:
        return (_show_lease(*finding.verdict.leases),)
    return _delete(finding.verdict.key)[:1]


def _show_holder(finding: Finding) -> tuple[SuggestedCommand, ...]:
    holder = finding.lock.lock.holder if finding.lock else None
    return (_show_lease(holder.lease_id),) if holder and holder.has_lease else ()


ROLE = "lockdoctor"


def role_commands(prefixes: Sequence[bytes]) -> list[str]:
    """
    Return the etcdctl commands for the smallest role that can scan the prefixes.

    Source: etcd-io/etcd, server/auth/store.go; tested in tests/scenarios/test_selfcheck.py.
    """
    return [
        f"etcdctl role add {ROLE}",
        *map(_grant, prefixes),
        f"etcdctl user add {ROLE}",
        f"etcdctl user grant-role {ROLE} {ROLE}",
    ]


def _grant(prefix: bytes) -> str:
    word = shell_word(prefix)
    if word is None:
        return f"# {printable(prefix)}: no command line can carry the NUL; grant a shorter prefix"
    return f"etcdctl role grant-permission {ROLE} read --prefix -- {word}"
