"""How flags, environment and file come together in a run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lockdoctor.cli.config.connection import ConnectionValues
from lockdoctor.cli.config.file import Config
from lockdoctor.cli.options.connection import ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import HistoryFlags, LookupFlags, RunFlags
from lockdoctor.cli.runtime.run import history_path, scan_request, settings_of
from lockdoctor.cli.runtime.terminal import in_colour
from lockdoctor.domain.policy.policy import Rule, Thresholds
from lockdoctor.errors import ConfigError

PROD = ConnectionValues(endpoints=("prod:1",), cacert="prod.pem")
FILE = Config(
    file=Path("lockdoctor.toml"),
    connection=ConnectionValues(endpoints=("file:1",), cacert="file.pem"),
    clusters={"prod": PROD},
    rules=(Rule(b"/jobs/", {"max_hold_s": 60, "max_wait_s": 61}),),
)
ENVIRON = {"ETCDCTL_ENDPOINTS": "env:1", "ETCDCTL_DIAL_TIMEOUT": "3s"}


def test_flag_beats_environment_beats_file() -> None:
    """Without --cluster the order is flag, environment, file."""
    settings = settings_of(ConnectionFlags(dial_timeout_s=1.0), None, FILE, ENVIRON)

    assert settings.endpoints == ("env:1",)
    assert settings.cacert == "file.pem"
    assert settings.dial_timeout_s == 1


def test_cluster_named_by_flag_beats_environment() -> None:
    """Whoever names a cluster means it, whatever the shell has exported; nothing is mixed in."""
    settings = settings_of(ConnectionFlags(), "prod", FILE, ENVIRON)

    assert settings.endpoints == ("prod:1",)
    assert settings.cacert == "prod.pem"
    assert settings.dial_timeout_s == 3


def test_flag_beats_the_named_cluster() -> None:
    """A flag beats the cluster that another flag names."""
    settings = settings_of(ConnectionFlags(endpoints="flag:1"), "prod", FILE, {})

    assert settings.endpoints == ("flag:1",)


def test_nobody_is_asked_for_a_password_without_a_terminal() -> None:
    """In a pipe or from cron a missing password is an error."""
    with pytest.raises(ConfigError, match="No password for the user 'ops'"):
        settings_of(ConnectionFlags(user="ops"), None, Config(), {})


def test_request_of_flags_and_file() -> None:
    """Prefixes and limits of the file hold where no flag says otherwise."""
    request = scan_request(
        PrefixFlags(), RunFlags(), LookupFlags(), LimitFlags(max_hold_s=7.0), FILE
    )

    assert request.prefixes == (b"/jobs/",)
    assert request.window_s == 60
    assert request.sessions
    assert request.policy.thresholds_for(b"/jobs/a") == Thresholds(max_hold_s=7, max_wait_s=61)


def test_request_of_flags_alone() -> None:
    """Flags alone suffice."""
    request = scan_request(
        PrefixFlags(prefix=["/a/"]),
        RunFlags(window_s=0.0),
        LookupFlags(no_sessions=True),
        LimitFlags(),
        Config(),
    )

    assert request.prefixes == (b"/a/",)
    assert request.window_s == 0
    assert not request.sessions


def test_flag_beats_variable_beats_the_state_folder() -> None:
    """The history lies where it is said to, else in the XDG state folder."""
    variable = {"LOCKDOCTOR_HISTORY": "of-variable", "XDG_STATE_HOME": "/state"}
    flag = HistoryFlags(history=Path("of-flag"))

    assert history_path(flag, variable) == Path("of-flag")
    assert history_path(HistoryFlags(), variable) == Path("of-variable")
    assert history_path(HistoryFlags(), {"XDG_STATE_HOME": "/state"}) == Path(
        "/state/lockdoctor/history.sqlite3"
    )


def test_no_history_beats_the_variable_and_contradicts_the_flag() -> None:
    """--no-history is meant; beside --history nobody knows what is."""
    variable = {"LOCKDOCTOR_HISTORY": "of-variable"}

    assert history_path(HistoryFlags(no_history=True), variable) is None
    with pytest.raises(ConfigError, match="exclude"):
        history_path(HistoryFlags(history=Path("x"), no_history=True), variable)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("out", "environ", "colour"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colour_only_where_wanted(
    out: io.StringIO,
    environ: dict[str, str],
    colour: bool,  # noqa: FBT001  # an example's answer
) -> None:
    """Colour is for terminals, and NO_COLOR and dumb terminals are respected."""
    assert in_colour(out, environ) is colour
