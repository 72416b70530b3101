"""Who says what about the connection: flags, then the named cluster, the environment, the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from lockdoctor.cli.options import ConnectionFlags
from lockdoctor.domain.policy import parse_duration
from lockdoctor.errors import ConfigError

if TYPE_CHECKING:
    from lockdoctor.etcd.connection import ConnectionSettings

Ask = Callable[[str], str]
"""Asks a person for a secret, with a prompt."""


class ConnectionValues(TypedDict, total=False):
    """What one source says of the connection; the same names as the flags'."""

    endpoints: tuple[str, ...]
    cacert: str
    cert: str
    key: str
    user: str
    password: str
    password_file: str
    dial_timeout_s: float
    command_timeout_s: float


def connection_settings(sources: Sequence[ConnectionValues], ask: Ask | None) -> ConnectionSettings:
    """
    Put the connection together: each value from the first source that has it.

    Args:
        sources: The strongest first.
        ask: Asks for a missing password; None where nobody can be asked.

    Raises:
        ConfigError: No password for the user, a certificate without its key, an unreadable file.
    """
    from lockdoctor.etcd.connection import ConnectionSettings  # noqa: PLC0415  # loads grpc

    merged = _merged(sources)
    if ("cert" in merged) != ("key" in merged):
        raise ConfigError("A client certificate needs its key: give both --cert and --key")
    if "user" in merged and "password" not in merged:
        merged["password"] = _missing_password(merged, ask)
    settings: dict[str, Any] = {**merged}
    settings.pop("password_file", None)
    return ConnectionSettings(**settings)


def from_flags(flags: ConnectionFlags) -> ConnectionValues:
    """
    Take what was given on the command line.

    Raises:
        ConfigError: The endpoints are empty, or two passwords were given.
    """
    return _checked({n: v for n, v in vars(flags).items() if v is not None})


def from_environment(environ: Mapping[str, str]) -> ConnectionValues:
    """
    Take etcdctl's variables; an empty one counts as not set, as it does there.

    Raises:
        ConfigError: A variable does not make sense; the message names it.
    """
    given: dict[str, Any] = {}
    for name in ConnectionValues.__annotations__:
        variable = _variable(name)
        if text := environ.get(variable):
            given[name] = _seconds(variable, text) if name.endswith("_s") else text
    return _checked(given)


def split_endpoints(text: str) -> tuple[str, ...]:
    """Take a comma-separated list apart; blanks and empty places do not count."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _variable(name: str) -> str:
    if name == "password_file":
        return "LOCKDOCTOR_PASSWORD_FILE"  # etcdctl has no such thing
    return "ETCDCTL_" + name.removesuffix("_s").upper()


def _seconds(variable: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{variable}: {error}") from error


def _checked(given: dict[str, Any]) -> ConnectionValues:
    if "password" in given and "password_file" in given:
        raise ConfigError("Two passwords are given, one of them in a file; give one")
    if "endpoints" in given:
        given["endpoints"] = split_endpoints(given["endpoints"])
        if not given["endpoints"]:
            raise ConfigError("The list of endpoints is empty; write it like 10.0.0.1:2379")
    name, colon, password = given.get("user", "").partition(":")
    if colon and not {"password", "password_file"} & given.keys():
        given |= {"user": name, "password": password}
    return cast("ConnectionValues", given)


def _merged(sources: Sequence[ConnectionValues]) -> ConnectionValues:
    """
    Let stronger sources win; an empty flag takes back what a weaker source says.

    A password goes with the user that its source names, if it names one.
    """
    merged: dict[str, Any] = {}
    for source in reversed(sources):
        names_another = "user" in source and merged.get("user", source["user"]) != source["user"]
        if names_another or {"password", "password_file"} & source.keys():
            merged.pop("password", None)
            merged.pop("password_file", None)
        merged |= source
    given = {name: value for name, value in merged.items() if value or name == "password"}
    return cast("ConnectionValues", given)


def _missing_password(values: ConnectionValues, ask: Ask | None) -> str:
    if "password_file" in values:
        return _first_line(values["password_file"])
    if ask is None:
        raise ConfigError(f"No password for the user {values['user']!r}: add --password-file")
    return ask(f"Password of etcd's user {values['user']}: ")


def _first_line(file: str) -> str:
    try:
        line = Path(file).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise ConfigError(f"Cannot read the password file {file}: {error.strerror}") from error
    except UnicodeDecodeError:
        # Not chained: the error carries the file's bytes.
        raise ConfigError(f"The password file {file} is not UTF-8 text") from None
    if not line:
        raise ConfigError(f"The first line of the password file {file} is empty")
    return line
