"""
What went wrong in a call, in our own errors: gRPC's status and etcd's text become a sentence.

etcd's list of errors: https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go.
Which of them stand for what was tried on 3.4.23 and 3.5.1.
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
"""The last one is how 3.5.1 says what stands before it."""

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
"""What another member, or the same a little later, may answer better."""

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
By what etcd's text contains, in lower case.

permission denied comes without the name of what was asked: it covers the whole range, which
must lie within one the role was granted.
"""


TO_READ = "read access to all of it"
TO_WRITE = "write access to every key that it is about"
"""What the role lacks where something is not permitted."""

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
"""What etcd answers where it has not carried a request out."""

STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
"""By their number on the wire."""


class RevisionCompactedError(ClusterError):
    """The revision that was to be read is no longer kept; reading starts again at a newer one."""


class WriteOutcomeUnknownError(ClusterError):
    """A write of which nothing tells whether it was carried out; it may yet be."""


class LeaseNotFoundError(ClusterError):
    """The lease that a write is about does not exist, so that nothing was written."""


def rpc_error(status: int, details: str) -> grpc.aio.AioRpcError:
    """Make what gRPC's own client would have raised."""
    code = STATUS_CODES.get(status, grpc.StatusCode.UNKNOWN)
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, nothing, nothing, details=details)


def needs_token(error: grpc.RpcError) -> bool:
    """Tell whether a new token may help: it expired, or was lost with a restart."""
    return error.code() is grpc.StatusCode.UNAUTHENTICATED or _says(error, *TOKEN_TEXTS)


def needs_user(error: grpc.RpcError) -> bool:
    """Tell whether etcd wants to know who asks."""
    return needs_token(error) or _says(error, "user name is empty")


def is_permission_denied(error: grpc.RpcError) -> bool:
    """Tell whether the role may not see what was asked."""
    return error.code() is grpc.StatusCode.PERMISSION_DENIED or _says(error, "permission denied")


def is_auth_disabled(error: grpc.RpcError) -> bool:
    """Tell whether the cluster knows no users at all."""
    return _says(error, "authentication is not enabled")


def is_transient(error: grpc.RpcError) -> bool:
    """Tell whether the same read may succeed at another member, or a moment later."""
    return error.code() is grpc.StatusCode.UNAVAILABLE or _says(error, *TRANSIENT_TEXTS)


def is_without_leader(error: grpc.RpcError) -> bool:
    """Tell whether the member knows no leader: too few members can talk to each other."""
    return _says(error, "no leader")


def is_without_leases(error: grpc.RpcError) -> bool:
    """
    Tell whether a server of another kind answered, which has no lease API.

    kine, which k3s runs instead of etcd, answers "lease leases is not supported" with the status
    UNKNOWN; other gRPC servers answer UNIMPLEMENTED.

    Source: pkg/server/lease.go of k3s-io/kine.
    """
    return error.code() is grpc.StatusCode.UNIMPLEMENTED or bool(
        re.search(r"\blease .*is not supported", _text(error))
    )


def is_of_learner(error: grpc.RpcError) -> bool:
    """Tell whether the member is a learner, which answers only about its status."""
    return _says(error, "not supported for learner")


def is_timeout(error: grpc.RpcError) -> bool:
    """Tell whether no answer came within the deadline."""
    return error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def translate(error: grpc.RpcError, what: str, where: str, need: str = TO_READ) -> ClusterError:
    """
    Turn a failed call into one of our errors.

    Args:
        error: What gRPC raised.
        what: What was tried, as the end of "could not ...".
        where: The endpoint.
        need: What to grant a role that is not permitted to.
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
    Turn a failed write into one of our errors: Unanswered unless it was certainly not done.

    A member refuses before it proposes anything to the others: a user, a permission, a request
    that makes no sense, a full disk, no leader at all. Whatever else went wrong may have gone wrong
    on the way back. What is refused at the last moment (the lease, the room) is not done either.

    Args:
        error: What gRPC raised.
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
    """Find the error for what etcd says about users and permissions; None where it is not that."""
    for etcd_says, ours in ACCESS_TEXTS:
        if etcd_says in text.lower():
            return AccessDeniedError(ours.format(what=what, need=need))
    return None


def may_not_read(user: str | None, start: bytes, *, is_prefix: bool) -> AccessDeniedError:
    """
    Say which permission a user lacks in order to read some keys, and how to grant it.

    Args:
        user: None where the user is not named on the command line (a certificate's, or none).
        start: A key, or what the keys begin with.
        is_prefix: Whether all keys are meant that begin so.
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
    """Make another's text fit to be quoted: one short line without control characters."""
    plain = "".join(c if c.isprintable() else " " for c in text.removeprefix("etcdserver: "))
    return re.sub(r"\s+", " ", plain).strip()[:MAX_FOREIGN_TEXT]


def printable(key: bytes) -> str:
    """Write a key so that it can stand in a message: in quotes, odd bytes escaped."""
    text = key.decode("utf-8", errors="backslashreplace")
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + "'"


def _says(error: grpc.RpcError, *texts: str) -> bool:
    said = _text(error)
    return any(text in said for text in texts)


def _text(error: Any) -> str:
    return str(error.details() or error.code().name.replace("_", " ").lower())
