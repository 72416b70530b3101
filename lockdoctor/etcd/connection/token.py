"""An auth token that was given instead of a user and a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lockdoctor.errors import AccessDeniedError, ConfigError
from lockdoctor.etcd.connection.tls import PathName


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
            raise ConfigError(f"{where} does not hold one token: a token is one word of ASCII")
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
            raise AccessDeniedError(f"etcd refused the auth token: {why}. {error}.") from error
        if token == refused:
            raise AccessDeniedError(
                f"etcd refused the token in {self.file}: {why}. Write a new token into the file."
            )
        return token


def _content(file: PathName) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"Cannot read the token file {file}: {error.strerror}") from error
    except UnicodeDecodeError:
        # Not chained: the error carries the file's bytes.
        raise ConfigError(f"The token file {file} is not UTF-8 text") from None
