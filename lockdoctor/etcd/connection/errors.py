"""
Turns gRPC's status and etcd's text into lockdoctor's errors.

etcd's list of errors: https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go.
Their meanings were tested on 3.4.23 and 3.5.1.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

import grpc
import grpc.aio

from lockdoctor.errors import (
    AccessDeniedError,
    ClusterError,
    ClusterTimeoutError,
    ClusterUnreachableError,
)

MAX_FOREIGN_TEXT = 200

TOKEN_TEXTS = ("invalid auth token", "revision of auth store is old", "revision in header is old")
"""The last text is that of etcd 3.5.1 for the error before it."""

TRANSIENT_TEXTS = (
    "no leader",
    "leader changed",
    "not a primary lessor",
    "request timed out",
    "server stopped",
    "waiting for the applied index",
    "rpc not supported for learner",
    "context deadline exceeded",
    "too many requests",
    "not capable",
)
"""Errors that another member, or a later attempt, might not return."""

ACCESS_TEXTS = (
    (
        "user name is empty",
        "etcd demands a user, and none was given, to {what}: add --user and --password-file",
    ),
    (
        "verify-only",
        "etcd issues no tokens to {what}, for it has only a public key: add --auth-token-file",
    ),
    (
        "invalid user id or password",
        "etcd refused the user name or the password: check --user and --password",
    ),
    (
        "permission denied",
        "etcd does not permit this user to {what}: grant the role {need}",
    ),
    ("invalid auth token", "etcd refused a fresh token to {what}: try again"),
    ("revision of auth store is old", "Users or roles changed while trying to {what}: try again"),
    ("revision in header is old", "Users or roles changed while trying to {what}: try again"),
)
"""
Errors by a lower-case part of etcd's text.

"permission denied" does not name the refused keys. It concerns the whole range, which must lie
within one range that the role was granted.
"""


TO_READ = "read access to all of it"
TO_WRITE = "write access to every key that it is about"
"""The missing permission of a role."""

REFUSALS = frozenset(
    {
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""etcd's answers that prove that it has not carried a request out."""

STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
"""Status codes by their number in a response."""


class RevisionCompactedError(ClusterError):
    """etcd has compacted the requested revision; the read restarts at a newer one."""


class WriteOutcomeUnknownError(ClusterError):
    """No answer proves the outcome of a write; etcd might still apply it."""


class LeaseNotFoundError(ClusterError):
    """The lease of a write does not exist, so the write was not done."""


def rpc_error(status: int, details: str) -> grpc.aio.AioRpcError:
    """Return the error that gRPC's own client would have raised."""
    code = STATUS_CODES.get(status, grpc.StatusCode.UNKNOWN)
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, nothing, nothing, details=details)


def needs_token(error: grpc.RpcError) -> bool:
    """Return whether a new token might help: it expired, or a restart lost it."""
    return error.code() is grpc.StatusCode.UNAUTHENTICATED or _has_text(error, *TOKEN_TEXTS)


def needs_user(error: grpc.RpcError) -> bool:
    """Return whether etcd requires a user."""
    return needs_token(error) or _has_text(error, "user name is empty")


def is_permission_denied(error: grpc.RpcError) -> bool:
    """Return whether the role may not read the requested keys."""
    return error.code() is grpc.StatusCode.PERMISSION_DENIED or _has_text(
        error, "permission denied"
    )


def is_auth_disabled(error: grpc.RpcError) -> bool:
    """Return whether the cluster has no users at all."""
    return _has_text(error, "authentication is not enabled")


def is_transient(error: grpc.RpcError) -> bool:
    """Return whether the same read might succeed at another member, or later."""
    return error.code() is grpc.StatusCode.UNAVAILABLE or _has_text(error, *TRANSIENT_TEXTS)


def is_without_leader(error: grpc.RpcError) -> bool:
    """Return whether the member has no leader: too few members are connected."""
    return _has_text(error, "no leader")


def is_without_leases(error: grpc.RpcError) -> bool:
    """
    Return whether the server is not etcd and has no lease API.

    kine, which k3s runs instead of etcd, answers "lease leases is not supported" with the status
    UNKNOWN. Other gRPC servers answer UNIMPLEMENTED.

    Source: pkg/server/lease.go of k3s-io/kine.
    """
    return error.code() is grpc.StatusCode.UNIMPLEMENTED or bool(
        re.search(r"\blease .*is not supported", _text(error))
    )


def is_of_learner(error: grpc.RpcError) -> bool:
    """Return whether the member is a learner, which serves only its status."""
    return _has_text(error, "not supported for learner")


def is_timeout(error: grpc.RpcError) -> bool:
    """Return whether no answer arrived within the deadline."""
    return error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def translate(error: grpc.RpcError, what: str, where: str, need: str = TO_READ) -> ClusterError:
    """
    Turn a failed call into one of lockdoctor's errors.

    Args:
        error: The error from gRPC.
        what: What was tried, as the end of "could not ...".
        where: The endpoint.
        need: The permission to grant to a role that lacks it.
    """
    text = _text(error)
    denied = access_denied(text, what, need)
    if denied is not None:
        return denied
    if "has been compacted" in text:
        return RevisionCompactedError(f"etcd was compacted when asked to {what}")
    reason = one_line(text)
    if is_without_leases(error):
        return ClusterError(
            f"{where} is not etcd: it answers {reason!r} when asked to {what}. It has no lease API,"
            " so lockdoctor cannot examine it. Check the port."
        )
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return ClusterTimeoutError(f"etcd at {where} did not answer in time when asked to {what}")
    if is_without_leader(error):
        return ClusterUnreachableError(f"etcd at {where} has no leader, so it cannot {what}")
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return ClusterUnreachableError(f"etcd at {where} could not {what}: {reason}")
    return ClusterError(f"etcd at {where} could not {what}: {reason}")


def translate_write(error: grpc.RpcError, what: str, where: str) -> ClusterError:
    """
    Turn a failed write into one of lockdoctor's errors.

    The result is WriteOutcomeUnknownError unless the write was certainly not done. A member refuses
    before it proposes a request to the others: for the user, the permission, an invalid request, a
    full disk or no leader at all. Any other failure might have happened on the way back. A refusal
    at the last moment (the lease, the space) means not done either.

    Args:
        error: The error from gRPC.
        what: What was tried, as the end of "could not ...".
        where: The endpoint.
    """
    if error.code() is grpc.StatusCode.NOT_FOUND and "lease not found" in _text(error):
        return LeaseNotFoundError(f"etcd at {where} could not {what}: the lease does not exist")
    if error.code() in REFUSALS or is_without_leader(error):
        return translate(error, what, where, TO_WRITE)
    return WriteOutcomeUnknownError(
        f"etcd at {where} was asked to {what}: {one_line(_text(error))}"
    )


def access_denied(text: str, what: str, need: str = TO_READ) -> AccessDeniedError | None:
    """Return the error for etcd's text on users and permissions; else None."""
    for part, message in ACCESS_TEXTS:
        if part in text.lower():
            return AccessDeniedError(message.format(what=what, need=need))
    return None


def may_not_read(user: str | None, start: bytes, *, is_prefix: bool) -> AccessDeniedError:
    """
    Return the error with the missing read permission and how to grant it.

    Args:
        user: None where the command line has no user (a certificate's, or no user).
        start: A key, or the prefix of the keys.
        is_prefix: Whether start is the prefix of all the keys.
    """
    who = f"etcd user {printable(user.encode())}" if user else "This etcd user"
    what = printable(start) if start else "all keys"
    text = start.decode("utf-8", errors="replace")
    if printable(start) != f"'{text}'":
        return AccessDeniedError(f"{who} may not read {what}. Grant its role read access to it.")
    keys = f"--prefix -- {shlex.quote(text)}" if is_prefix else f"-- {shlex.quote(text)}"
    command = f"etcdctl role grant-permission ROLE read {keys}"
    return AccessDeniedError(f"{who} may not read {what}. Run: `{command}`")


def one_line(text: str) -> str:
    """Make a foreign text quotable: one short line without control characters."""
    plain = "".join(c if c.isprintable() else " " for c in text.removeprefix("etcdserver: "))
    return re.sub(r"\s+", " ", plain).strip()[:MAX_FOREIGN_TEXT]


def printable(key: bytes) -> str:
    """Return a key in quotes for a message, with unprintable bytes escaped."""
    text = key.decode("utf-8", errors="backslashreplace")
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + "'"


def _has_text(error: grpc.RpcError, *texts: str) -> bool:
    details = _text(error)
    return any(text in details for text in texts)


def _text(error: Any) -> str:
    return str(error.details() or error.code().name.replace("_", " ").lower())
