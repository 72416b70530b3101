"""The connection to a cluster: the chosen member, the user, and retries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc.aio

from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.errors import AccessDeniedError, ClusterError, ClusterUnreachableError
from lockdoctor.etcd.connection.attempt import Attempt, FailedAttempt, KeyRange, Method, Response
from lockdoctor.etcd.connection.auth import Authenticator
from lockdoctor.etcd.connection.endpoints import Endpoint, parse_endpoint
from lockdoctor.etcd.connection.errors import (
    LeaseNotFoundError,
    WriteOutcomeUnknownError,
    is_permission_denied,
    is_timeout,
    is_transient,
    may_not_read,
    needs_user,
    translate,
    translate_write,
)
from lockdoctor.etcd.connection.greeting import (
    StatusReply,
    UnreachableMember,
    identity_call,
    not_etcd_reason,
    reason,
)
from lockdoctor.etcd.connection.member import Member
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.protos import rpc
from lockdoctor.ports import Clock

RETRY_PAUSE_S = 0.1
MAX_TOKENS = 3
"""Maximum new tokens for one call; a fourth would be refused as well."""


class Connection:
    """
    A connection to one chosen member, and to another one when that fails.

    Reads can be repeated: call(). A write is sent once: call_once().
    """

    def __init__(self, settings: ConnectionSettings, clock: Clock) -> None:
        """
        Prepare channels to all endpoints; open() sends the first request.

        Raises:
            ConfigError: An endpoint, a TLS file or a token is invalid.
        """
        tls = settings.tls
        self._settings = settings
        self._clock = clock
        self._auth = Authenticator(
            settings.user, settings.password, settings.token, settings.dial_timeout_s
        )
        self._token_lock = asyncio.Lock()
        self._identity = settings.identity
        self._replacing: asyncio.Task[None] | None = None
        self._members = [
            Member(
                parse_endpoint(text, bare_uses_tls=tls.is_given),
                tls,
                settings.dial_timeout_s,
                settings.keepalive,
            )
            for text in settings.endpoints
        ]
        self._member = self._members[0]

    async def open(self) -> None:
        """
        Choose the member to read from, and authenticate if a user is given.

        Raises:
            ClusterUnreachableError: No endpoint answers as a member with a leader.
            AccessDeniedError: The user or the password is wrong.
            WrongClusterError: An endpoint belongs to another cluster than the run's.
        """
        loop = asyncio.get_running_loop()
        if loop.get_exception_handler() is None:
            loop.set_exception_handler(_report_but_for_closed_loops)
        await self._find_member(self._clock.now())
        if self._settings.user is not None:
            await self._renew_token(self.new_attempt("log in"))

    async def status_of_all(self) -> list[tuple[Endpoint, StatusReply | str]]:
        """Read the status of every endpoint once; a text gives the reason of a failure."""
        answers = await asyncio.gather(*(self._identify(member) for member in self._members))
        return [
            (answer.member.endpoint, await self._status_or_reason(answer)) for answer in answers
        ]

    async def call(
        self, method: Method, request: Any, what: str, keys: KeyRange | None = None
    ) -> Response:
        """
        Send a read to the chosen member, and retry where a retry can help.

        Args:
            keys: The keys that it reads, for the message where the user may not.

        Raises:
            ClusterUnreachableError: No member answers within the command time-out.
            ClusterTimeoutError: The command time-out is over.
            AccessDeniedError: etcd refuses it.
            WrongClusterError: Another cluster than the run's has answered.
        """
        return await self._try(self.new_attempt(what, keys), method, request)

    async def call_again(self, failure: FailedAttempt, method: Method, request: Any) -> Response:
        """
        Retry after a failed attempt, within the same time-out.

        Raises:
            ClusterError: As call() does.
        """
        return await self._try(
            await self.next_attempt(failure.attempt, failure.error), method, request
        )

    async def call_once(self, method: Method, request: Any, what: str) -> Response:
        """
        Send a write to the chosen member once.

        Only a write that was refused for a missing token is sent again.

        No guard can name a cluster. So a read right before shows the member's cluster. If the write
        reaches another cluster all the same, its answer shows that.

        Raises:
            WriteOutcomeUnknownError: etcd might have carried it out, or might do so later.
            ClusterError: It was certainly not carried out.
            WrongClusterError: Another cluster than the run's has answered, so it was not carried
                out in the run's.
        """
        await self._confirm_cluster()
        attempt = self.new_attempt(what)
        while True:
            asked_at = self._clock.now()
            try:
                message = await method(attempt.member)(
                    request,
                    timeout=max(attempt.deadline - asked_at, RETRY_PAUSE_S),
                    metadata=attempt.metadata,
                )
                self.require_cluster(message, attempt, _what_was_written(message, what))
                return Response(asked_at, self._clock.now(), message, attempt.member.endpoint.text)
            except grpc.aio.AioRpcError as error:
                refused = self._auth.names_a_user and needs_user(error)
                if not refused:
                    failed = translate_write(error, what, attempt.member.endpoint.text)
                    if isinstance(failed, LeaseNotFoundError):
                        await self._confirm_refusal(failed)
                    raise failed from error
                attempt = await self.next_attempt(attempt, error)

    def require_cluster(self, message: Any, attempt: Attempt, more: str = "") -> None:
        """
        Compare the cluster that an answer names with the run's.

        Args:
            more: A further sentence for the message about another cluster.

        Raises:
            WrongClusterError: It is another one, or another one has answered before.
        """
        self._identity.require_answer(message, attempt.member.endpoint.text, more)

    def new_attempt(self, what: str, keys: KeyRange | None = None) -> Attempt:
        """
        Start an attempt with the command time-out as its limit.

        Raises:
            WrongClusterError: Another cluster than the run's has answered before.
        """
        self._identity.require_no_mismatch()
        deadline = self._clock.now() + self._settings.command_timeout_s
        return Attempt(1, self._member, self._auth.token, deadline, what, keys)

    def attempt_s(self, left_s: float) -> float:
        """Return the seconds for one attempt; the rest is for another member, if any."""
        left_s = max(left_s, RETRY_PAUSE_S)
        return left_s if len(self._members) == 1 else max(left_s / 2, min(left_s, 1.0))

    async def next_attempt(self, attempt: Attempt, error: grpc.aio.AioRpcError) -> Attempt:
        """
        Prepare the next attempt: get a new token or choose another member.

        Raises:
            ClusterError: No retry can help, or the time is over.
            WrongClusterError: Another cluster than the run's has answered.
        """
        self._identity.require_no_mismatch()
        if self._auth.names_a_user and needs_user(error) and attempt.number <= MAX_TOKENS:
            await self._renew_token(attempt)
        elif is_transient(error) or is_timeout(error):
            await self._replace(attempt)
            if self._clock.now() >= attempt.deadline:
                raise translate(error, attempt.what, attempt.member.endpoint.text) from error
            if is_timeout(error) or attempt.number > 1:
                await self._clock.sleep(RETRY_PAUSE_S)
        elif attempt.keys is not None and is_permission_denied(error):
            raise may_not_read(
                self._settings.user, attempt.keys.start, is_prefix=attempt.keys.is_prefix
            ) from error
        else:
            raise translate(error, attempt.what, attempt.member.endpoint.text) from error
        return attempt._replace(
            number=attempt.number + 1, member=self._member, token=self._auth.token
        )

    async def close(self) -> None:
        """Close every channel."""
        if self._replacing is not None:
            self._replacing.cancel()
        await asyncio.gather(*(member.close() for member in self._members))

    async def _try(self, attempt: Attempt, method: Method, request: Any) -> Response:
        while True:
            asked_at = self._clock.now()
            try:
                message = await method(attempt.member)(
                    request,
                    timeout=self.attempt_s(attempt.deadline - asked_at),
                    metadata=attempt.metadata,
                )
                self.require_cluster(message, attempt)
                return Response(asked_at, self._clock.now(), message, attempt.member.endpoint.text)
            except grpc.aio.AioRpcError as error:
                attempt = await self.next_attempt(attempt, error)

    async def _confirm_cluster(self) -> None:
        """
        Check with a read for any user that the chosen member is of the run's cluster.

        Raises:
            ClusterError: The read failed, or its answer has no cluster ID.
            WrongClusterError: It belongs to another one.
        """
        answer = await self.call(
            lambda member: member.lease.LeaseTimeToLive,
            rpc.LeaseTimeToLiveRequest(ID=NO_LEASE),
            "confirm its cluster before a write",
        )
        if not answer.message.header.cluster_id:
            raise ClusterError(
                f"{answer.endpoint} sends no cluster ID, so lockdoctor does not write to it."
                " Use the endpoints of etcd itself."
            )

    async def _confirm_refusal(self, refusal: LeaseNotFoundError) -> None:
        """
        Check whether the run's cluster refused a write: a refusal has no header.

        Raises:
            WriteOutcomeUnknownError: The check failed.
            WrongClusterError: It is another one.
        """
        try:
            await self._confirm_cluster()
        except ClusterError as unread:
            raise WriteOutcomeUnknownError(
                f"{refusal}; its cluster is unknown: {unread}"
            ) from unread

    async def _replace(self, attempt: Attempt) -> None:
        """
        Choose a member again, unless another call has done so meanwhile.

        Raises:
            ClusterUnreachableError: No member answers before the deadline.
            WrongClusterError: One belongs to another cluster than the run's.
        """
        if self._member is not attempt.member:
            return
        if self._replacing is None:
            self._replacing = asyncio.ensure_future(self._find_member(attempt.deadline))
            self._replacing.add_done_callback(self._replaced)
        await asyncio.shield(self._replacing)

    def _replaced(self, task: asyncio.Task[None]) -> None:
        self._replacing = None
        if not task.cancelled():
            task.exception()  # waiting calls get the error; else asyncio would log it

    async def _find_member(self, deadline: float) -> None:
        while True:
            replies = await asyncio.gather(*(self._identify(member) for member in self._members))
            identified = [g for g in replies if isinstance(g, StatusReply)]
            for reply in identified:  # before one is chosen: no call may go to another cluster
                self._identity.require(reply.cluster_id, reply.member.endpoint.text)
            able = [reply for reply in identified if reply.can_serve]
            if able:
                self._member = max(able, key=lambda reply: reply.rank).member
                return
            if self._clock.now() + RETRY_PAUSE_S >= deadline:
                raise await self._no_member_error(replies)
            await self._clock.sleep(RETRY_PAUSE_S)

    async def _identify(self, member: Member) -> StatusReply | UnreachableMember:
        """Read a member's identity; newer etcd requires a user (3.4.42, 3.5.28, 3.6.9)."""
        attempt = Attempt(1, member, self._auth.token, 0.0, "log in")
        try:
            try:
                return await self._read_identity(attempt)
            except grpc.aio.AioRpcError as error:
                if not (self._auth.names_a_user and needs_user(error)):
                    raise
                await self._auth.renew(attempt.member, attempt.token)
                return await self._read_identity(attempt._replace(token=self._auth.token))
        except (grpc.aio.AioRpcError, AccessDeniedError) as error:
            return UnreachableMember(member, error)

    async def _read_identity(self, attempt: Attempt) -> StatusReply:
        asked_at = self._clock.now()
        answer = await identity_call(attempt.member)(
            None, timeout=self._settings.dial_timeout_s, metadata=attempt.metadata
        )
        return StatusReply(answer, attempt.member, asked_at, self._clock.now())

    async def _renew_token(self, attempt: Attempt) -> None:
        async with self._token_lock:
            if self._auth.token != attempt.token:
                return
            try:
                await self._auth.renew(attempt.member, attempt.token)
            except grpc.aio.AioRpcError as error:
                failed = error
            else:
                return
        if not (is_transient(failed) or is_timeout(failed)):
            raise translate(failed, attempt.what, attempt.member.endpoint.text) from failed
        await self._replace(attempt)

    async def _no_member_error(
        self, answers: Sequence[StatusReply | UnreachableMember]
    ) -> ClusterError:
        """Return the error for endpoints that all failed."""
        for answer in answers:
            if isinstance(answer, UnreachableMember) and answer.denied is not None:
                return answer.denied
        reasons = await asyncio.gather(*(reason(answer, self._auth.token) for answer in answers))
        named = zip(answers, reasons, strict=True)
        listed = "; ".join(f"{answer.member.endpoint.text}: {why}" for answer, why in named)
        return ClusterUnreachableError(
            f"No etcd member reached: {listed}. Use `--endpoints HOST:2379`,"
            " or set ETCDCTL_ENDPOINTS."
        )

    async def _status_or_reason(self, answer: StatusReply | UnreachableMember) -> StatusReply | str:
        if isinstance(answer, UnreachableMember):
            return str(answer.denied) if answer.denied else await reason(answer, self._auth.token)
        # Every etcd cluster has an ID.
        not_etcd = None if answer.cluster_id else await not_etcd_reason(answer, self._auth.token)
        return not_etcd or answer


def _what_was_written(answer: Any, what: str) -> str:
    """Return the clause on a write's outcome in the cluster that answered it."""
    if getattr(answer, "succeeded", True):
        return f"A write went to that cluster and was carried out there: {what}."
    return f"A write went to that cluster and was refused there by its guard: {what}."


def _report_but_for_closed_loops(loop: asyncio.AbstractEventLoop, trouble: dict[str, Any]) -> None:
    """
    Report unseen errors as asyncio does, except for calls of a closed loop.

    All loops of a process share grpc.aio's queue. So a call that ends after its loop is closed
    raises an error with a traceback in the present loop.
    """
    error = trouble.get("exception")
    if not (isinstance(error, RuntimeError) and str(error) == "Event loop is closed"):
        loop.default_exception_handler(trouble)
