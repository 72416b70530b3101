"""The connection to a cluster: the chosen member, the user, and retries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc
import grpc.aio

from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.errors import AccessDeniedError, ClusterError, ClusterUnreachableError
from lockdoctor.etcd.connection.diagnose import explain
from lockdoctor.etcd.connection.endpoints import Endpoint, parse_endpoint
from lockdoctor.etcd.connection.errors import (
    LeaseNotFoundError,
    WriteOutcomeUnknownError,
    access_denied,
    is_auth_disabled,
    is_of_learner,
    is_permission_denied,
    is_timeout,
    is_transient,
    is_without_leader,
    is_without_leases,
    may_not_read,
    needs_user,
    one_line,
    translate,
    translate_write,
)
from lockdoctor.etcd.connection.greeting import StatusReply, who_are_you
from lockdoctor.etcd.connection.identity import ClusterIdentity
from lockdoctor.etcd.connection.member import KeepAlive, Member
from lockdoctor.etcd.connection.tls import PathName, TlsFiles
from lockdoctor.etcd.connection.token import GivenToken
from lockdoctor.etcd.protos import rpc
from lockdoctor.ports import Clock

RETRY_PAUSE_S = 0.1
MAX_TOKENS = 3
"""Maximum new tokens for one call; a fourth would be refused as well."""

LEADER_REQUIRED = ("hasleader", "true")
"""Without this metadata, a member that lost its leader answers only after 7 s."""

Method = Callable[[Member], Any]
"""Selects the RPC from a member's services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How to reach a cluster, in etcdctl's words."""

    endpoints: tuple[str, ...] = ("127.0.0.1:2379",)
    cacert: PathName | None = None
    cert: PathName | None = None
    key: PathName | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: GivenToken | None = None
    """Sent instead of a token from a login with user and password."""
    server_name: str | None = None
    """The name that the members' certificates must have; None: each endpoint's host."""
    insecure_skip_tls_verify: bool = False
    insecure_transport: bool = True
    """False uses TLS for endpoints without a scheme, even without a TLS file."""
    keepalive_time_s: float | None = None
    """Seconds of silence after which a connection is pinged; None: never."""
    keepalive_timeout_s: float = 6.0
    dial_timeout_s: float = 2.0
    """Maximum seconds to wait for one endpoint when a member is chosen."""
    command_timeout_s: float = 8.0
    """Maximum seconds for one read, with all its retries."""
    identity: ClusterIdentity = field(default_factory=ClusterIdentity, repr=False, compare=False)
    """The cluster of the run; every connection with these settings shares it."""

    @property
    def tls(self) -> TlsFiles:
        """Return the TLS files."""
        return TlsFiles(
            cacert=self.cacert,
            cert=self.cert,
            key=self.key,
            server_name=self.server_name,
            is_verified=not self.insecure_skip_tls_verify,
            is_demanded=not self.insecure_transport,
        )

    @property
    def keepalive(self) -> KeepAlive | None:
        """Return when silent connections are pinged."""
        if not self.keepalive_time_s:
            return None
        return KeepAlive(self.keepalive_time_s, self.keepalive_timeout_s)

    @property
    def names_a_user(self) -> bool:
        """Return whether requests are made as a user."""
        return self.user is not None or self.token is not None


class Response(NamedTuple):
    """The response of one call, with the times around the attempt that succeeded."""

    asked_at: float
    answered_at: float
    message: Any
    endpoint: str


class KeyRange(NamedTuple):
    """The keys that a user needs permission to read."""

    start: bytes
    is_prefix: bool = True
    """True for all keys with this prefix, False for one key."""


class Attempt(NamedTuple):
    """One try of a call: the member, the user, and the deadline for further tries."""

    number: int
    member: Member
    token: str | None
    deadline: float
    what: str
    """What is tried, as the end of "could not ...", for a message."""
    keys: KeyRange | None = None
    """The keys that it reads, if any; for a message."""

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """Return the metadata of the request."""
        return [LEADER_REQUIRED, ("token", self.token)] if self.token else [LEADER_REQUIRED]


class FailedAttempt(NamedTuple):
    """A failed attempt that was not made by call()."""

    attempt: Attempt
    asked_at: float
    error: grpc.aio.AioRpcError


class UnreachableMember(NamedTuple):
    """An endpoint that did not answer the greeting."""

    member: Member
    error: Any

    @property
    def denied(self) -> AccessDeniedError | None:
        """Return the error for the user if it concerns users or permissions."""
        if isinstance(self.error, AccessDeniedError):
            return self.error
        return access_denied(self.error.details() or "", "read its status")


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
        self._token = settings.token.read() if settings.token else None
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
            loop.set_exception_handler(_tell_but_of_closed_loops)
        await self._find_member(self._clock.now())
        if self._settings.user is not None:
            await self._renew_token(self.begin("log in"))

    async def status_of_all(self) -> list[tuple[Endpoint, StatusReply | str]]:
        """Read the status of every endpoint once; a text gives the reason of a failure."""
        answers = await asyncio.gather(*(self._greet(member) for member in self._members))
        return [(answer.member.endpoint, await self._met(answer)) for answer in answers]

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
        return await self._try(self.begin(what, keys), method, request)

    async def call_again(self, failure: FailedAttempt, method: Method, request: Any) -> Response:
        """
        Retry after a failed attempt, within the same time-out.

        Raises:
            ClusterError: As call() does.
        """
        return await self._try(await self.mend(failure.attempt, failure.error), method, request)

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
        attempt = self.begin(what)
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
                refused = self._settings.names_a_user and needs_user(error)
                if not refused:
                    failed = translate_write(error, what, attempt.member.endpoint.text)
                    if isinstance(failed, LeaseNotFoundError):
                        await self._confirm_refusal(failed)
                    raise failed from error
                attempt = await self.mend(attempt, error)

    def require_cluster(self, message: Any, attempt: Attempt, more: str = "") -> None:
        """
        Compare the cluster that an answer names with the run's.

        Args:
            more: A further sentence for the message about another cluster.

        Raises:
            WrongClusterError: It is another one, or another one has answered before.
        """
        self._identity.require_answer(message, attempt.member.endpoint.text, more)

    def begin(self, what: str, keys: KeyRange | None = None) -> Attempt:
        """
        Start an attempt with the command time-out as its limit.

        Raises:
            WrongClusterError: Another cluster than the run's has answered before.
        """
        self._identity.require_no_mismatch()
        deadline = self._clock.now() + self._settings.command_timeout_s
        return Attempt(1, self._member, self._token, deadline, what, keys)

    def attempt_s(self, left_s: float) -> float:
        """Return the seconds for one attempt; the rest is for another member, if any."""
        left_s = max(left_s, RETRY_PAUSE_S)
        return left_s if len(self._members) == 1 else max(left_s / 2, min(left_s, 1.0))

    async def mend(self, attempt: Attempt, error: grpc.aio.AioRpcError) -> Attempt:
        """
        Prepare the next attempt: get a new token or choose another member.

        Raises:
            ClusterError: No retry can help, or the time is over.
            WrongClusterError: Another cluster than the run's has answered.
        """
        self._identity.require_no_mismatch()
        if self._settings.names_a_user and needs_user(error) and attempt.number <= MAX_TOKENS:
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
        return attempt._replace(number=attempt.number + 1, member=self._member, token=self._token)

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
                attempt = await self.mend(attempt, error)

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
                f"{answer.endpoint} does not say which etcd cluster it belongs to, so lockdoctor"
                " does not write to it. Use the endpoints of etcd itself."
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
                f"{refusal}; which cluster said so is not known: {unread}"
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
            greetings = await asyncio.gather(*(self._greet(member) for member in self._members))
            greeted = [g for g in greetings if isinstance(g, StatusReply)]
            for greeting in greeted:  # before one is chosen: no call may go to another cluster
                self._identity.require(greeting.cluster_id, greeting.member.endpoint.text)
            able = [greeting for greeting in greeted if greeting.can_serve]
            if able:
                self._member = max(able, key=lambda greeting: greeting.rank).member
                return
            if self._clock.now() + RETRY_PAUSE_S >= deadline:
                raise await self._nobody(greetings)
            await self._clock.sleep(RETRY_PAUSE_S)

    async def _greet(self, member: Member) -> StatusReply | UnreachableMember:
        """Read a member's identity; newer etcd requires a user (3.4.42, 3.5.28, 3.6.9)."""
        attempt = Attempt(1, member, self._token, 0.0, "log in")
        try:
            try:
                return await self._present(attempt)
            except grpc.aio.AioRpcError as error:
                if not (self._settings.names_a_user and needs_user(error)):
                    raise
                await self._authenticate(attempt)
                return await self._present(attempt._replace(token=self._token))
        except (grpc.aio.AioRpcError, AccessDeniedError) as error:
            return UnreachableMember(member, error)

    async def _present(self, attempt: Attempt) -> StatusReply:
        asked_at = self._clock.now()
        answer = await who_are_you(attempt.member)(
            None, timeout=self._settings.dial_timeout_s, metadata=attempt.metadata
        )
        return StatusReply(answer, attempt.member, asked_at, self._clock.now())

    async def _renew_token(self, attempt: Attempt) -> None:
        async with self._token_lock:
            if self._token != attempt.token:
                return
            try:
                await self._authenticate(attempt)
            except grpc.aio.AioRpcError as error:
                failed = error
            else:
                return
        if not (is_transient(failed) or is_timeout(failed)):
            raise translate(failed, attempt.what, attempt.member.endpoint.text) from failed
        await self._replace(attempt)

    async def _authenticate(self, attempt: Attempt) -> None:
        """
        Get a token for user and password; a cluster without users requires no token.

        Raises:
            AccessDeniedError: etcd refused the given token.
        """
        if self._settings.token is not None:
            try:
                self._token = self._settings.token.read_again(refused=attempt.token)
            except AccessDeniedError:
                if await self._demands_users(attempt.member):
                    raise
                self._token = None
            return
        request = rpc.AuthenticateRequest(
            name=self._settings.user, password=self._settings.password or ""
        )
        try:
            answer = await attempt.member.auth.Authenticate(
                request,
                timeout=self._settings.dial_timeout_s,
                metadata=[LEADER_REQUIRED],
            )
        except grpc.aio.AioRpcError as error:
            if not is_auth_disabled(error):
                raise
        else:
            self._token = answer.token

    async def _demands_users(self, member: Member) -> bool:
        """
        Return whether authentication is on.

        Early etcd 3.4 and 3.5 refuse a token where it is off.

        Source: AuthInfoFromCtx in etcd's server/auth/store.go, 3.5.1 and 3.5.21.
        """
        try:
            await member.auth.Authenticate(
                rpc.AuthenticateRequest(),
                timeout=self._settings.dial_timeout_s,
                metadata=[LEADER_REQUIRED],
            )
        except grpc.aio.AioRpcError as error:
            return not is_auth_disabled(error)
        return True

    async def _nobody(self, answers: Sequence[StatusReply | UnreachableMember]) -> ClusterError:
        """Return the error for endpoints that all failed."""
        for answer in answers:
            if isinstance(answer, UnreachableMember) and answer.denied is not None:
                return answer.denied
        reasons = await asyncio.gather(*(self._why(answer) for answer in answers))
        named = zip(answers, reasons, strict=True)
        listed = "; ".join(f"{answer.member.endpoint.text}: {why}" for answer, why in named)
        return ClusterUnreachableError(f"No etcd member could be reached: {listed}")

    async def _met(self, answer: StatusReply | UnreachableMember) -> StatusReply | str:
        if isinstance(answer, UnreachableMember):
            return str(answer.denied) if answer.denied else await self._why(answer)
        # Every etcd cluster has an ID.
        stranger = None if answer.cluster_id else await self._stranger(answer)
        return stranger or answer

    async def _why(self, answer: StatusReply | UnreachableMember) -> str:
        stranger = await self._stranger(answer)
        if stranger is not None:
            return stranger
        if isinstance(answer, StatusReply):
            return "it is only a learner" if answer.leader_id else "it has no leader"
        if is_without_leader(answer.error):
            return "it has no leader"
        if is_of_learner(answer.error):
            return "it is only a learner"
        dial_s = self._settings.dial_timeout_s
        otherwise = (
            f"no answer within {dial_s:g} s"
            if is_timeout(answer.error)
            else f"etcd, but not as its clients see it ({one_line(answer.error.details() or '')}): "
            "is the port right?"
        )
        return await explain(answer.member.endpoint, self._settings.tls, dial_s, otherwise)

    async def _stranger(self, answer: StatusReply | UnreachableMember) -> str | None:
        """Return why a gRPC server is not etcd; None where it might be etcd."""
        if isinstance(answer, UnreachableMember) and not is_without_leases(answer.error):
            return None
        try:
            await answer.member.lease.LeaseLeases(
                rpc.LeaseLeasesRequest(),
                timeout=self._settings.dial_timeout_s,
                metadata=Attempt(1, answer.member, self._token, 0.0, "").metadata,
            )
        except grpc.aio.AioRpcError as error:
            if is_without_leases(error):
                said = one_line(error.details() or "")
                return f"this is not etcd (it answers {said!r} to LeaseLeases): it has no lease API"
        return None


def _what_was_written(answer: Any, what: str) -> str:
    """Return the clause on a write's outcome in the cluster that answered it."""
    if getattr(answer, "succeeded", True):
        return f"A write went to that cluster and was carried out there: {what}."
    return f"A write went to that cluster and was refused there by its guard: {what}."


def _tell_but_of_closed_loops(loop: asyncio.AbstractEventLoop, trouble: dict[str, Any]) -> None:
    """
    Report unseen errors as asyncio does, except for calls of a closed loop.

    All loops of a process share grpc.aio's queue. So a call that ends after its loop is closed
    raises an error with a traceback in the present loop.
    """
    error = trouble.get("exception")
    if not (isinstance(error, RuntimeError) and str(error) == "Event loop is closed"):
        loop.default_exception_handler(trouble)
