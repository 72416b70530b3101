"""Merges the connection's sources: flags, named cluster, environment, file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from lockdoctor.cli.options.connection import ConnectionFlags
from lockdoctor.cli.options.types import parse_switch
from lockdoctor.domain.policy.durations import parse_duration
from lockdoctor.errors import ClusterUnreachableError, ConfigError

if TYPE_CHECKING:
    from lockdoctor.etcd.connection.auth import GivenToken
    from lockdoctor.etcd.connection.settings import ConnectionSettings

Ask = Callable[[str], str]
"""Prompts the user for a secret."""


class ConnectionValues(TypedDict, total=False):
    """The connection's values from one source, with the names of the flags."""

    endpoints: tuple[str, ...]
    cacert: str
    cert: str
    key: str
    user: str
    password: str
    password_file: str
    auth_token_file: str
    auth_jwt_token: str
    insecure_skip_tls_verify: bool
    insecure_transport: bool
    discovery_srv: str
    discovery_srv_name: str
    insecure_discovery: bool
    keepalive_time_s: float
    keepalive_timeout_s: float
    dial_timeout_s: float
    command_timeout_s: float


V2_VARIABLES = {
    "ETCDCTL_CA_FILE": "cacert",
    "ETCDCTL_CERT_FILE": "cert",
    "ETCDCTL_ENDPOINT": "endpoints",
    "ETCDCTL_KEY_FILE": "key",
    "ETCDCTL_PEERS": "endpoints",
    "ETCDCTL_USERNAME": "user",
}
"""
The variables of etcdctl for etcd's v2 API, and the values that replaced them.

Source: etcdctl/ctlv2/command/util.go in etcd 3.4.
"""

IGNORED_VARIABLES = frozenset(
    f"ETCDCTL_{name}"
    for name in (
        *("API", "DEBUG", "HEX", "WRITE_OUT", "MAX_REQUEST_BYTES", "MAX_RECV_BYTES"),
        *("WATCH_KEY", "WATCH_RANGE_END"),
    )
)
"""
Variables without effect on the address and the security of a connection.

Source: etcdctl/ctlv3/ctl.go in etcd 3.4 to 3.7.
"""


def connection_settings(sources: Sequence[ConnectionValues], ask: Ask | None) -> ConnectionSettings:
    """
    Return the connection: each value from the first source that has it.

    With a domain, its SRV records are read from the system's DNS servers.

    Args:
        sources: The sources, the highest precedence first.
        ask: Prompts for a missing password; None without a user to ask.

    Raises:
        ConfigError: No password for the user, a certificate without its key, an unreadable file.
        ClusterUnreachableError: The domain has no usable SRV records.
    """
    from lockdoctor.etcd.connection.settings import ConnectionSettings  # noqa: PLC0415  # loads grpc

    merged = _merged(sources)
    if ("cert" in merged) != ("key" in merged):
        raise ConfigError("A client certificate needs its key. Give both --cert and --key.")
    if "user" in merged and "password" not in merged:
        merged["password"] = _missing_password(merged, ask)
    settings: dict[str, Any] = {**merged, **_discovered(merged), "token": _token(merged)}
    for name in _REPLACED:
        settings.pop(name, None)
    return ConnectionSettings(**settings)


_REPLACED = (
    *("password_file", "auth_token_file", "auth_jwt_token"),
    *("discovery_srv", "discovery_srv_name", "insecure_discovery"),
)
"""Values from which other values are made."""


def refuse_other_variables(
    environ: Mapping[str, str], sources: Sequence[ConnectionValues]
) -> tuple[str, ...]:
    """
    Return the variables with etcdctl's prefix that have no effect.

    Args:
        sources: The given values, from the environment and elsewhere.

    Returns:
        Those that etcdctl would not read either.

    Raises:
        ConfigError: One sets the address or the security, and no source has its replacement.
    """
    api = environ.get("ETCDCTL_API") or "3"
    if api != "3":
        raise ConfigError(
            f"ETCDCTL_API={api} selects another API than v3: lockdoctor only reads etcd's"
            " v3 API. Unset ETCDCTL_API, or set it to 3."
        )
    for variable, name in V2_VARIABLES.items():
        if environ.get(variable) and not any(name in source for source in sources):
            raise ConfigError(
                f"{variable} is not read: it is for etcd's v2 API. Set {_variable(name)} instead."
            )
    known = {_variable(name) for name in ConnectionValues.__annotations__} | IGNORED_VARIABLES
    given = (name for name, text in environ.items() if text and name.startswith("ETCDCTL_"))
    return tuple(sorted(set(given) - known))


def from_flags(flags: ConnectionFlags) -> ConnectionValues:
    """
    Return the values of the command line.

    Raises:
        ConfigError: The endpoints are empty, or two passwords or two identities are given.
    """
    given = {n: v for n, v in vars(flags).items() if v is not None}
    if given.get("user") and given.get("auth_token_file"):
        raise ConfigError("--user and --auth-token-file exclude each other. Give one of them.")
    return _checked(given)


def from_environment(environ: Mapping[str, str]) -> ConnectionValues:
    """
    Return the values of etcdctl's variables; as there, an empty one is not set.

    Raises:
        ConfigError: A variable is invalid; the message names it.
    """
    given: dict[str, Any] = {}
    for name in ConnectionValues.__annotations__:
        variable = _variable(name)
        if text := environ.get(variable):
            given[name] = _read(name, variable, text)
    return _checked(given)


def split_endpoints(text: str) -> tuple[str, ...]:
    """Return the items of a comma-separated list without blanks and empty items."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _variable(name: str) -> str:
    prefix = "LOCKDOCTOR_" if name.endswith("_file") else "ETCDCTL_"  # etcdctl has no secret files
    return prefix + name.removesuffix("_s").upper()


def _read(name: str, variable: str, text: str) -> Any:
    try:
        if name.endswith("_s"):
            return parse_duration(text)
        return parse_switch(text) if name.startswith("insecure_") else text
    except ValueError as error:
        raise ConfigError(f"{variable}: {error}.") from error


def _checked(given: dict[str, Any]) -> ConnectionValues:
    if "password" in given and "password_file" in given:
        raise ConfigError("Two passwords given, one of them in a file. Give one.")
    if "auth_jwt_token" in given and "auth_token_file" in given:
        raise ConfigError("Two tokens given, one of them in a file. Give one.")
    if "endpoints" in given:
        given["endpoints"] = split_endpoints(given["endpoints"])
        if not given["endpoints"]:
            raise ConfigError("The list of endpoints is empty. Use `--endpoints 10.0.0.1:2379`.")
    name, colon, password = given.get("user", "").partition(":")
    if colon and not {"password", "password_file"} & given.keys():
        given |= {"user": name, "password": password}
    return cast("ConnectionValues", given)


def _merged(sources: Sequence[ConnectionValues]) -> ConnectionValues:
    """
    Return the values by precedence; an empty flag clears a value of other sources.

    A password belongs to the user that its source names, if it names one. A token overrides the
    user of its own source and of lower ones, as in etcdctl. A domain does the same with the
    endpoints.
    """
    merged: dict[str, Any] = {}
    for source in reversed(sources):
        names_another = "user" in source and merged.get("user", source["user"]) != source["user"]
        if names_another or {"password", "password_file"} & source.keys():
            merged.pop("password", None)
            merged.pop("password_file", None)
        if _TOKENS & source.keys() or "user" in source:
            _drop(merged, _TOKENS)
        if "endpoints" in source:
            _drop(merged, {"discovery_srv"})
        merged |= source
        if any(source.get(name) for name in _TOKENS):
            _drop(merged, {"user", "password", "password_file"})
    given = {n: v for n, v in merged.items() if v or v is False or n == "password"}
    return cast("ConnectionValues", given)


_TOKENS = {"auth_jwt_token", "auth_token_file"}


def _drop(merged: dict[str, Any], names: Collection[str]) -> None:
    for name in names:
        merged.pop(name, None)


def _token(values: ConnectionValues) -> GivenToken | None:
    from lockdoctor.etcd.connection.auth import GivenToken  # noqa: PLC0415  # as connection_settings

    if "auth_token_file" in values:
        return GivenToken(file=values["auth_token_file"])
    return GivenToken(token=values["auth_jwt_token"]) if "auth_jwt_token" in values else None


def _discovered(values: ConnectionValues) -> dict[str, Any]:
    """
    Return the endpoints from a domain's SRV records, if a domain is given.

    Source: endpointsFromCmd and secureCfgFromCmd in etcdctl/ctlv3/command/global.go. etcdctl uses
    its default endpoint if no record is secure; this code does not.
    """
    if "discovery_srv" not in values:
        return {}
    from lockdoctor.etcd.connection.endpoints import discover  # noqa: PLC0415  # a package of its own

    domain = values["discovery_srv"]
    endpoints = discover(domain, values.get("discovery_srv_name", ""))
    if values.get("insecure_discovery", True):
        return {"endpoints": endpoints}
    secure = tuple(each for each in endpoints if each.startswith("https:"))
    if not (secure or "endpoints" in values):
        raise ClusterUnreachableError(
            f"The SRV records of {domain} name no endpoint with TLS, and --insecure-discovery is"
            " false. Give --endpoints, or allow endpoints without TLS."
        )
    return {"endpoints": secure or values["endpoints"], "server_name": domain}


def _missing_password(values: ConnectionValues, ask: Ask | None) -> str:
    if "password_file" in values:
        return _first_line(values["password_file"])
    if ask is None:
        raise ConfigError(
            f"No password for the user {values['user']!r}. Add `--password-file FILE`."
        )
    return ask(f"Password of etcd's user {values['user']}: ")


def _first_line(file: str) -> str:
    try:
        line = Path(file).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise ConfigError(
            f"Cannot read the password file {file}: {error.strerror}. Check --password-file."
        ) from error
    except UnicodeDecodeError:
        # Not chained: the error carries the file's bytes.
        raise ConfigError(
            f"The password file {file} is not UTF-8 text. Check --password-file."
        ) from None
    if not line:
        raise ConfigError(
            f"The first line of the password file {file} is empty. Write the password there."
        )
    return line
