"""What etcd says, in our own errors."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from lockdoctor.errors import (
    AccessDeniedError,
    ClusterError,
    ClusterTimeoutError,
    ClusterUnreachableError,
)
from lockdoctor.etcd.connection.errors import (
    MAX_FOREIGN_TEXT,
    LeaseNotFoundError,
    WriteOutcomeUnknownError,
    is_transient,
    may_not_read,
    needs_token,
    needs_user,
    one_line,
    printable,
    translate,
    translate_write,
)

CODES = grpc.StatusCode


def failure(code: grpc.StatusCode, text: str = "") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=text)


@pytest.mark.parametrize(
    ("code", "text", "kind", "says"),
    [
        (CODES.PERMISSION_DENIED, "etcdserver: permission denied", AccessDeniedError, "not permit"),
        (CODES.INVALID_ARGUMENT, "etcdserver: user name is empty", AccessDeniedError, "--user"),
        (
            CODES.INVALID_ARGUMENT,
            "etcdserver: authentication failed, invalid user ID or password",
            AccessDeniedError,
            "--password",
        ),
        (CODES.DEADLINE_EXCEEDED, "Deadline Exceeded", ClusterTimeoutError, "in time"),
        (CODES.UNAVAILABLE, "etcdserver: no leader", ClusterUnreachableError, "no leader"),
        (CODES.UNAVAILABLE, "Socket closed", ClusterUnreachableError, "Socket closed"),
        (CODES.RESOURCE_EXHAUSTED, "etcdserver: too many", ClusterError, "too many"),
        (CODES.INTERNAL, "", ClusterError, "internal"),
    ],
)
def test_each_failure_becomes_one_of_ours(
    code: grpc.StatusCode, text: str, kind: type[ClusterError], says: str
) -> None:
    """One sentence of the right kind, with the place and what was tried."""
    error = translate(failure(code, text), "read the keys", "a:2379")

    assert type(error) is kind
    assert says in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("code", "text", "kind", "says"),
    [
        (
            CODES.PERMISSION_DENIED,
            "etcdserver: permission denied",
            AccessDeniedError,
            "write access",
        ),
        (CODES.UNAVAILABLE, "etcdserver: no leader", ClusterUnreachableError, "no leader"),
        (CODES.RESOURCE_EXHAUSTED, "etcdserver: too many requests", ClusterError, "too many"),
        (CODES.NOT_FOUND, "etcdserver: requested lease not found", LeaseNotFoundError, "not exist"),
        (
            CODES.UNAVAILABLE,
            "etcdserver: leader changed",
            WriteOutcomeUnknownError,
            "leader changed",
        ),
        (CODES.UNAVAILABLE, "etcdserver: request timed out", WriteOutcomeUnknownError, "timed out"),
        (CODES.UNAVAILABLE, "Socket closed", WriteOutcomeUnknownError, "Socket closed"),
        (CODES.UNKNOWN, "context deadline exceeded", WriteOutcomeUnknownError, "deadline"),
        (CODES.DEADLINE_EXCEEDED, "Deadline Exceeded", WriteOutcomeUnknownError, "Deadline"),
        (CODES.INTERNAL, "", WriteOutcomeUnknownError, "internal"),
        (CODES.CANCELLED, "", WriteOutcomeUnknownError, "cancelled"),
    ],
)
def test_a_write_is_undone_only_where_that_is_certain(
    code: grpc.StatusCode, text: str, kind: type[ClusterError], says: str
) -> None:
    """What a member refuses before it proposes it is not done; anything else may have been."""
    error = translate_write(failure(code, text), "revoke the lease", "a:2379")

    assert type(error) is kind
    assert says in str(error)
    assert "revoke the lease" in str(error)


def test_what_a_new_token_mends() -> None:
    """An expired token and one of before a change of roles; not a missing user."""
    assert needs_token(failure(CODES.UNAUTHENTICATED, "etcdserver: invalid auth token"))
    assert needs_token(failure(CODES.INVALID_ARGUMENT, "etcdserver: revision of auth store is old"))
    assert not needs_token(failure(CODES.INVALID_ARGUMENT, "etcdserver: user name is empty"))
    assert needs_user(failure(CODES.INVALID_ARGUMENT, "etcdserver: user name is empty"))


def test_what_another_member_may_answer_better() -> None:
    """A lost leader, an election, a learner; not a refusal."""
    assert is_transient(failure(CODES.UNAVAILABLE, "etcdserver: leader changed"))
    assert is_transient(failure(CODES.UNKNOWN, "not a primary lessor"))
    assert is_transient(
        failure(CODES.FAILED_PRECONDITION, "etcdserver: rpc not supported for learner")
    )
    assert not is_transient(failure(CODES.PERMISSION_DENIED, "etcdserver: permission denied"))


@pytest.mark.parametrize(
    ("user", "keys", "is_prefix", "sentence"),
    [
        (
            "ops",
            b"/my-lock/",
            True,
            (
                "etcd user 'ops' may not read '/my-lock/'."
                " Run: `etcdctl role grant-permission ROLE read --prefix -- /my-lock/`"
            ),
        ),
        (
            None,
            b"/it's",
            False,
            (
                """This etcd user may not read '/it's'."""
                """ Run: `etcdctl role grant-permission ROLE read -- '/it'"'"'s'`"""
            ),
        ),
        (
            "ops",
            b"",
            True,
            (
                "etcd user 'ops' may not read all keys."
                " Run: `etcdctl role grant-permission ROLE read --prefix -- ''`"
            ),
        ),
        (
            "ops\x1b",
            b"\x00\xff",
            True,
            r"etcd user 'ops\x1b' may not read '\x00\xff'. Grant its role read access to it.",
        ),
    ],
)
def test_the_permission_that_is_wanted(
    user: str | None, keys: bytes, sentence: str, *, is_prefix: bool
) -> None:
    """The user, the keys and the command that grants it, where a command line can carry them."""
    assert str(may_not_read(user, keys, is_prefix=is_prefix)) == sentence


def test_foreign_text_stays_on_one_short_line() -> None:
    """A server cannot paint our terminal, nor fill it."""
    assert one_line("etcdserver: a\n\x1b[31mb\t c\u2028") == "a [31mb c"
    assert len(one_line("x" * 10_000)) == MAX_FOREIGN_TEXT


def test_keys_can_be_quoted() -> None:
    """Text as it is, everything else escaped."""
    assert printable("/löcks/a b".encode()) == "'/löcks/a b'"
    assert printable(b"\xff\x1b[31m\n") == r"'\xff\x1b[31m\n'"
