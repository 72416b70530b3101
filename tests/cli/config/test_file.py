"""lockdoctor.toml: what it may say, and how it is told what it may not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lockdoctor.cli.config.file import find_config, read_config
from lockdoctor.domain.check.accepted_findings import Acceptance
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Rule, Treatment
from lockdoctor.domain.recipes.registry import built_in
from lockdoctor.errors import ConfigError

WHOLE = """\
[connection]
endpoints = ["10.0.0.1:2379", "10.0.0.2:2379"]
cacert = "tls/ca.pem"
cert = "/etc/tls/client.pem"
key = "tls/client.key"
user = "ops"
password_file = "pw"
dial_timeout = "1s"
command_timeout = "1m30s"

[clusters.test]
endpoints = ["127.0.0.1:12379"]

[[prefix]]
prefix = "/jobs/"
kind = "lock"
max_hold = "10m"
critical_hold = "1h"
max_wait = "2m"
max_ttl = "90s"
max_idle_session = "1d"
pile_up = 200

[[accept]]
lock = "/jobs/import"
verdict = "leaked-lock"
until = 2026-03-31
reason = "rewritten in March"

[[accept]]
prefix = "/old/"
verdict = "eternal-lock"
until = 2026-12-31
reason = "goes with the old cluster"

[[accept]]
key = "/jobs/x/694d71ddacfda227"
verdict = "long-ttl"
until = 2026-12-31
reason = "a slow machine"

[[accept]]
verdict = "leaked-session"
until = 2026-12-31
reason = "one a day"

[[prefix]]
prefix_hex = "ff00"
kind = "ignore"

[[prefix]]
prefix = ""
max_hold = "1h30m"
"""


def a_file(folder: Path, text: str) -> Path:
    file = folder / "lockdoctor.toml"
    file.write_text(text, encoding="utf-8")
    return file


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        read_config(a_file(folder, text))
    return str(refused.value).replace(str(folder) + "/", "")


def test_every_way_to_connect_is_read(tmp_path: Path) -> None:
    """What etcdctl's newer variables say, and where a token lies."""
    text = """\
[clusters.srv]
discovery_srv = "example.com"
discovery_srv_name = "blue"
insecure_discovery = false
insecure_transport = false
insecure_skip_tls_verify = true
keepalive_time = "30s"
keepalive_timeout = "5s"
auth_token_file = "token"
"""
    assert read_config(a_file(tmp_path, text)).cluster("srv") == {
        "discovery_srv": "example.com",
        "discovery_srv_name": "blue",
        "insecure_discovery": False,
        "insecure_transport": False,
        "insecure_skip_tls_verify": True,
        "keepalive_time_s": 30,
        "keepalive_timeout_s": 5,
        "auth_token_file": str(tmp_path / "token"),
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('insecure_transport = "no"', "insecure_transport: must be true or false, without quotes"),
        ('user = "a"\nauth_token_file = "f"', "user and auth_token_file exclude each other"),
        ('auth_jwt_token = "t"', "unknown key"),
    ],
)
def test_connections_that_make_no_sense(line: str, says: str, tmp_path: Path) -> None:
    """They are refused; a token itself has no place in the file."""
    assert says in complaint(tmp_path, f"[connection]\n{line}\n")


def test_everything_is_read(tmp_path: Path) -> None:
    """Every documented key is read, in seconds, with files found beside the configuration."""
    config = read_config(a_file(tmp_path, WHOLE))

    assert config.connection == {
        "endpoints": ("10.0.0.1:2379", "10.0.0.2:2379"),
        "cacert": str(tmp_path / "tls/ca.pem"),
        "cert": "/etc/tls/client.pem",
        "key": str(tmp_path / "tls/client.key"),
        "user": "ops",
        "password_file": str(tmp_path / "pw"),
        "dial_timeout_s": 1,
        "command_timeout_s": 90,
    }
    assert config.cluster("test") == {"endpoints": ("127.0.0.1:12379",)}
    assert config.rules == (
        Rule(
            b"/jobs/",
            {
                "kind": Kind.LOCK,
                "max_hold_s": 600,
                "critical_hold_s": 3600,
                "max_wait_s": 120,
                "max_ttl_s": 90,
                "max_idle_session_s": 86400,
                "pile_up": 200,
            },
        ),
        Rule(b"\xff\x00", {"kind": Kind.IGNORE}),
        Rule(b"", {"max_hold_s": 5400}),
    )
    end_of_year = date(2026, 12, 31)
    assert config.acceptances == (
        Acceptance(
            lock=b"/jobs/import",
            verdict=VerdictKind.LEAKED_LOCK,
            until=date(2026, 3, 31),
            reason="rewritten in March",
            where=f"{config.file} line 24",
        ),
        Acceptance(
            prefix=b"/old/",
            verdict=VerdictKind.ETERNAL_LOCK,
            until=end_of_year,
            reason="goes with the old cluster",
            where=f"{config.file} line 30",
        ),
        Acceptance(
            key=b"/jobs/x/694d71ddacfda227",
            verdict=VerdictKind.LONG_TTL,
            until=end_of_year,
            reason="a slow machine",
            where=f"{config.file} line 36",
        ),
        Acceptance(
            verdict=VerdictKind.LEAKED_SESSION,
            until=end_of_year,
            reason="one a day",
            where=f"{config.file} line 42",
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[connection]\nuser = "a"\n\nendpoint = ["b"]\n',
            'lockdoctor.toml line 4: unknown key "endpoint". Did you mean endpoints?',
        ),
        (
            "[conection]\n",
            'lockdoctor.toml line 1: unknown key "conection". Did you mean connection?',
        ),
        (
            '[[accept]]\nverdict = "leaked-lock"\nuntil = 2026-03-31\nreason = "x"\n',
            ("lockdoctor.toml line 1: an [[accept]] needs one of lock, prefix and key."),
        ),
        (
            (
                '[[accept]]\nlock = "/a"\nkey = "/a/7"\nverdict = "leaked-lock"\n'
                'until = 2026-03-31\nreason = "x"\n'
            ),
            ("lockdoctor.toml line 1: an [[accept]] needs one of lock, prefix and key."),
        ),
        (
            '[[accept]]\nlock = "/a"\nuntil = 2026-03-31\nreason = "x"\n',
            "lockdoctor.toml line 1: an [[accept]] needs verdict, until and reason. Add verdict.",
        ),
        (
            '[[accept]]\nlock = "/a"\nverdict = "leaked-lock"\nreason = "x"\n',
            "lockdoctor.toml line 1: an [[accept]] needs verdict, until and reason. Add until.",
        ),
        (
            '[[accept]]\nlock = "/a"\nverdict = "leaked-lock"\nuntil = 2026-03-31\n',
            "lockdoctor.toml line 1: an [[accept]] needs verdict, until and reason. Add reason.",
        ),
        (
            '[[accept]]\nlock = "/a"\nuntil = "2026-03-31"\n',
            "lockdoctor.toml line 3: until: must be a date without quotes, like 2026-12-31",
        ),
        (
            '[[accept]]\nlock = "/a"\nuntil = 2026-03-31T12:00:00Z\n',
            "lockdoctor.toml line 3: until: must be a date without quotes, like 2026-12-31",
        ),
        (
            '[[accept]]\nlock = "/a"\nreason = ""\n',
            "lockdoctor.toml line 3: reason: must be a text in quotes, and not empty",
        ),
        (
            (
                '[[accept]]\nverdict = "leaked-session"\nprefix = "/a/"\nuntil = 2026-03-31\n'
                'reason = "x"\n'
            ),
            "lockdoctor.toml line 3: leaked-session is about leases without keys. Remove the key",
        ),
        (
            '[[accept]]\nlock = "/a"\nuntill = 2026-03-31\n',
            'lockdoctor.toml line 3: unknown key "untill". Did you mean until?',
        ),
        (
            '[connection]\npassword = "hunter2"\n',
            'lockdoctor.toml line 2: unknown key "password". Did you mean password_file?',
        ),
        (
            '[[prefix]]\nprefix = "/a/"\nzzz = 1\n',
            (
                'lockdoctor.toml line 3: unknown key "zzz". Known here: prefix, prefix_hex, kind,'
                " max_hold, critical_hold, max_wait, max_ttl, max_idle_session, pile_up,"
                " treat, treat_min_held, treat_min_runs, treat_max_per_run, treat_max_per_day"
            ),
        ),
        (
            '[[prefix]]\nprefix = "/a/"\n[[prefix]]\nprefix = "/b/"\nmax_hold = "5"\n',
            (
                "lockdoctor.toml line 5: max_hold: '5' has no unit;"
                " write 5s for seconds, 5m for minutes"
            ),
        ),
        (
            '[[prefix]]\nprefix = "/a/"\nmax_hold = 5\n',
            (
                "lockdoctor.toml line 3: max_hold: must be a duration in quotes,"
                ' like "90s", "5m" or "1h30m"'
            ),
        ),
        (
            '[[prefix]]\nprefix = "/a/"\nmax_ttl = "-1s"\n',
            "lockdoctor.toml line 3: max_ttl: '-1s' is negative; write a duration like 90s.",
        ),
        (
            '[[prefix]]\nprefix = "/a/"\nmax_hold = "2h"\ncritical_hold = "1h"\n',
            "lockdoctor.toml line 4: critical_hold is shorter than max_hold",
        ),
        (
            '[[prefix]]\nprefix = "/a/"\nkind = "unknown"\n',
            "lockdoctor.toml line 3: kind: must be one of lock, election, registration, ignore",
        ),
        (
            '[[prefix]]\nprefix = "/a/"\npile_up = 0\n',
            "lockdoctor.toml line 3: pile_up: must be a whole number, 1 or more",
        ),
        (
            '[[prefix]]\nprefix = "/a/"\npile_up = true\n',
            "lockdoctor.toml line 3: pile_up: must be a whole number, 1 or more",
        ),
        (
            '# hello\n[[prefix]]\nkind = "lock"\n',
            "lockdoctor.toml line 2: a [[prefix]] needs either prefix or prefix_hex.",
        ),
        (
            '[[prefix]]\nprefix = "/a"\nprefix_hex = "2f"\n',
            "lockdoctor.toml line 1: a [[prefix]] needs either prefix or prefix_hex.",
        ),
        (
            '[[prefix]]\nprefix = "/a"\n[[prefix]]\nprefix_hex = "2f61"\n',
            "lockdoctor.toml line 3: this prefix has an earlier [[prefix]]. Join the two.",
        ),
        (
            '[[prefix]]\nprefix_hex = "2f6"\n',
            (
                "lockdoctor.toml line 2: prefix_hex: must be hexadecimal digits in pairs,"
                ' like "2f6d79"'
            ),
        ),
        (
            "[[prefix]]\nprefix = 7\n",
            'lockdoctor.toml line 2: prefix: must be a text in quotes, like "/my-lock/"',
        ),
        (
            '[prefix]\nprefix = "/a/"\n',
            "lockdoctor.toml line 1: prefix is a list of tables. Write [[prefix]] in",
        ),
        (
            "connection = 1\n",
            "lockdoctor.toml line 1: connection is a table. Write [connection] above its keys.",
        ),
        (
            "[clusters]\nprod = 1\n",
            "lockdoctor.toml line 2: prod is a table. Write [clusters.prod] above its keys.",
        ),
        (
            '[connection]\nendpoints = "10.0.0.1:2379"\n',
            (
                "lockdoctor.toml line 2: endpoints: must be a list of texts,"
                ' like ["10.0.0.1:2379", "10.0.0.2:2379"]'
            ),
        ),
        (
            "[clusters.a]\ncacert = 1\n",
            "lockdoctor.toml line 2: cacert: must be a text in quotes, and not empty",
        ),
        (
            '[clusters.a]\nuser = "ops:hunter2"\n',
            (
                "lockdoctor.toml line 2: user: has a password."
                " Write it into a file, and set password_file"
            ),
        ),
        (
            "[connection]\nuser = \n",
            "lockdoctor.toml is not TOML: Invalid value (at line 2, column 8)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    """An unknown key or a bad value is an error that names the line and says what to write."""
    assert complaint(tmp_path, text).startswith(message)


@pytest.mark.parametrize("secret", ['password = "hunter2"', 'user = "ops:hunter2"'])
def test_secrets_in_the_file_are_not_repeated(tmp_path: Path, secret: str) -> None:
    """A password that stands where it should not is refused without being shown."""
    assert "hunter2" not in complaint(tmp_path, f"[connection]\n{secret}\n")


TREATED = """\
[[prefix]]
prefix = "/jobs/"
treat = "release"
treat_min_held = "30m"
"""


def test_what_may_be_treated_unattended_is_read(tmp_path: Path) -> None:
    """Nothing unless the file says how and from when on; the rest has careful defaults."""
    (rule,) = read_config(a_file(tmp_path, TREATED)).rules
    more = "treat_min_runs = 2\ntreat_max_per_run = 4\ntreat_max_per_day = 9\n"
    (busy,) = read_config(a_file(tmp_path, TREATED + more)).rules
    (other,) = read_config(a_file(tmp_path, '[[prefix]]\nprefix = "/jobs/"\n')).rules

    assert rule == Rule(b"/jobs/", {}, Treatment(how=Action.RELEASE, min_held_s=1800.0))
    assert busy.treatment == Treatment(
        how=Action.RELEASE, min_held_s=1800.0, min_runs=2, max_per_run=4, max_per_day=9
    )
    assert other.treatment is None


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("release", "undo"), 3, "treat: must be one of revoke, release, quarantine"),
        (('treat = "release"\n', ""), 3, "treat_min_held has no effect without treat"),
        (('treat_min_held = "30m"', ""), 3, "treat needs treat_min_held: the minimum hold"),
        (('"/jobs/"', '""'), 3, "treat needs a prefix; this table is for every key"),
        (('"30m"', "30"), 4, "treat_min_held: must be a duration in quotes"),
        (('"30m"', '"30m"\nmax_hold = "31m"'), 4, "treat_min_held is shorter than max_hold"),
        (('"30m"', '"30m"\ntreat_min_runs = 1'), 5, "treat_min_runs: must be 2 or more"),
        (('"30m"', '"30m"\nkind = "election"'), 3, "treat is for locks, but the kind is another"),
        (('"30m"', '"30m"\ntreat_max_per_day = 0'), 5, "treat_max_per_day: must be a whole number"),
        (("treat_min_held", "treat_min_hold"), 4, 'unknown key "treat_min_hold". Did you mean'),
    ],
)
def test_a_treatment_that_makes_no_sense_is_refused(
    tmp_path: Path, change: tuple[str, str], line: int, message: str
) -> None:
    """What acts unattended is never guessed."""
    refused = complaint(tmp_path, TREATED.replace(*change))

    assert refused.startswith(f"lockdoctor.toml line {line}: {message}")


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """A file that was named but cannot be read is an error, not an empty configuration."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"Cannot read .*nowhere.toml: No such file"):
        read_config(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match=r"binary.toml is not UTF-8 text"):
        read_config(binary)


def test_unknown_cluster_names_those_that_there_are(tmp_path: Path) -> None:
    """A cluster that the file does not have is an error that lists those that it has."""
    config = read_config(a_file(tmp_path, '[clusters.a]\nuser="x"\n[clusters.b]\nuser="x"\n'))

    with pytest.raises(ConfigError, match=r"has no cluster 'c'. Its clusters: a, b.$"):
        config.cluster("c")
    with pytest.raises(ConfigError, match=r"--cluster c needs a lockdoctor.toml"):
        read_config(None).cluster("c")


def test_the_file_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag comes before LOCKDOCTOR_CONFIG, then the current folder, then the XDG folder."""
    work, xdg, home = tmp_path / "work", tmp_path / "xdg", tmp_path / "home"
    for folder in (work, xdg / "lockdoctor", home / ".config" / "lockdoctor"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(work)
    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(xdg)}

    assert find_config(None, environ) is None
    in_home = a_file(home / ".config" / "lockdoctor", "")
    assert find_config(None, {"HOME": str(home)}) == in_home
    in_xdg = a_file(xdg / "lockdoctor", "")
    assert find_config(None, environ) == in_xdg
    a_file(work, "")
    assert find_config(None, environ) == Path("lockdoctor.toml")
    environ["LOCKDOCTOR_CONFIG"] = "named.toml"
    assert find_config(None, environ) == Path("named.toml")
    assert find_config(Path("flag.toml"), environ) == Path("flag.toml")


def test_a_folder_that_may_not_be_searched_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sudo -u` keeps HOME: another user's folder is passed over, and no traceback comes."""

    def denied(place: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "is_file", denied)

    assert find_config(None, {"HOME": str(tmp_path)}) is None


def test_what_is_no_finding_cannot_be_accepted(tmp_path: Path) -> None:
    """Only what alarms can be kept from it; the message names what that is."""
    text = complaint(tmp_path, '[[accept]]\nlock = "/a"\nverdict = "healthy"\n')

    assert text.startswith("lockdoctor.toml line 3: verdict: must be one of deadlock, ")
    assert "idle-session" not in text


RECIPE = """\
[[recipe]]
name = "jobs"
match = "/jobs/{lock}/{lease:hex}"
kind = "lock"
"""


def test_recipes_of_ones_own_are_read(tmp_path: Path) -> None:
    """They come before the built-in ones, in the order of the file."""
    more = RECIPE.replace('"jobs"', '"more"').replace("/jobs/", "/more/")
    config = read_config(a_file(tmp_path, RECIPE + more))

    assert [recipe.name for recipe in config.recipes] == ["jobs", "more"]
    assert [recipe.name for recipe in config.book.in_order[:2]] == ["jobs", "more"]
    assert read_config(None).book is built_in()


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("lease:hex", "lease"), None, ""),
        (("{lock}", "{lock"), 3, "match: it has a single brace. A placeholder is {name} or"),
        (('"lock"', '"job"'), 4, "kind: must be one of lock, election, registration, data"),
        (('kind = "lock"', ""), 1, "each [[recipe]] needs a kind: one of lock, election"),
        (('"jobs"', '"mutex"'), 2, "name: there is a recipe 'mutex' already. Choose another name"),
        (("match", "mach"), 3, 'unknown key "mach". Did you mean match?'),
        (('"lock"', '"lock"\nwaiters = false'), 5, "waiters: false contradicts holder"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(
    tmp_path: Path, change: tuple[str, str], line: int | None, message: str
) -> None:
    """The error names the line, and says what to write."""
    text = RECIPE.replace(*change)
    if line is None:
        assert len(read_config(a_file(tmp_path, text)).recipes) == 1
        return

    assert complaint(tmp_path, text).startswith(f"lockdoctor.toml line {line}: {message}")
    assert complaint(tmp_path, RECIPE + RECIPE).startswith("lockdoctor.toml line 6: name: there is")
