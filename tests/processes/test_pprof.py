"""Processes asked over HTTP, and profiles that were saved."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from lockdoctor.domain.processes.comparison import ProcessData
from lockdoctor.domain.report.unseen import ProcessPart
from lockdoctor.errors import ConfigError
from lockdoctor.processes.goroutine_profile import MAX_BYTES
from lockdoctor.processes.pprof import (
    MAX_STOPPED,
    PAGE,
    PprofProcesses,
    SavedProcesses,
    parse_target,
)
from tests.eventually import run
from tests.fakes.cluster import FakeClock
from tests.processes.http_server import Serving, http, serving_paths

PROFILES = Path(__file__).parent / "profiles"
SUMMED = (PROFILES / "etcd-3.3-vendored.debug1.txt").read_bytes()
EACH = (PROFILES / "etcd-3.4.debug2.txt").read_bytes()
PAGES = {f"{PAGE}?debug=1": http(SUMMED), f"{PAGE}?debug=2": http(EACH)}


def heard(*urls: str, is_last: bool = True) -> ProcessData:
    """Ask these."""
    witness = PprofProcesses([parse_target(url) for url in urls], None, FakeClock())
    return run(witness.poll(is_last=is_last))


def test_a_closer_look_at_the_end_only() -> None:
    """At the beginning counts suffice; at the end each goroutine is looked at."""
    with serving_paths(PAGES) as server:
        (first,) = heard(server.url, is_last=False).processes
        assert (server.asked, first.counts.sessions) == ([f"{PAGE}?debug=1"], 3)

        (last,) = heard(f"orders-7f={server.url}").processes
        assert (last.name, last.counts.sessions) == ("orders-7f", 1)
        assert (last.source, last.counts.oldest_keepalive_s) == (server.url, 186 * 60)
        assert server.asked[1:] == [f"{PAGE}?debug=1", f"{PAGE}?debug=2"]


def test_counts_stand_where_the_closer_look_fails() -> None:
    """A process that shows its counts only, or is cut off in the midst, is counted all the same."""
    for second in (http(b"", "500 Internal Server Error"), http(EACH[:300])):
        with serving_paths(PAGES | {f"{PAGE}?debug=2": second}) as server:
            (seen,) = heard(server.url).processes
            assert (seen.counts.sessions, seen.counts.is_whole) == (3, True)


def test_one_time_for_all_that_a_process_answers() -> None:
    """A process that never ends its second answer delays no run, and its counts stand."""
    servers: list[Serving] = []

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not servers[0].is_over.wait(0.02):
            connection.sendall(b"goroutine 1 [select]:\n")

    with serving_paths(PAGES | {f"{PAGE}?debug=2": drip}) as server:
        servers.append(server)
        both = [parse_target(server.url), parse_target(f"b={server.url}{PAGE}?debug=2")]
        witness = PprofProcesses(both, None, FakeClock(), timeout_s=1.0)
        began = time.monotonic()
        told = run(witness.poll(is_last=True))
        assert time.monotonic() - began < 5.0

    assert [each.counts.sessions for each in told.processes] == [3]
    (unseen,) = told.unseen
    assert (unseen.what, str(unseen.why).rpartition(": ")[2]) == (
        ProcessPart("b"),
        "no answer in time",
    )


def test_a_process_of_many_goroutines_is_not_stopped() -> None:
    """Above a limit the look for which Go stops the process is left out."""
    many = f"goroutine profile: total {MAX_STOPPED + 1}\n{MAX_STOPPED + 1} @ 0x1\n".encode()
    with serving_paths({f"{PAGE}?debug=1": http(many)}) as server:
        (seen,) = heard(server.url).processes
        assert seen.counts.goroutines == MAX_STOPPED + 1
        assert server.asked == [f"{PAGE}?debug=1"]


def test_page_named_exactly_is_asked_for_as_it_is() -> None:
    """Whoever gives the page itself has that page read, once."""
    with serving_paths({f"/proxy{PAGE}?debug=2&x=1": http(EACH)}) as server:
        (seen,) = heard(f"{server.url}/proxy{PAGE}?debug=2&x=1").processes
        assert (seen.counts.sessions, seen.name) == (1, f"127.0.0.1:{server.port}")
        assert len(server.asked) == 1


def test_what_is_no_profile_is_refused_in_a_sentence() -> None:
    """The others are heard; which one was refused, and why, is said without its password."""
    with serving_paths(PAGES) as good, serving_paths({}) as bad:
        told = heard(good.url, f"sick=http://bob:s3cret@127.0.0.1:{bad.port}")
        assert [each.name for each in told.processes] == [f"127.0.0.1:{good.port}"]
        (unseen,) = told.unseen
        assert unseen.what == ProcessPart("sick")
        assert unseen.why == f"{bad.url}: there is no such page (HTTP 404)"
        assert not unseen.is_failure


@pytest.mark.parametrize(
    ("text", "name", "url", "is_exact"),
    [
        ("http://orders-7f:6060", "orders-7f:6060", "http://orders-7f:6060", False),
        ("orders-7f:6060/", "orders-7f:6060", "http://orders-7f:6060/", False),
        ("a=orders:6060/debug/pprof/", "a", "http://orders:6060", False),
        ("https://u:p@o/debug/pprof/goroutine", "o", "https://o/debug/pprof/goroutine", True),
        ("http://o/goroutine?a=b", "o", "http://o/goroutine?a=b", True),
    ],
)
def test_targets(text: str, name: str, url: str, is_exact: bool) -> None:  # noqa: FBT001
    """A process by its base, its pprof folder or the page itself; a name may go before it."""
    target = parse_target(text)

    assert (target.name, target.address.url, target.is_exact) == (name, url, is_exact)


def test_password_of_a_pprof_folder_stays() -> None:
    """Cutting the folder off a URL keeps who we are."""
    assert parse_target("http://u:p@o/debug/pprof/").address.authorization == "Basic dTpw"


@pytest.mark.parametrize(
    "text", ["", "=", "a=", "http://o/debug/pprof/heap", "http://o/x?token=s3cret", "a b=http://"]
)
def test_what_is_no_target(text: str) -> None:
    """Anything else is refused before the run, secrets left out."""
    with pytest.raises(ConfigError) as refused:
        parse_target(text)
    assert "s3cret" not in str(refused.value)


def test_saved_profiles(tmp_path: Path) -> None:
    """A file is a process by its name, heard once, at the end; what is none is refused then."""
    page = tmp_path / "login.html"
    page.write_text("<html>")
    witness = SavedProcesses([PROFILES / "etcd-3.4.debug2.txt", page])

    assert run(witness.poll(is_last=False)) == ProcessData()
    told = run(witness.poll(is_last=True))
    assert [(each.name, each.seen_at) for each in told.processes] == [("etcd-3.4.debug2.txt", None)]
    assert [each.why for each in told.unseen] == [
        f"{page}: it is no goroutine profile: it is a web page"
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is not there is bad usage; one that is too big is refused."""
    with pytest.raises(ConfigError, match=r"Cannot read the profile .*: No such file"):
        SavedProcesses([tmp_path / "nothing"])
    with pytest.raises(ConfigError, match=r"Cannot read the profile .*: Is a directory"):
        SavedProcesses([tmp_path])
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (unseen,) = run(SavedProcesses([big]).poll(is_last=True)).unseen
    assert unseen.why == f"{big}: it is bigger than 64 MiB"
