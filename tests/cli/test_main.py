"""The program from the outside: help, bad usage, errors and exit statuses."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor import __version__
from lockdoctor.cli.main import COMMANDS, load, main
from lockdoctor.cli.options.topics import TOPICS
from lockdoctor.cli.options.types import CONNECTION
from tests.folders import ROOT

PROGRAM = (sys.executable, "-m", "lockdoctor")
CLOSED_PORT = "127.0.0.1:1"
"""Nobody listens there without being root."""

SCAN_OPTIONS = (
    *("--prefix", "--prefix-hex", "--all-keys"),
    *("--window", "--timeout", "--max-rate", "--no-sessions", "--history", "--no-history"),
    "--format",
    *("--pprof", "--pprof-file", "--metrics", "--no-metrics"),
    *("--kind", "--max-hold", "--critical-hold", "--max-wait", "--max-ttl", "--max-idle-session"),
)
CONNECTION_OPTIONS = (
    *("--endpoints", "--cacert", "--cert", "--key", "--user", "--password", "--password-file"),
    *("--auth-token-file", "--insecure-skip-tls-verify", "--insecure-transport"),
    *("--discovery-srv", "--discovery-srv-name", "--insecure-discovery"),
    *("--keepalive-time", "--keepalive-timeout"),
    *("--dial-timeout", "--command-timeout", "--config", "--cluster"),
)
VARIABLES = (
    *("ETCDCTL_ENDPOINTS", "ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY", "ETCDCTL_USER"),
    *("ETCDCTL_PASSWORD", "ETCDCTL_DIAL_TIMEOUT", "ETCDCTL_COMMAND_TIMEOUT"),
    *("ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "ETCDCTL_INSECURE_TRANSPORT"),
    *("ETCDCTL_DISCOVERY_SRV", "ETCDCTL_DISCOVERY_SRV_NAME", "ETCDCTL_INSECURE_DISCOVERY"),
    *("ETCDCTL_KEEPALIVE_TIME", "ETCDCTL_KEEPALIVE_TIMEOUT", "ETCDCTL_AUTH_JWT_TOKEN"),
    *("LOCKDOCTOR_PASSWORD_FILE", "LOCKDOCTOR_AUTH_TOKEN_FILE"),
    "LOCKDOCTOR_CONFIG",
)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run(*argv: str | bytes, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *argv],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_option_and_variable(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help of scan fits a terminal, gives examples, and leaves the connection to its topic."""
    assert main(["scan", flag]) == 0
    text = capsys.readouterr().out
    assert main(["help", "connection"]) == 0
    connection = capsys.readouterr().out

    assert named(text) >= {*SCAN_OPTIONS, "LOCKDOCTOR_HISTORY"}
    assert "--cacert" not in named(text)
    assert named(connection) >= {*CONNECTION_OPTIONS, *VARIABLES}
    assert max(len(line) for line in (text + connection).splitlines()) <= 80
    assert "lockdoctor scan --prefix /my-lock/" in text
    assert "Connection: as etcdctl; see `lockdoctor help connection`" in text


def every_help() -> Iterator[list[str]]:
    """All words after which `lockdoctor help` has a page."""
    yield []
    for name in COMMANDS:
        yield [name]
        yield from ([name, inner] for inner in getattr(load(name), "commands", {}))
    yield from ([topic] for topic in TOPICS)


@pytest.mark.parametrize("words", [*every_help()], ids=" ".join)
def test_every_help_fits_a_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 60 lines, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["help", *words]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("command", ["scan", "check", "show", "revoke"])
def test_every_option_is_in_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a topic has the details; those of the connection are in their topic alone."""
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out

    panels = [p for p in load(command).params if getattr(p, "rich_help_panel", None) != CONNECTION]
    options = {opt for param in panels for opt in param.opts if opt.startswith("--")}
    assert options <= named(text)


@pytest.mark.parametrize("words", [[], ["scan"], ["history", "show"]])
def test_help_is_a_command_as_well(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """People type it: it prints what --help prints."""
    assert main(["help", *words]) == 0
    text = capsys.readouterr().out

    assert main([*words, "--help"]) == 0
    assert capsys.readouterr().out == text


def named(text: str) -> set[str]:
    """Return the options and variables that a text names."""
    return set(re.findall(r"--[a-z-]+|[A-Z]+_[A-Z_]+", text))


@pytest.mark.parametrize(
    ("command", "usage", "argument"),
    [
        ("show", "KEY-OR-LEASE", r"Arguments:\n  KEY-OR-LEASE\s"),
        ("revoke", "[LEASE]...", r"What to act on, and how:\n  LEASE\s"),
        ("explain", "[VERDICT]", r"Arguments:\n  VERDICT\s"),
        ("history show", "LOCK-OR-LEASE", r"Arguments:\n  LOCK-OR-LEASE\s"),
        ("journal show", "ENTRY", r"Arguments:\n  ENTRY\s"),
        ("scan", "", ""),
    ],
)
def test_help_says_what_is_to_be_given(
    command: str, usage: str, argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, without the types and the second brackets that typer puts around them."""
    assert main([*command.split(), "--help"]) == 0

    text = capsys.readouterr().out
    first = text.splitlines()[0]
    assert first == f"Usage: lockdoctor {command} [OPTIONS] {usage}".rstrip()
    assert re.search(argument, text)
    assert "<" not in text


def test_help_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    """The program's help lists its commands, each with its first sentence whole."""
    assert main(["--help"]) == 0

    text = capsys.readouterr().out
    assert re.search(r"^  scan +\S.*\.$", text, re.MULTILINE)
    assert "..." not in text.rpartition("Commands:")[2]


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command there is nothing to do: bad usage, with the help."""
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version says name and version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"lockdoctor {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ("scan", "No prefix given. Add `--prefix /my-lock/`, or list prefixes in lockdoctor.toml."),
        ("scan --prefix=", "An empty --prefix selects every key. If you"),
        ("scan --prefix /a --all-keys", "--all-keys and --prefix exclude each other"),
        ("scan --prefix-hex 2f6", "--prefix-hex '2f6' is not pairs of hexadecimal digits"),
        ("scan --prefix /a --window 60", "Invalid value for '--window': '60' has no unit;"),
        ("scan --prefix /a --max-hold=-5s", "Invalid value for '--max-hold': '-5s' is negative"),
        ("scan --prefix /a --dial-timeout 2", "Invalid value for '--dial-timeout': '2' has no"),
        ("scan --prefix /a --max-rate 0", "Invalid value for '--max-rate': '0' is not a whole"),
        (
            "scan --prefix /a --format xml",
            "Invalid value for '--format': 'xml' is not one of: table,",
        ),
        ("scan --prefix /a --kind ignore", "Invalid value for '--kind': 'ignore' is not one of"),
        ("scan --prefix /a --cluster x", "--cluster x needs a lockdoctor.toml, and no such file"),
        ("scan --prefix /a --config no.toml", "Cannot read no.toml: No such file or directory"),
        ("scan --prefix /a --endpoints ,", "The list of endpoints is empty"),
        ("scan --prefix /a --user ops", "No password for the user 'ops'. Add `--password-file"),
        ("scan --prefix /a --cert c", "A client certificate needs its key"),
        ("scan --prefix /a --insecure-transport=no", "Invalid value for '--insecure-transport':"),
        ("scan --prefix /a --user o --auth-token-file f", "--user and --auth-token-file excl"),
        ("scan --prefix /a --auth-token-file no", "Cannot read the token file no: No such file"),
        ("scan --prefix", "Option '--prefix' requires an argument"),
        ("scan --prefix /a /b", "Got unexpected extra argument"),
        ("scan --windw 1s", "No such option"),
        ("scn", "No such command 'scn'"),
    ],
)
def test_bad_usage_is_one_sentence_and_2(
    argv: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad usage is told in one line on stderr, with status 2 and nothing on stdout."""
    assert main(argv.split()) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"lockdoctor: {sentence}")
    assert err.count("\n") == 1


def test_bad_configuration_names_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A bad line of lockdoctor.toml is bad usage, told with its number."""
    Path("lockdoctor.toml").write_text('[[prefix]]\nprefix = "/a/"\nmax_hold = "5"\n')

    assert main(["scan"]) == 2
    assert capsys.readouterr().err == (
        "lockdoctor: lockdoctor.toml line 3: max_hold: '5' has no unit;"
        " write 5s for seconds, 5m for minutes.\n"
    )


def test_bad_variable_is_bad_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that does not make sense is named."""
    monkeypatch.setenv("ETCDCTL_COMMAND_TIMEOUT", "5")

    assert main(["scan", "--prefix", "/a"]) == 2
    assert capsys.readouterr().err.startswith("lockdoctor: ETCDCTL_COMMAND_TIMEOUT: '5' has no")


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("ETCDCTL_API", "2", "ETCDCTL_API=2 selects another API than v3"),
        ("ETCDCTL_CA_FILE", "ca.pem", "ETCDCTL_CA_FILE is not read: it is for etcd's v2 API. Set"),
        ("ETCDCTL_PEERS", "a:4001", "ETCDCTL_PEERS is not read: it is for etcd's v2 API. Set ETC"),
        ("ETCDCTL_INSECURE_TRANSPORT", "no", "ETCDCTL_INSECURE_TRANSPORT: 'no' is not true or"),
        ("ETCDCTL_KEEPALIVE_TIME", "2", "ETCDCTL_KEEPALIVE_TIME: '2' has no unit"),
    ],
)
def test_variables_that_stop_a_run(
    variable: str,
    text: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What says where or how to connect, and is not read, is named: 2, and 3 for a check."""
    monkeypatch.setenv(variable, text)

    assert main(["scan", "--prefix", "/a"]) == 2
    assert capsys.readouterr().err.startswith(f"lockdoctor: {sentence}")
    assert main(["check", "--prefix", "/a"]) == 3
    assert sentence in capsys.readouterr().out


def test_what_is_ignored_or_unsafe_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that etcdctl does not have, and a server that anybody may be: a line for each."""
    monkeypatch.setenv("ETCDCTL_CA_CERT", "secret.pem")
    monkeypatch.setenv("ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "true")
    argv = ["scan", "--prefix", "/a", "--endpoints", CLOSED_PORT, "--dial-timeout", "1s"]

    assert main(argv) == 3
    ignored, unverified, refused = capsys.readouterr().err.splitlines()
    assert ignored == "lockdoctor: Ignored, because etcdctl has no such variable: ETCDCTL_CA_CERT."
    assert "not verified (--insecure-skip-tls-verify)" in unverified
    assert CLOSED_PORT in refused


def test_errors_are_printed_without_what_a_terminal_would_obey(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An escape sequence or a newline in what was typed does not reach the terminal as such."""
    assert main(["scan", "--prefix", "/a", "--config", "a\x1b[31m\nb\udcff"]) == 2

    assert capsys.readouterr().err == (
        "lockdoctor: Cannot read a\\x1b[31m\\nb\\xff: No such file or directory. Check --config.\n"
    )


def test_cluster_that_does_not_answer_is_3() -> None:
    """An etcd that cannot be reached is one sentence on stderr and status 3."""
    done = run("scan", "--prefix", "/a", "--endpoints", CLOSED_PORT, "--dial-timeout", "1s")

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("lockdoctor: ")
    assert done.stderr.count("\n") == 1
    assert CLOSED_PORT in done.stderr


def test_debug_shows_where_an_error_came_from() -> None:
    """--debug, wherever it stands, and LOCKDOCTOR_DEBUG put the traceback before the sentence."""
    argv = ("scan", "--prefix", "/a", "--config", "no.toml")

    for done in (run(*argv, "--debug"), run("--debug", *argv), run(*argv, LOCKDOCTOR_DEBUG="1")):
        assert done.returncode == 2
        assert done.stderr.startswith("Traceback")
        assert done.stderr.splitlines()[-1].startswith("lockdoctor: Cannot read no.toml")


def test_secrets_are_never_shown() -> None:
    """No password is in what is printed, not even with the traceback of a failure."""
    environ = {"ETCDCTL_PASSWORD": "hunter2", "LOCKDOCTOR_DEBUG": "1"}
    argv = ("scan", "--prefix", "/a", "--endpoints", CLOSED_PORT, "--dial-timeout", "1s")

    for done in (
        run(*argv, "--user", "ops", **environ),
        run(*argv, "--user", "ops:hunter2"),
        run(*argv, "--user", "ops", "--password", "hunter2", "--debug"),
        run(*argv, "--user", "ops", "--password", "hunter2", "--password-file", "x", "--debug"),
        run("scan", "--pasword=hunter2"),
    ):
        assert done.returncode in {2, 3}
        assert "hunter2" not in done.stdout + done.stderr


def test_reader_that_has_gone_is_no_error() -> None:
    """Output into a closed pipe ends the program quietly."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [*PROGRAM, "scan", "--help"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )

    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.parametrize(
    "words",
    [
        ["revoke", "--yes", "--from-plan"],
        ["scan", "--prefix", "/l/", "--no-history", "--pprof-file"],
    ],
    ids=lambda words: words[0],
)
def test_sigterm_ends_what_waits(words: list[str], tmp_path: Path) -> None:
    """Also where nobody speaks to etcd: quietly, with 130, for nothing was done."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*PROGRAM, *words, str(pipe)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
        pipe.open("wb"),  # waits for the reader, who then waits for us
    ):
        out = None
        while out is None:  # one that comes right before the read is noticed after it only
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, _ = process.communicate(timeout=3)

    assert (process.returncode, out) == (130, b"")
