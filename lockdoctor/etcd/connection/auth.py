"""The token of the user: given, or from a login with user and password."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio

from lockdoctor.errors import AccessDeniedError, ConfigError
from lockdoctor.etcd.connection.errors import is_auth_disabled
from lockdoctor.etcd.connection.member import Member
from lockdoctor.etcd.connection.tls import PathName
from lockdoctor.etcd.protos import rpc

LEADER_REQUIRED = ("hasleader", "true")
"""Without this metadata, a member that lost its leader answers only after 7 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenToken:
    """A token, or a file with a token that can be replaced by a newer one."""

    token: str = field(default="", repr=False)
    file: PathName | None = None

    def read(self) -> str:
        """
        Return the token.

        Raises:
            ConfigError: The file cannot be read, or does not hold one token.
        """
        where = "ETCDCTL_AUTH_JWT_TOKEN" if self.file is None else f"The token file {self.file}"
        token = self.token if self.file is None else _content(self.file)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            # The text is not quoted: it might be a token with one wrong character.
            raise ConfigError(
                f"{where} has no valid token: a token is one word of ASCII. Set a new token."
            )
        return token

    def read_again(self, refused: str | None) -> str:
        """
        Return a newer token after etcd refused one.

        Raises:
            AccessDeniedError: There is no newer token.
        """
        why = "it is invalid or expired, or users or roles have changed since it was issued"
        if self.file is None:
            raise AccessDeniedError(
                f"etcd refused the token of ETCDCTL_AUTH_JWT_TOKEN: {why}. Set a new token."
            )
        try:
            token = self.read()
        except ConfigError as error:
            raise AccessDeniedError(f"etcd refused the auth token: {why}. {error}") from error
        if token == refused:
            raise AccessDeniedError(
                f"etcd refused the token in {self.file}: {why}. Write a new token into the file."
            )
        return token


class Authenticator:
    """Gets the tokens of one user."""

    def __init__(
        self, user: str | None, password: str | None, given: GivenToken | None, timeout_s: float
    ) -> None:
        """
        Read the given token, if any.

        Raises:
            ConfigError: It is invalid.
        """
        self.token = given.read() if given else None
        """The current token; None where etcd needs none, or before the first login."""
        self.names_a_user = user is not None or given is not None
        """Whether requests are made as a user."""
        self._user = user
        self._password = password
        self._given = given
        self._timeout_s = timeout_s

    async def renew(self, member: Member, refused: str | None) -> None:
        """
        Get a new token; a cluster without users requires none.

        Raises:
            AccessDeniedError: etcd refused the given token.
            AioRpcError: The login failed.
        """
        if self._given is not None:
            try:
                self.token = self._given.read_again(refused=refused)
            except AccessDeniedError:
                if await self._is_auth_on(member):
                    raise
                self.token = None
            return
        try:
            answer = await self._log_in(member, self._user or "", self._password or "")
        except grpc.aio.AioRpcError as error:
            if not is_auth_disabled(error):
                raise
        else:
            self.token = answer.token

    async def _is_auth_on(self, member: Member) -> bool:
        """
        Return whether authentication is on.

        Early etcd 3.4 and 3.5 refuse a token where it is off.

        Source: AuthInfoFromCtx in etcd's server/auth/store.go, 3.5.1 and 3.5.21.
        """
        try:
            await self._log_in(member, "", "")
        except grpc.aio.AioRpcError as error:
            return not is_auth_disabled(error)
        return True

    async def _log_in(self, member: Member, user: str, password: str) -> Any:
        request = rpc.AuthenticateRequest(name=user, password=password)
        return await member.auth.Authenticate(
            request, timeout=self._timeout_s, metadata=[LEADER_REQUIRED]
        )


def metadata_of(token: str | None) -> list[tuple[str, str]]:
    """Return the metadata of a request with this token."""
    return [LEADER_REQUIRED, ("token", token)] if token else [LEADER_REQUIRED]


def _content(file: PathName) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(
            f"Cannot read the token file {file}: {error.strerror}. Check --auth-token-file."
        ) from error
    except UnicodeDecodeError:
        # Not chained: the error carries the file's bytes.
        raise ConfigError(
            f"The token file {file} is not UTF-8 text. Check --auth-token-file."
        ) from None
