"""The file itself: where it lies, who may read it, and what happens when it is damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.domain.past.run_record import RunRecord
from lockdoctor.errors import HistoryBusyError, HistoryError, HistoryTooNewError
from lockdoctor.history.database.connection import HistoryDamagedError
from lockdoctor.history.database.migrations import STEPS
from lockdoctor.history.database.paths import default_path
from lockdoctor.history.database.queries import names
from lockdoctor.history.store import SqliteHistory, open_history
from tests.factories.history import HOLD, a_clock, a_run, a_sight, ask, by_lease, recalled, stored
from tests.factories.reports import NOON, an_observation

NOBODY = 65534
FULL_DISK_BYTES = 400_000
MARKED_BYTES = 72
"""The header up to and with the application_id. Source: sqlite.org/fileformat2.html."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def a_busy_run(at: float = NOON, locks: int = 3) -> RunRecord:
    return a_run(
        at,
        holds=[a_sight(at, HOLD._replace(create_revision=10 + n)) for n in range(locks)],
        readings=by_lease(*(an_observation(at=at, lease_id=1 + n) for n in range(locks))),
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def a_damaged_history(path: Path, text: bytes) -> bytes:
    """Leave a history of ours whose pages hold something else; tell what is in it."""
    path.unlink(missing_ok=True)
    open_history(path, a_clock()).close()
    content = path.read_bytes()[:100] + text * 1000
    path.write_bytes(content)
    return content


def corrupt_files(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.corrupt-*"))


@contextlib.contextmanager
def somebody_else() -> Iterator[Path]:
    """A folder of one's own, and no rights beyond it, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        if os.geteuid():
            yield Path(folder)
            return
        names()  # which may lie where nobody else may read
        os.chown(folder, NOBODY, -1)
        os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_STATE_HOME": "/var/lib/me", "HOME": "/home/me"}, "/var/lib/me"),
        ({"HOME": "/home/me"}, "/home/me/.local/state"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/me"}, "/home/me/.local/state"),
        ({"XDG_STATE_HOME": "state", "HOME": "/home/me"}, "/home/me/.local/state"),
    ],
)
def test_the_history_lies_in_the_state_folder(environ: dict[str, str], folder: str) -> None:
    """As the XDG base directory specification says."""
    assert default_path(environ) == Path(folder) / "lockdoctor" / "history.sqlite3"


def test_without_a_home_the_user_database_says_where() -> None:
    """A cron job may start with hardly any environment."""
    assert default_path({}).is_absolute()


def test_nobody_else_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the folders that were made for it, not the file, not what SQLite puts beside it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "state" / "lockdoctor" / "history.sqlite3"
    old_umask = os.umask(0)
    try:
        with open_history(path, a_clock()) as history:
            history.record(a_run())
            found = {each.name: mode(each) for each in path.parent.iterdir()}
    finally:
        os.umask(old_umask)

    assert found == dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm"), 0o600)
    assert (mode(path.parent), mode(path.parent.parent)) == (0o700, 0o700)


def test_a_path_that_sqlite_would_misread_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`:memory:` is a name like any other."""
    monkeypatch.chdir(tmp_path)

    stored(Path(":memory:"), a_run())

    assert recalled(Path(":memory:"), NOON + 300).runs == 1


def store_and_die(path: Path) -> int:
    """Store a run in a process that nobody gives the time to close the file."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from tests.factories.history import *\n"
        "history = open_history(Path(sys.argv[1]), a_clock())\n"
        "history.record(a_run()); os._exit(9)"
    )
    return subprocess.run([sys.executable, "-c", code, path], check=False, timeout=60).returncode


def test_it_survives_a_run_that_was_killed(path: Path) -> None:
    """What a run has stored is there, though nobody closed the file."""
    assert store_and_die(path) == 9
    assert recalled(path, NOON + 300).runs == 1


def test_a_damaged_one_is_set_aside(path: Path) -> None:
    """It is kept under another name, and the history begins anew."""
    content = a_damaged_history(path, b"first")

    with open_history(path, a_clock(NOON)) as history:
        past, notes = ask(history), history.notes
        history.record(a_run())

    (aside,) = corrupt_files(path)
    assert aside.name == "history.sqlite3.corrupt-20260101T120000Z"
    assert aside.read_bytes() == content
    assert notes == [
        f"the history {path} was damaged: it is now {aside}, and this run begins a new one"
    ]
    assert past.runs == 0
    assert recalled(path, NOON + 300).runs == 1


def test_two_damaged_ones_at_one_time_are_both_kept(path: Path) -> None:
    """The second one does not take the place of the first."""
    contents = []
    for text in (b"first", b"second"):
        contents.append(a_damaged_history(path, text))
        open_history(path, a_clock(NOON)).close()

    assert [each.read_bytes() for each in corrupt_files(path)] == contents


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_what_lies_beside_a_damaged_one_goes_with_it(path: Path, ending: str) -> None:
    """SQLite would play an old -wal or -journal into the fresh file."""
    content = a_damaged_history(path, b"x")[:300]
    path.write_bytes(content)
    beside = path.with_name(f"{path.name}{ending}")
    beside.write_bytes(b"of that one")

    open_history(path, a_clock(NOON)).close()

    assert sorted(each.read_bytes() for each in corrupt_files(path)) == [content, b"of that one"]


def test_a_damaged_one_behind_a_link_is_set_aside_and_the_link_stays(path: Path) -> None:
    """What the link leads to is renamed, and begun anew in its place."""
    link = path.with_name("link")
    link.symlink_to(path)
    content = a_damaged_history(path, b"x")

    open_history(link, a_clock(NOON)).close()

    assert link.is_symlink()
    assert [each.read_bytes() for each in corrupt_files(path)] == [content]
    assert recalled(path, NOON).runs == 0


def truncations(size: int) -> list[int]:
    """Every byte of the header, both sides of every page's end, and many between."""
    near_pages = {page + step for page in range(0, size, 4096) for step in (-1, 0, 1, 512)}
    chosen = {*range(100), *range(0, size, 1009), *near_pages}
    return sorted(cut for cut in chosen if 0 <= cut < size)


@pytest.mark.slow
def test_a_truncated_history_is_set_aside(tmp_path: Path) -> None:
    """
    Wherever it was cut off, it begins anew, and nothing of the old is deleted.

    A stump that does not say any more whose it is may be another program's, and stays.
    """
    whole = tmp_path / "whole.sqlite3"
    stored(whole, a_busy_run())
    content = whole.read_bytes()

    for cut in truncations(len(content)):
        path = tmp_path / "cut" / "history.sqlite3"
        path.parent.mkdir()
        path.write_bytes(content[:cut])
        if 0 < cut < MARKED_BYTES:
            with pytest.raises(HistoryError, match="is not a lockdoctor history"):
                open_history(path, a_clock(NOON + 300))
            assert path.read_bytes() == content[:cut]
            shutil.rmtree(path.parent)
            continue
        with open_history(path, a_clock(NOON + 300)) as history:
            assert ask(history).runs == 0, cut
            history.record(a_run(NOON + 300))
            kept = [each.read_bytes() for each in corrupt_files(path)]
        assert kept == ([content[:cut]] if cut else []), cut
        assert recalled(path, NOON + 600).runs == 1, cut
        shutil.rmtree(path.parent)


def test_a_damage_that_shows_later_is_set_aside_then(path: Path) -> None:
    """Where only a page within is damaged, the step that comes upon it begins anew."""
    stored(path, a_busy_run(locks=500))
    content = bytearray(path.read_bytes())
    content[4096 * 4 :] = b"\xff" * (len(content) - 4096 * 4)
    path.write_bytes(content)

    with open_history(path, a_clock(NOON + 300)) as history:
        history.record(a_busy_run(NOON + 300))
        notes = history.notes

    assert len(notes) == len(corrupt_files(path)) == 1
    assert recalled(path, NOON + 600).runs == 1


def test_a_run_that_finds_the_damage_late_sets_nothing_aside(path: Path) -> None:
    """Between its look and its rename another run has begun a good history in the same place."""

    class Slow(SqliteHistory):
        """Another run is faster as soon as this one has found the damage."""

        def _connect(self) -> sqlite3.Connection:
            try:
                return super()._connect()
            except HistoryDamagedError:
                stored(path, a_run(NOON + 300))
                raise

    content = a_damaged_history(path, b"x")

    with Slow(path, a_clock(NOON + 300), 1.0) as slow:
        slow.record(a_run(NOON + 301))
        assert slow.notes == []

    assert [each.read_bytes() for each in corrupt_files(path)] == [content]
    assert recalled(path, NOON + 600).runs == 2


def test_the_fresh_file_of_another_run_is_not_set_aside(path: Path) -> None:
    """Two runs that come upon the same damage begin one new history, not two."""
    stored(path, a_busy_run(locks=500))
    content = bytearray(path.read_bytes())
    content[4096 * 4 :] = b"\xff" * (len(content) - 4096 * 4)
    path.write_bytes(content)
    with (
        open_history(path, a_clock(NOON + 300)) as slow,
        open_history(path, a_clock(NOON + 300)) as fast,
    ):
        fast.record(a_run(NOON + 300))
        slow.record(a_run(NOON + 300))

    assert len(corrupt_files(path)) == 1
    assert recalled(path, NOON + 600).runs == 2


def test_a_newer_history_is_left_alone(path: Path) -> None:
    """It is refused in a sentence, and not a byte of it changes."""
    stored(path, a_run())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    before = path.read_bytes()

    with pytest.raises(HistoryTooNewError) as refused:
        open_history(path, a_clock())

    assert str(refused.value) == (
        f"The history {path} has format {len(STEPS) + 1} of a newer lockdoctor; this one reads up"
        f" to {len(STEPS)}. Update lockdoctor, or use another file with --history."
    )
    assert path.read_bytes() == before
    assert corrupt_files(path) == []


def test_another_programs_database_is_left_alone(path: Path) -> None:
    """A slip in --history costs nobody's data."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (address TEXT)")
    before = path.read_bytes()

    with pytest.raises(HistoryError, match=r"is not a lockdoctor history\. It was not changed"):
        open_history(path, a_clock())

    assert path.read_bytes() == before


def test_an_empty_file_is_a_fresh_history(path: Path) -> None:
    """As mktemp makes it."""
    path.touch()

    with open_history(path, a_clock()) as history:
        assert ask(history).runs == 0
        assert history.notes == []


def test_a_read_only_history_is_refused_and_kept() -> None:
    """Nothing is lost, and the message says what to do."""
    with somebody_else() as folder:
        path = folder / "history.sqlite3"
        stored(path, a_run())
        before = path.read_bytes()
        path.chmod(0o400)

        with pytest.raises(HistoryError) as refused:
            open_history(path, a_clock())

        assert str(refused.value) == (
            f"The history {path} cannot be used: Permission denied. Correct that, or use"
            " another file with --history."
        )
        assert path.read_bytes() == before


def test_a_read_only_folder_is_refused() -> None:
    """Whether there is a history in it, where SQLite needs to put files beside, or none."""
    with somebody_else() as folder:
        path = folder / "history.sqlite3"
        stored(path, a_run())
        folder.chmod(0o500)
        try:
            for refused in (path, folder / "other.sqlite3"):
                with pytest.raises(HistoryError, match="cannot be used"):
                    open_history(refused, a_clock())
        finally:
            folder.chmod(0o700)
        assert recalled(path, NOON + 300).runs == 1


def test_a_damaged_history_in_a_read_only_folder_is_refused() -> None:
    """It cannot be set aside, and the message says so."""
    with somebody_else() as folder:
        path = folder / "history.sqlite3"
        content = a_damaged_history(path, b"x")
        folder.chmod(0o500)
        try:
            with pytest.raises(HistoryError, match="cannot be used"):
                open_history(path, a_clock())
        finally:
            folder.chmod(0o700)
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".", "is a folder, not a lockdoctor history. It was not changed"),
        ("file/history.sqlite3", "Cannot write .*: No such file or directory: .*/file. Create"),
        ("typo/history.sqlite3", "Cannot write .*: No such file or directory: .*/typo. Create"),
        ("n" * 300, "cannot be used: File name too long"),
    ],
)
def test_a_path_that_cannot_be_a_file_is_refused(tmp_path: Path, name: str, why: str) -> None:
    """A folder, a place below a file, a folder that is missing, a name that is too long."""
    (tmp_path / "file").touch()

    with pytest.raises(HistoryError, match=why):
        open_history(tmp_path / name, a_clock())
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_locked_history_is_waited_for_and_then_given_up(path: Path) -> None:
    """The message says that another run has it."""
    stored(path, a_run())
    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
        open_history(path, a_clock(NOON + 300), wait_s=0.1) as history,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert ask(history).runs == 1
        with pytest.raises(HistoryBusyError, match="is in use by another run"):
            history.record(a_run(NOON + 300))
        other.execute("ROLLBACK")
        history.record(a_run(NOON + 300))

    assert recalled(path, NOON + 600).runs == 2


def fill(history: SqliteHistory) -> int:
    """Store runs until no more of them fit; say how many did."""
    for number in range(1000):
        at = NOON + number
        sights = [a_sight(at, HOLD._replace(create_revision=n)) for n in range(number * 50)]
        try:
            history.record(a_run(at, holds=sights))
        except HistoryError as full:
            assert "cannot be used" in str(full)  # noqa: PT017 - which run it is cannot be told
            return number
    pytest.fail("there was room for everything")


def test_a_full_database_loses_nothing(path: Path) -> None:
    """A run that has no room is not stored at all; those before it stay."""
    with open_history(path, a_clock(NOON + 2000)) as history:
        history._connection.execute("PRAGMA max_page_count = 100")
        runs = fill(history)
        assert ask(history).runs == runs

    assert recalled(path, NOON + 2000).runs == runs > 1


def test_a_file_that_may_not_grow_loses_nothing(path: Path) -> None:
    """The same where the system ends the growth, in the middle of writing."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from tests.history.database.test_paths import *\n"
        "with open_history(Path(sys.argv[1]), a_clock(NOON + 2000)) as history:\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL_DISK_BYTES},) * 2)\n"
        "    print(fill(history))"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)

    assert recalled(path, NOON + 2000).runs == int(done.stdout) > 1


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """A real disk that fills up: what was stored stays, and is told once there is room again."""
    path = small_disk / "history.sqlite3"
    with open_history(path, a_clock(NOON + 2000)) as history:
        runs = fill(history)
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
        while True:
            out.write(b"x" * 4096)

    with pytest.raises(HistoryError, match="cannot be used"):
        stored(path, a_busy_run(NOON + 3000))
    with pytest.raises(HistoryError, match="cannot be used"):
        open_history(small_disk / "new.sqlite3", a_clock())
    filler.unlink()

    assert recalled(path, NOON + 4000).runs == runs > 1
    assert corrupt_files(path) == []
