"""`scan --pprof`, `--pprof-file` and `--metrics`: what is told, what is refused, what is secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.cli.app import main
from lockdoctor.cli.witnesses import WitnessFlags
from lockdoctor.cli.witnesses_run import witnesses
from lockdoctor.demo.server import EtcdServer
from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection import ConnectionSettings
from tests.cli.test_scan import put
from tests.clients.serving import http, serving
from tests.fakes import FakeClock

PROFILE = Path(__file__).parents[1] / "clients" / "profiles" / "etcd-3.4.debug2.txt"
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def made(**flags: Any) -> int:
    """How many witnesses the options make."""
    return len(witnesses(WitnessFlags(**flags), ConnectionSettings(), FakeClock(), watches=True))


def test_witnesses_of_the_options() -> None:
    """Each endpoint's metrics unless they are not wanted, processes, and files."""
    assert made() == 1
    assert made(no_metrics=True) == 0
    assert made(pprof=["a:1", "b:1"], pprof_file=[PROFILE]) == 3
    assert witnesses(WitnessFlags(), ConnectionSettings(), FakeClock(), watches=False) == ()


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"metrics": ["a:1"], "no_metrics": True}, "contradict each other"),
        ({"metrics": ["ftp://a"]}, "is no URL"),
        ({"pprof": [f"http://u:{SECRET}@/"]}, "what --pprof is given is no URL"),
        ({"pprof": ["a=x:1", "a=y:1"]}, "Two processes are called a"),
        ({"pprof": [f"{PROFILE.name}=x:1"], "pprof_file": [PROFILE]}, "Two processes are called"),
        ({"pprof_file": [Path("nothing")]}, "Cannot read the profile nothing"),
    ],
)
def test_options_that_make_no_sense(flags: dict[str, Any], why: str) -> None:
    """They are refused before etcd is asked, and without their passwords."""
    with pytest.raises(ConfigError, match=why) as refused:
        made(**flags)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(WitnessFlags(**flags))


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
