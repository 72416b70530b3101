"""Who decides about the connection: flags, the named cluster, the environment, the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.cli.config.connection import (
    ConnectionValues,
    connection_settings,
    from_environment,
    from_flags,
    refuse_other_variables,
    split_endpoints,
)
from lockdoctor.cli.options.connection import ConnectionFlags
from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.auth import GivenToken
from lockdoctor.etcd.connection.settings import ConnectionSettings


def settings(*sources: ConnectionValues, typed: str | None = None) -> ConnectionSettings:
    return connection_settings(sources, None if typed is None else lambda _prompt: str(typed))


def test_nothing_given_is_etcdctls_default() -> None:
    """Without any word about it, lockdoctor asks the etcd on this machine, as etcdctl does."""
    plain = settings({}, {})

    assert plain.endpoints == ("127.0.0.1:2379",)
    assert (plain.cacert, plain.cert, plain.key, plain.user, plain.password) == (None,) * 5
    assert (plain.dial_timeout_s, plain.command_timeout_s) == (2, 8)


def test_each_value_comes_from_the_strongest_source_that_has_it() -> None:
    """A flag beats the environment and the environment the file, value by value."""
    merged = settings(
        from_flags(ConnectionFlags(endpoints="flag:1", dial_timeout_s=1.0)),
        from_environment(
            {
                "ETCDCTL_ENDPOINTS": "env:1,env:2",
                "ETCDCTL_CACERT": "env.pem",
                "ETCDCTL_DIAL_TIMEOUT": "9s",
                "ETCDCTL_COMMAND_TIMEOUT": "1m",
            }
        ),
        {"endpoints": ("file:1",), "cacert": "file.pem", "cert": "file.crt", "key": "file.key"},
    )

    assert merged == ConnectionSettings(
        endpoints=("flag:1",),
        cacert="env.pem",
        cert="file.crt",
        key="file.key",
        dial_timeout_s=1,
        command_timeout_s=60,
    )


def test_every_variable_is_read() -> None:
    """All of etcdctl's variables count, and our own for the password file."""
    assert from_environment(
        {
            "ETCDCTL_ENDPOINTS": "a:1, b:2,",
            "ETCDCTL_CACERT": "ca",
            "ETCDCTL_CERT": "crt",
            "ETCDCTL_KEY": "key",
            "ETCDCTL_USER": "ops",
            "LOCKDOCTOR_PASSWORD_FILE": "pw",
            "ETCDCTL_DIAL_TIMEOUT": "500ms",
            "ETCDCTL_COMMAND_TIMEOUT": "1m5s",
            "ETCDCTL_INSECURE_SKIP_TLS_VERIFY": "true",
            "ETCDCTL_INSECURE_TRANSPORT": "false",
            "ETCDCTL_DISCOVERY_SRV": "example.com",
            "ETCDCTL_DISCOVERY_SRV_NAME": "blue",
            "ETCDCTL_INSECURE_DISCOVERY": "0",
            "ETCDCTL_KEEPALIVE_TIME": "10s",
            "ETCDCTL_KEEPALIVE_TIMEOUT": "3s",
            "LOCKDOCTOR_AUTH_TOKEN_FILE": "token",
            "ETCDCTL_API": "3",
        }
    ) == {
        "endpoints": ("a:1", "b:2"),
        "cacert": "ca",
        "cert": "crt",
        "key": "key",
        "user": "ops",
        "password_file": "pw",
        "dial_timeout_s": 0.5,
        "command_timeout_s": 65,
        "insecure_skip_tls_verify": True,
        "insecure_transport": False,
        "discovery_srv": "example.com",
        "discovery_srv_name": "blue",
        "insecure_discovery": False,
        "keepalive_time_s": 10,
        "keepalive_timeout_s": 3,
        "auth_token_file": "token",
    }
    assert from_environment({"ETCDCTL_AUTH_JWT_TOKEN": "hunter2"}) == {"auth_jwt_token": "hunter2"}
    assert from_environment({"ETCDCTL_PASSWORD": "hunter2"}) == {"password": "hunter2"}


def test_empty_variables_are_not_set() -> None:
    """An empty variable counts as none, as etcdctl has it."""
    assert from_environment({"ETCDCTL_ENDPOINTS": "", "ETCDCTL_USER": ""}) == {}


def test_an_empty_flag_takes_back_the_environment() -> None:
    """`--user ""` connects as nobody, whatever the environment says."""
    merged = settings(
        from_flags(ConnectionFlags(user="")),
        from_environment({"ETCDCTL_USER": "ops:hunter2"}),
    )

    assert merged.user is None


def test_bad_variable_is_named() -> None:
    """A duration that is none is refused with the name of its variable."""
    with pytest.raises(ConfigError, match=r"^ETCDCTL_DIAL_TIMEOUT: '5' has no unit"):
        from_environment({"ETCDCTL_DIAL_TIMEOUT": "5"})


@pytest.mark.parametrize("flags", [ConnectionFlags(endpoints=""), ConnectionFlags(endpoints=", ,")])
def test_empty_list_of_endpoints_is_refused(flags: ConnectionFlags) -> None:
    """A list of endpoints without an endpoint is a mistake, not the default."""
    with pytest.raises(ConfigError, match=r"^The list of endpoints is empty"):
        from_flags(flags)


def test_endpoints_are_split_at_commas() -> None:
    """Endpoints are separated by commas; blanks around them do not count."""
    assert split_endpoints("http://a:1, [::1]:2379 ,b") == ("http://a:1", "[::1]:2379", "b")


def test_password_behind_the_user() -> None:
    """`name:password` is taken apart at the first colon."""
    both = settings(from_flags(ConnectionFlags(user="ops:a:b")))

    assert (both.user, both.password) == ("ops", "a:b")


def test_user_with_a_colon() -> None:
    """Beside a password of its own the user is whole, colon and all, as etcdctl has it."""
    both = settings(from_flags(ConnectionFlags(user="ops:a", password="b")))

    assert (both.user, both.password) == ("ops:a", "b")


def test_flag_user_with_the_password_of_the_environment() -> None:
    """A password whose source names no user serves whichever user is chosen."""
    both = settings(
        from_flags(ConnectionFlags(user="ops")), from_environment({"ETCDCTL_PASSWORD": "x"})
    )

    assert (both.user, both.password) == ("ops", "x")


def test_password_of_another_user_is_not_used() -> None:
    """A password that was given for one user is never sent as another's."""
    flags = from_flags(ConnectionFlags(user="ops"))
    environ = from_environment({"ETCDCTL_USER": "root:hunter2"})

    assert settings(flags, environ, typed="mine").password == "mine"
    with pytest.raises(ConfigError, match=r"^No password for the user 'ops'"):
        settings(flags, environ)


def test_password_file_beats_a_weaker_password(tmp_path: Path) -> None:
    """The first line of a password file is the password, and wins over weaker sources."""
    file = tmp_path / "pw"
    file.write_bytes(b"s\xc3\xa9cret \r\nsecond line\n")
    both = settings(
        from_flags(ConnectionFlags(user="ops", password_file=str(file))),
        from_environment({"ETCDCTL_PASSWORD": "x"}),
    )

    assert both.password == "sécret "


def test_password_beats_a_weaker_password_file() -> None:
    """A password given on the command line wins over a file named in the environment."""
    both = settings(
        from_flags(ConnectionFlags(user="ops:x")),
        from_environment({"LOCKDOCTOR_PASSWORD_FILE": "nowhere"}),
    )

    assert both.password == "x"


def test_two_passwords_in_one_place_are_refused() -> None:
    """One source cannot give two passwords."""
    with pytest.raises(ConfigError, match=r"^Two passwords given"):
        from_flags(ConnectionFlags(user="ops", password="x", password_file="y"))


def test_missing_password_is_asked_for() -> None:
    """Where a person can be asked, a missing password is asked for, naming the user."""
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "typed"

    both = connection_settings([from_flags(ConnectionFlags(user="ops"))], ask)

    assert both.password == "typed"
    assert prompts == ["Password of etcd's user ops: "]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "Cannot read the password file"),
        (b"\n", "The first line of the password file"),
        (b"\xffhunter2", "is not UTF-8 text"),
    ],
)
def test_bad_password_files_are_refused(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    """A password file that cannot serve is named, and what it holds is not shown."""
    file = tmp_path / "pw"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint) as refused:
        settings(from_flags(ConnectionFlags(user="ops", password_file=str(file))))

    assert str(file) in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("flags", [ConnectionFlags(cert="c"), ConnectionFlags(key="k")])
def test_certificate_and_key_go_together(flags: ConnectionFlags) -> None:
    """A client certificate without its key, or the key alone, is refused."""
    with pytest.raises(ConfigError, match=r"^A client certificate needs its key"):
        settings(from_flags(flags))


def test_switches_that_are_off_are_given() -> None:
    """False takes back what a weaker source turns on."""
    merged = settings(
        {"insecure_skip_tls_verify": False, "insecure_transport": True},
        from_environment(
            {"ETCDCTL_INSECURE_SKIP_TLS_VERIFY": "1", "ETCDCTL_INSECURE_TRANSPORT": "false"}
        ),
    )
    assert not merged.insecure_skip_tls_verify
    assert merged.insecure_transport
    assert not settings({"insecure_transport": False}).insecure_transport


@pytest.mark.parametrize(
    ("given", "bare_is_tls"),
    [
        ({}, False),
        ({"insecure_transport": False}, True),
        ({"insecure_skip_tls_verify": True}, True),
        ({"cacert": "ca"}, True),
    ],
)
def test_when_bare_endpoints_use_tls(given: ConnectionValues, *, bare_is_tls: bool) -> None:
    """As in etcdctl: with a file, without insecure transport, or to skip the verification."""
    assert settings(given).tls.is_given is bare_is_tls


def test_a_token_and_a_user() -> None:
    """A token beats the user beside it and weaker ones; a user beats a weaker token."""
    token = from_environment({"ETCDCTL_AUTH_JWT_TOKEN": "t", "ETCDCTL_USER": "ops:hunter2"})
    user = from_flags(ConnectionFlags(user="ops:x"))
    file = from_flags(ConnectionFlags(auth_token_file="f"))

    assert (settings(token).token, settings(token).user) == (GivenToken(token="t"), None)
    assert (settings(user, token).token, settings(user, token).user) == (None, "ops")
    assert (settings(file, user).token, settings(file, user).user) == (GivenToken(file="f"), None)
    assert settings(file, token).token == GivenToken(file="f")


def test_an_empty_flag_takes_back_a_token() -> None:
    """Another user of a weaker source counts again."""
    token = from_environment({"ETCDCTL_AUTH_JWT_TOKEN": "t"})
    user = from_flags(ConnectionFlags(user="ops:x"))

    assert settings(from_flags(ConnectionFlags(auth_token_file="")), token).token is None
    assert settings(from_flags(ConnectionFlags(user="")), token).token is None
    assert settings(from_flags(ConnectionFlags(auth_token_file="")), user).user == "ops"


def test_two_tokens_in_one_place_are_refused() -> None:
    """One source cannot give two tokens."""
    with pytest.raises(ConfigError, match=r"^Two tokens given"):
        from_environment({"ETCDCTL_AUTH_JWT_TOKEN": "t", "LOCKDOCTOR_AUTH_TOKEN_FILE": "f"})


def test_variables_of_the_v2_api() -> None:
    """They stop a run only where the value that replaced them is missing."""
    environ = {"ETCDCTL_CA_FILE": "ca", "ETCDCTL_ENDPOINT": "a:1", "ETCDCTL_CERT_FILE": ""}

    with pytest.raises(ConfigError, match=r"^ETCDCTL_CA_FILE is not .*Set ETCDCTL_CACERT"):
        refuse_other_variables(environ, [{"endpoints": ("a:1",)}])
    assert refuse_other_variables(environ, [{"endpoints": ("a:1",)}, {"cacert": "x"}]) == (
        "ETCDCTL_CA_FILE",
        "ETCDCTL_ENDPOINT",
    )


def test_variables_that_do_not_matter() -> None:
    """What only changes etcdctl's output or its limits is no reason for a word."""
    names = ("DEBUG", "HEX", "WRITE_OUT", "MAX_REQUEST_BYTES", "MAX_RECV_BYTES", "WATCH_KEY")
    environ = dict.fromkeys((f"ETCDCTL_{name}" for name in names), "1")
    given = {"ETCDCTL_API": "3", "ETCDCTL_ENDPOINTS": "a", "OTHER": "x", "ETCDCTL_EMPTY": ""}

    assert refuse_other_variables(environ | given, []) == ()


@pytest.mark.parametrize(
    "flags", [ConnectionFlags(user="ops:hunter2"), ConnectionFlags(user="o", password="hunter2")]
)
def test_passwords_stay_out_of_reprs(flags: ConnectionFlags) -> None:
    """Nothing that is shown of the flags or the settings holds the password."""
    assert "hunter2" not in repr(flags)
    assert "hunter2" not in repr(settings(from_flags(flags)))
    assert "hunter2" not in repr(settings({"auth_jwt_token": "hunter2"}))
