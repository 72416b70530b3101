"""`scan --pprof`, `--pprof-file` and `--metrics`: what is told, what is refused, what is secret."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.cli.main import main
from lockdoctor.cli.options.processes import ProcessFlags
from lockdoctor.cli.runtime.processes import witnesses
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.processes.metrics_page import WANTED
from tests.cli.commands.test_scan import put
from tests.fakes.cluster import FakeClock
from tests.folders import PROFILES
from tests.processes.http_server import http, serving

PROFILE = PROFILES / "etcd-3.4.debug2.txt"
REAL = (PROFILE.parent / "etcd.metrics.txt").read_bytes()
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def made(**flags: Any) -> int:
    """How many witnesses the options make."""
    return len(witnesses(ProcessFlags(**flags), ConnectionSettings(), FakeClock(), watches=True))


def test_witnesses_of_the_options() -> None:
    """Each endpoint's metrics unless they are not wanted, processes, and files."""
    assert made() == 1
    assert made(no_metrics=True) == 0
    assert made(pprof=["a:1", "b:1"], pprof_file=[PROFILE]) == 3
    assert witnesses(ProcessFlags(), ConnectionSettings(), FakeClock(), watches=False) == ()


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"metrics": ["a:1"], "no_metrics": True}, "exclude each other"),
        ({"metrics": ["ftp://a"]}, "is not a URL"),
        ({"pprof": [f"http://u:{SECRET}@/"]}, "the value of --pprof is not a URL"),
        ({"pprof": ["a=x:1", "a=y:1"]}, "Two processes have the name a"),
        (
            {"pprof": [f"{PROFILE.name}=x:1"], "pprof_file": [PROFILE]},
            "Two processes have the name",
        ),
        ({"pprof_file": [Path("nothing")]}, "Cannot read the profile nothing"),
    ],
)
def test_options_that_make_no_sense(flags: dict[str, Any], why: str) -> None:
    """They are refused before etcd is asked, and without their passwords."""
    with pytest.raises(ConfigError, match=why) as refused:
        made(**flags)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(ProcessFlags(**flags))


def test_bad_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on standard error, no password in it."""
    assert main(["scan", "--prefix", "/a/", "--pprof", f"file://u:{SECRET}@x/y"]) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert SECRET not in err


@pytest.mark.etcd
def test_what_cannot_be_heard_is_told_and_changes_no_status(
    etcd: EtcdServer, prefix: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """A login page instead of a profile: not seen, exit status 0, and nobody's password shown."""
    words = ["scan", "--endpoints", etcd.endpoint, "--prefix", prefix.decode(), "--format", "json"]
    with serving(page=http(b"<html>Log in")) as server:
        url = f"http://bob:{SECRET}@127.0.0.1:{server.port}"
        pages = ["--pprof", f"{url}/goroutine", "--pprof", f"a={url}", "--metrics", url]
        assert main([*words, *pages, "--pprof-file", str(PROFILE)]) == 0

    out, err = capsys.readouterr()
    document = json.loads(out)
    assert SECRET not in out + err
    assert [each["what"] for each in document["unseen"]] == [
        f"process 127.0.0.1:{server.port}",
        "process a",
        f"metrics of {server.url}/metrics",
    ]
    (saved,) = document["processes"]
    assert (saved["name"], saved["is_saved"], saved["sessions"]) == (PROFILE.name, True, 1)
    assert document["server"] is None


ABSURD = b"".join(
    b'%s{n="%d"} %s\n' % (name.encode(), n, value)
    for name in WANTED
    for n, value in enumerate((b"1e308", b"1e308", b"NaN", b"-1e308", b"9" * 400))
)


@pytest.mark.etcd
def test_a_page_of_absurd_numbers_ends_no_run(
    etcd: EtcdServer, prefix: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two samples of 1e308 are no counters: the report comes, and says that they were not seen."""
    put(etcd, prefix + b"lock/%x", ttl_s=9)
    words = ["scan", "--endpoints", etcd.endpoint, "--prefix", prefix.decode(), "--format", "json"]
    with serving(metrics=http(ABSURD)) as server:
        assert main([*words, "--window=2s", "--metrics", f"{server.url}/metrics"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["server"] is None
    assert [(each["what"], each["why"]) for each in document["unseen"]] == [
        (f"metrics of {server.url}/metrics", "these are not the metrics of an etcd member")
    ]


@pytest.mark.etcd
@pytest.mark.parametrize("form", ["table", "json"])
def test_no_proxy_is_asked_and_no_password_kept(
    etcd: EtcdServer,
    prefix: bytes,
    form: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Neither etcd, nor what is named, nor the unasked /metrics goes through a proxy."""
    put(etcd, prefix + b"lock/%x", ttl_s=9)
    history = tmp_path / "history.db"
    words = ["scan", "--endpoints", etcd.endpoint, "--prefix", prefix.decode(), "--window=2s"]
    words += ["--history", str(history), "--format", form]
    with serving() as trap, serving(metrics=http(REAL)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
            monkeypatch.setenv(name, trap.url)
            monkeypatch.setenv(name.upper(), trap.url)
        secret = f"http://ops:{SECRET}@127.0.0.1:{server.port}"
        assert main(words) == 0
        out, err = capsys.readouterr()
        assert main([*words, f"--metrics={secret}", f"--pprof=a={secret}"]) == 0
        assert trap.asked == []
        asked = [path for path in server.asked if path == "/metrics"]
        assert len(asked) == 2
        assert all("Authorization: Basic" in headers for headers in server.headers)

    told = capsys.readouterr()
    assert SECRET not in out + err + told.out + told.err
    assert "there is no such page" in told.out
    encoded = base64.b64encode(f"ops:{SECRET}".encode())
    for file in history.parent.iterdir():
        content = file.read_bytes() if file.is_file() else b""
        assert SECRET.encode() not in content
        assert encoded not in content


@pytest.mark.etcd
@pytest.mark.foresees_failures
def test_debug_shows_where_a_source_broke(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> None:
    """A run that went on without a source leaves the traceback to who asks for it."""
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN)
    words = [etcd.endpoint, prefix.decode()]
    quiet, loud = (
        subprocess.run(
            [sys.executable, str(broken), *words, *flags],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        for flags in ([], ["--debug"])
    )
    assert "metrics of etcd: internal error: ZeroDivisionError" in quiet.stdout
    assert "Traceback" not in quiet.stdout + quiet.stderr
    assert "Traceback" in loud.stderr
    assert "Traceback" not in loud.stdout


BROKEN = """
import sys
from lockdoctor.cli.main import main
from lockdoctor.processes import metrics_page

async def poll(self, *, is_last):
    1 / 0

metrics_page.MemberMetrics.poll = poll
endpoint, prefix, *flags = sys.argv[1:]
sys.exit(main(["scan", "--endpoints", endpoint, "--prefix", prefix, "--window=1s", *flags]))
"""
"""A run whose source has a bug that nobody has foreseen."""


@pytest.mark.etcd
def test_metrics_of_the_endpoint_by_default(
    etcd: EtcdServer, prefix: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """What etcd counted stands in the report without a flag, and not with --no-metrics."""
    words = ["scan", "--endpoints", etcd.endpoint, "--prefix", prefix.decode(), "--window=4s"]

    def counts(*flags: str) -> bool:
        put(etcd, prefix + b"lock/%x", ttl_s=9)
        assert main([*words, "--max-hold=1s", *flags]) in (0, 1)
        return "etcd counted" in capsys.readouterr().out

    assert any(counts() for _ in range(3))  # a page that nobody named must answer quickly
    assert not counts("--no-metrics")
