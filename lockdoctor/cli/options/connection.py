"""The connection options, named as etcdctl's, and those of lockdoctor.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from lockdoctor.cli.options.completion import cluster_names
from lockdoctor.cli.options.types import CONNECTION, duration, option, switch


@dataclass(frozen=True, kw_only=True)
class ConnectionFlags:
    """The address of etcd and the user; the environment is read in cli/config."""

    endpoints: Annotated[
        str | None,
        option(
            "--endpoints LIST",
            "Members, separated by commas; no proxy is used (default 127.0.0.1:2379)."
            " [ETCDCTL_ENDPOINTS]",
            CONNECTION,
        ),
    ] = None
    cacert: Annotated[
        str | None,
        option(
            "--cacert FILE",
            "CA bundle that verifies the members' certificates. [ETCDCTL_CACERT]",
            CONNECTION,
        ),
    ] = None
    cert: Annotated[
        str | None,
        option("--cert FILE", "Client certificate. [ETCDCTL_CERT]", CONNECTION),
    ] = None
    key: Annotated[
        str | None,
        option("--key FILE", "The client certificate's key. [ETCDCTL_KEY]", CONNECTION),
    ] = None
    user: Annotated[
        str | None,
        option(
            "--user NAME[:PASSWORD]",
            "User name; without a password, a terminal prompts for it. [ETCDCTL_USER]",
            CONNECTION,
        ),
    ] = field(default=None, repr=False)
    password: Annotated[
        str | None,
        option(
            "--password PASSWORD",
            "Password, visible in the process list; see --password-file. [ETCDCTL_PASSWORD]",
            CONNECTION,
        ),
    ] = field(default=None, repr=False)
    password_file: Annotated[
        str | None,
        option(
            "--password-file FILE",
            "File whose first line is the password. [LOCKDOCTOR_PASSWORD_FILE]",
            CONNECTION,
        ),
    ] = None
    auth_token_file: Annotated[
        str | None,
        option(
            "--auth-token-file FILE",
            "File with a token, instead of --user; read again when etcd refuses it."
            " [LOCKDOCTOR_AUTH_TOKEN_FILE, or the token in ETCDCTL_AUTH_JWT_TOKEN]",
            CONNECTION,
        ),
    ] = None
    insecure_skip_tls_verify: Annotated[
        bool | None,
        option(
            "--insecure-skip-tls-verify",
            "Accept any certificate of a member, for tests only."
            " [ETCDCTL_INSECURE_SKIP_TLS_VERIFY]",
            CONNECTION,
        ),
    ] = None
    insecure_transport: Annotated[
        Any,  # bool | None, from which typer would make a flag without a value
        option(
            "--insecure-transport BOOL",
            "false: TLS for endpoints without http:// or https:// (default true)."
            " [ETCDCTL_INSECURE_TRANSPORT]",
            CONNECTION,
            parser=switch,
        ),
    ] = None
    discovery_srv: Annotated[
        str | None,
        option(
            "--discovery-srv DOMAIN",
            "Read the endpoints from the SRV records of a domain; beats --endpoints."
            " [ETCDCTL_DISCOVERY_SRV]",
            CONNECTION,
        ),
    ] = None
    discovery_srv_name: Annotated[
        str | None,
        option(
            "--discovery-srv-name NAME",
            "Suffix of the service name in the SRV records. [ETCDCTL_DISCOVERY_SRV_NAME]",
            CONNECTION,
        ),
    ] = None
    insecure_discovery: Annotated[
        Any,  # bool | None, from which typer would make a flag without a value
        option(
            "--insecure-discovery BOOL",
            "false: only TLS endpoints of these records, with certificates for the domain"
            " (default true). [ETCDCTL_INSECURE_DISCOVERY]",
            CONNECTION,
            parser=switch,
        ),
    ] = None
    keepalive_time_s: Annotated[
        float | None,
        option(
            "--keepalive-time TIME",
            "Ping a silent connection after TIME, at least 10s (default never)."
            " [ETCDCTL_KEEPALIVE_TIME]",
            CONNECTION,
            parser=duration,
        ),
    ] = None
    keepalive_timeout_s: Annotated[
        float | None,
        option(
            "--keepalive-timeout TIME",
            "Maximum time to wait for the answer to a ping (default 6s)."
            " [ETCDCTL_KEEPALIVE_TIMEOUT]",
            CONNECTION,
            parser=duration,
        ),
    ] = None
    dial_timeout_s: Annotated[
        float | None,
        option(
            "--dial-timeout TIME",
            "Maximum time to connect to one member (default 2s). [ETCDCTL_DIAL_TIMEOUT]",
            CONNECTION,
            parser=duration,
        ),
    ] = None
    command_timeout_s: Annotated[
        float | None,
        option(
            "--command-timeout TIME",
            "Maximum time to wait for one answer (default 8s; below 7s, etcd's own errors do not"
            " arrive). [ETCDCTL_COMMAND_TIMEOUT]",
            CONNECTION,
            parser=duration,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ConfigFlags:
    """The configuration file, and the cluster in it."""

    config: Annotated[
        Path | None,
        option(
            "--config FILE",
            "Configuration file (default ./lockdoctor.toml, then"
            " ~/.config/lockdoctor/lockdoctor.toml). [LOCKDOCTOR_CONFIG]",
            CONNECTION,
        ),
    ] = None
    cluster: Annotated[
        str | None,
        option(
            "--cluster NAME",
            "Connection in [clusters.NAME] of the configuration file; overrides the environment.",
            CONNECTION,
            autocompletion=cluster_names,
        ),
    ] = None
