"""The options that commands share, as typer reads them; a field left at None was not given."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import asdict, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer

from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.durations import parse_duration
from lockdoctor.domain.policy.policy import Limits
from lockdoctor.values import dataclass

_Choice = TypeVar("_Choice", bound=enum.Enum)

_TARGETS = "What to examine"
_LIMITS = "What counts as too long (beats lockdoctor.toml)"
RUN = "This run"
_CONNECTION = "Connection (as etcdctl's; a flag beats the environment)"


def duration(given: str | float) -> float:
    """Read an option's duration; a default, which is in seconds already, passes."""
    if isinstance(given, float):
        return given
    try:
        return parse_duration(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def count(given: str | int) -> int:
    """Read a whole number from 1 on; typer's own range says it differently in each version."""
    try:
        number = int(given)
    except ValueError:
        number = 0
    if number < 1:
        raise typer.BadParameter(f"{given!r} is not a whole number, 1 or more")
    return number


def parse_switch(text: str) -> bool:
    """
    Read true or false as etcdctl does.

    Raises:
        ValueError: In one sentence for the person who wrote it.

    Source: ParseBool of Go's strconv package.
    """
    if text in {"1", "t", "T", "true", "TRUE", "True"}:
        return True
    if text in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise ValueError(f"{text!r} is not true or false")


def switch(given: str) -> bool:
    """Read an option that is true or false."""
    try:
        return parse_switch(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def one_of(*choices: _Choice) -> Callable[[str], _Choice]:
    """Make a reader for some members of an enumeration, written as their values."""
    by_value = {choice.value: choice for choice in choices}

    def choice(given: str) -> _Choice:
        if given not in by_value:
            raise typer.BadParameter(f"{given!r} is none of {', '.join(by_value)}")
        return by_value[given]

    return choice


@dataclass(frozen=True, kw_only=True)
class TargetFlags:
    """Which keys a command is about."""

    prefix: Annotated[
        list[str],
        typer.Option(
            "--prefix",
            metavar="PREFIX",
            help="Keys that begin with this, byte for byte as etcdctl takes it; repeatable."
            " Default: the prefixes of lockdoctor.toml.",
            rich_help_panel=_TARGETS,
        ),
    ] = field(default_factory=list)
    prefix_hex: Annotated[
        list[str],
        typer.Option(
            "--prefix-hex",
            metavar="HEX",
            help="The same for keys that are not text: 2f6d792f is /my/; repeatable.",
            rich_help_panel=_TARGETS,
        ),
    ] = field(default_factory=list)
    all_keys: Annotated[
        bool,
        typer.Option(
            "--all-keys",
            help="Every key of the cluster; a role without root rarely may read them.",
            rich_help_panel=_TARGETS,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class LimitFlags:
    """Limits for every prefix of this run."""

    kind: Annotated[
        Any,  # Kind | None; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--kind",
            parser=one_of(Kind.LOCK, Kind.ELECTION, Kind.REGISTRATION),
            metavar="KIND",
            help="What the keys are for: lock, election or registration. The last two are kept as"
            " long as their process lives, by design. Default: the keys' own shape says.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_hold_s: Annotated[
        float | None,
        typer.Option(
            "--max-hold",
            parser=duration,
            metavar="DURATION",
            help="The longest that a lock may be held (90s, 5m, 1h30m). Say it where you know it:"
            " a suspicion then becomes a verdict.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    critical_hold_s: Annotated[
        float | None,
        typer.Option(
            "--critical-hold",
            parser=duration,
            metavar="DURATION",
            help="From here on a hold is CRITICAL even if nobody waits.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_wait_s: Annotated[
        float | None,
        typer.Option(
            "--max-wait",
            parser=duration,
            metavar="DURATION",
            help="The longest that anyone may wait for a lock (5m).",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_ttl_s: Annotated[
        float | None,
        typer.Option(
            "--max-ttl",
            parser=duration,
            metavar="DURATION",
            help="The longest TTL of a lock's lease: so long it stays taken after a crash (10m).",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_idle_session_s: Annotated[
        float | None,
        typer.Option(
            "--max-idle-session",
            parser=duration,
            metavar="DURATION",
            help="The longest that a session may live without a key (no limit).",
            rich_help_panel=_LIMITS,
        ),
    ] = None

    def limits(self) -> Limits:
        """Give those that were given."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return cast("Limits", given)  # the fields bear the names of Limits; a test compares them


@dataclass(frozen=True, kw_only=True)
class JournalFlags:
    """Where what is done to etcd is written down."""

    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="What is done to etcd is written down here, before and after. Default:"
            " LOCKDOCTOR_JOURNAL, then lockdoctor/journal.jsonl in the XDG state folder.",
            rich_help_panel="Journal",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReadingFlags:
    """How much of the cluster is read, and how fast."""

    max_rate: Annotated[
        int,
        typer.Option(
            "--max-rate",
            parser=count,
            metavar="N",
            show_default=False,
            help="At most so many look-ups of leases a second (5000); the first tenth goes at"
            " once.",
            rich_help_panel=RUN,
        ),
    ] = 5000
    no_sessions: Annotated[
        bool,
        typer.Option(
            "--no-sessions",
            help="Do not look for leaked sessions: the leases of the whole cluster without a key.",
            rich_help_panel=RUN,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class HistoryFlags:
    """Where what earlier runs have seen is kept."""

    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="FILE",
            help="Build on what earlier runs have seen, and add to it: that proves how long a lock"
            " has been held. Default: LOCKDOCTOR_HISTORY, then lockdoctor/history.sqlite3 in the"
            " XDG state folder.",
            rich_help_panel=RUN,
        ),
    ] = None
    no_history: Annotated[
        bool,
        typer.Option(
            "--no-history",
            help="Build on no earlier run, and leave nothing for later ones.",
            rich_help_panel=RUN,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ConnectionFlags:
    """Where etcd is and who we are; the environment is read beside it, in cli/config/connection.py."""

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
        Any,  # bool | None, which typer would make a flag without a value
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
        Any,  # bool | None, which typer would make a flag without a value
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
    """Which configuration file, and which of its clusters."""

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
            help="The connection in [clusters.NAME] of the configuration file; it beats the"
            " environment, as a flag does.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None


class Format(str, enum.Enum):
    """The forms of what most commands write."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class FormatFlags:
    """In which form."""

    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*Format),
            metavar="table|json",
            show_default=False,
            help="For people (the default) or for programs.",
        ),
    ] = Format.TABLE
