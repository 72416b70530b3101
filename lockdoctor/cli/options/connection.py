"""The connection options, named as etcdctl's, and those of lockdoctor.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from lockdoctor.cli.options.completion import cluster_names
from lockdoctor.cli.options.groups import CONNECTION
from lockdoctor.cli.options.types import duration, switch


@dataclass(frozen=True, kw_only=True)
class ConnectionFlags:
    """The address of etcd and the user; the environment is read in cli/config."""

    endpoints: Annotated[
        str | None,
        typer.Option(
            "--endpoints",
            metavar="LIST",
            help="Members, separated by commas (default 127.0.0.1:2379). Connected without a"
            " proxy. [ETCDCTL_ENDPOINTS]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    cacert: Annotated[
        str | None,
        typer.Option(
            "--cacert",
            metavar="FILE",
            help="CA bundle that verifies the members' certificates. [ETCDCTL_CACERT]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    cert: Annotated[
        str | None,
        typer.Option(
            "--cert",
            metavar="FILE",
            help="Client certificate. [ETCDCTL_CERT]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="The client certificate's key. [ETCDCTL_KEY]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="NAME[:PASSWORD]",
            help="User name. On a terminal, prompts for the password if none is given."
            " [ETCDCTL_USER]",
            rich_help_panel=CONNECTION,
        ),
    ] = field(default=None, repr=False)
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            metavar="PASSWORD",
            help="Password. Visible in the process list: prefer --password-file."
            " [ETCDCTL_PASSWORD]",
            rich_help_panel=CONNECTION,
        ),
    ] = field(default=None, repr=False)
    password_file: Annotated[
        str | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="File whose first line is the password. [LOCKDOCTOR_PASSWORD_FILE]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    auth_token_file: Annotated[
        str | None,
        typer.Option(
            "--auth-token-file",
            metavar="FILE",
            help="File with a token, instead of --user. Read again when etcd refuses the token."
            " [LOCKDOCTOR_AUTH_TOKEN_FILE, or the token in ETCDCTL_AUTH_JWT_TOKEN]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    insecure_skip_tls_verify: Annotated[
        bool | None,
        typer.Option(
            "--insecure-skip-tls-verify",
            help="Accept any certificate of a member. For tests only."
            " [ETCDCTL_INSECURE_SKIP_TLS_VERIFY]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    insecure_transport: Annotated[
        Any,  # bool | None, from which typer would make a flag without a value
        typer.Option(
            "--insecure-transport",
            parser=switch,
            metavar="true|false",
            help="false: TLS for endpoints without http:// or https:// (default true)."
            " [ETCDCTL_INSECURE_TRANSPORT]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    discovery_srv: Annotated[
        str | None,
        typer.Option(
            "--discovery-srv",
            metavar="DOMAIN",
            help="Read the endpoints from the SRV records of a domain; beats --endpoints."
            " [ETCDCTL_DISCOVERY_SRV]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    discovery_srv_name: Annotated[
        str | None,
        typer.Option(
            "--discovery-srv-name",
            metavar="NAME",
            help="Suffix of the service name in the SRV records. [ETCDCTL_DISCOVERY_SRV_NAME]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    insecure_discovery: Annotated[
        Any,  # bool | None, from which typer would make a flag without a value
        typer.Option(
            "--insecure-discovery",
            parser=switch,
            metavar="true|false",
            help="false: only TLS endpoints of these records, with certificates for the domain"
            " (default true). [ETCDCTL_INSECURE_DISCOVERY]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    keepalive_time_s: Annotated[
        float | None,
        typer.Option(
            "--keepalive-time",
            parser=duration,
            metavar="DURATION",
            help="Ping a silent connection after DURATION, at least 10s (default never)."
            " [ETCDCTL_KEEPALIVE_TIME]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    keepalive_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--keepalive-timeout",
            parser=duration,
            metavar="DURATION",
            help="Maximum time to wait for the answer to a ping (default 6s)."
            " [ETCDCTL_KEEPALIVE_TIMEOUT]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    dial_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--dial-timeout",
            parser=duration,
            metavar="DURATION",
            help="Maximum time to connect to one member (default 2s). [ETCDCTL_DIAL_TIMEOUT]",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    command_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--command-timeout",
            parser=duration,
            metavar="DURATION",
            help="Maximum time to wait for one answer (default 8s). etcd's own errors arrive"
            " after 7s; a shorter time hides them. [ETCDCTL_COMMAND_TIMEOUT]",
            rich_help_panel=CONNECTION,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ConfigFlags:
    """The configuration file, and the cluster in it."""

    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Configuration file (default LOCKDOCTOR_CONFIG, ./lockdoctor.toml, then"
            " lockdoctor/lockdoctor.toml in the XDG config folder).",
            rich_help_panel=CONNECTION,
        ),
    ] = None
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="NAME",
            autocompletion=cluster_names,
            help="Use the connection in [clusters.NAME] of the configuration file. It overrides"
            " the environment.",
            rich_help_panel=CONNECTION,
        ),
    ] = None


def connection(connection: ConnectionFlags, config: ConfigFlags) -> int:  # noqa: ARG001  # parsed for its help alone
    """
    List the connection options. Every command that reads etcd accepts them.

    They are etcdctl's. A flag overrides the environment, and --cluster overrides it, too.
    """
    return 0
