"""The connection options, named as etcdctl's, and those of lockdoctor.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from lockdoctor.cli.options.completion import cluster_names
from lockdoctor.cli.options.types import duration, switch

_CONNECTION = "Connection (as etcdctl's; a flag beats the environment)"


@dataclass(frozen=True, kw_only=True)
class ConnectionFlags:
    """The address of etcd and the user; the environment is read in cli/config."""

    endpoints: Annotated[
        str | None,
        typer.Option(
            "--endpoints",
            metavar="LIST",
            help="Members, separated by commas (127.0.0.1:2379); asked directly, through no proxy."
            " [ETCDCTL_ENDPOINTS]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    cacert: Annotated[
        str | None,
        typer.Option(
            "--cacert",
            metavar="FILE",
            help="CA bundle that the members' certificates are checked against. [ETCDCTL_CACERT]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    cert: Annotated[
        str | None,
        typer.Option(
            "--cert",
            metavar="FILE",
            help="Client certificate. [ETCDCTL_CERT]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="The client certificate's key. [ETCDCTL_KEY]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="NAME[:PASSWORD]",
            help="Who to be; a missing password is asked for on a terminal. [ETCDCTL_USER]",
            rich_help_panel=_CONNECTION,
        ),
    ] = field(default=None, repr=False)
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            metavar="PASSWORD",
            help="Others on this machine can read it in the process list: prefer"
            " --password-file. [ETCDCTL_PASSWORD]",
            rich_help_panel=_CONNECTION,
        ),
    ] = field(default=None, repr=False)
    password_file: Annotated[
        str | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="A file whose first line is the password. [LOCKDOCTOR_PASSWORD_FILE]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    auth_token_file: Annotated[
        str | None,
        typer.Option(
            "--auth-token-file",
            metavar="FILE",
            help="A file with a token, instead of --user; read again when etcd refuses the token."
            " [LOCKDOCTOR_AUTH_TOKEN_FILE, or the token in ETCDCTL_AUTH_JWT_TOKEN]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    insecure_skip_tls_verify: Annotated[
        bool | None,
        typer.Option(
            "--insecure-skip-tls-verify",
            help="Accept any certificate of a member; for tests only."
            " [ETCDCTL_INSECURE_SKIP_TLS_VERIFY]",
            rich_help_panel=_CONNECTION,
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
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    discovery_srv: Annotated[
        str | None,
        typer.Option(
            "--discovery-srv",
            metavar="DOMAIN",
            help="Read the endpoints from the SRV records of a domain; beats --endpoints."
            " [ETCDCTL_DISCOVERY_SRV]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    discovery_srv_name: Annotated[
        str | None,
        typer.Option(
            "--discovery-srv-name",
            metavar="NAME",
            help="Suffix of the service in these records. [ETCDCTL_DISCOVERY_SRV_NAME]",
            rich_help_panel=_CONNECTION,
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
            rich_help_panel=_CONNECTION,
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
            rich_help_panel=_CONNECTION,
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
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    dial_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--dial-timeout",
            parser=duration,
            metavar="DURATION",
            help="The longest to wait for a connection to one member (2s). [ETCDCTL_DIAL_TIMEOUT]",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    command_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--command-timeout",
            parser=duration,
            metavar="DURATION",
            help="The longest to wait for one answer (8s: etcd itself says after 7s what ails it,"
            " so less would hide the reason). [ETCDCTL_COMMAND_TIMEOUT]",
            rich_help_panel=_CONNECTION,
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
            help="Default: LOCKDOCTOR_CONFIG, ./lockdoctor.toml, then lockdoctor/lockdoctor.toml in"
            " the XDG config folder.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="NAME",
            autocompletion=cluster_names,
            help="The connection in [clusters.NAME] of the configuration file; it beats the"
            " environment, as a flag does.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
