"""Reading a history for people: what is there is told, and nothing of it ever changes."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lockdoctor.errors import HistoryBusyError, HistoryError, HistoryTooNewError
from lockdoctor.history.database.connection import HistoryDamagedError, connect, connect_to_read
from lockdoctor.history.database.migrations import APPLICATION_ID, STEPS
from lockdoctor.history.pruning import KEEP_S, MAX_BYTES, Pruned, prune_whole
from lockdoctor.history.reader import open_reader
from lockdoctor.history.store import open_history
from tests.factories.history import a_clock, a_run, ask, by_lease, stored
from tests.factories.reports import NOON, an_observation
from tests.history.database.test_paths import MARKED_BYTES, somebody_else, store_and_die

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "lockdoctor" / "history.sqlite3"


def runs(path: Path, *, wait_s: float = 1.0) -> int:
    """Read everything there is to read."""
    with open_reader(path, a_clock(NOON + DAY), wait_s=wait_s) as reader:
        assert list(reader.export())
        return len(reader.runs())


def prune(path: Path, *, keep_s: float = KEEP_S, max_bytes: int = MAX_BYTES) -> Pruned:
    clock = a_clock(NOON + 2 * DAY)
    return prune_whole(path, clock, keep_s=keep_s, max_bytes=max_bytes, wait_s=0.1)


def set_pragma(path: Path, pragma: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {pragma}")


def small(path: Path) -> bytes:
    """Two runs in a file of small pages, so that each of its bytes can be tried."""
    for at in (NOON, NOON + 300):
        stored(path, a_run(at, readings=by_lease(an_observation(at=at)), sessions=2))
    smaller = path.with_name("smaller")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM INTO ?", (str(smaller),))
    set_pragma(smaller, "journal_mode = WAL")
    smaller.replace(path)
    return path.read_bytes()


def test_reading_changes_nothing(path: Path) -> None:
    """Not a byte of the file."""
    stored(path, a_run())
    before = path.read_bytes(), path.stat().st_mtime_ns

    assert runs(path) == 1
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.parametrize("use", [runs, prune])
def test_what_is_not_there_is_not_begun(path: Path, use: Callable[[Path], object]) -> None:
    """No file, no folder."""
    with pytest.raises(HistoryError) as missing:
        use(path)

    assert str(missing.value) == (
        f"There is no history at {path}. `lockdoctor scan` or `check` creates it."
    )
    assert not path.parent.exists()


@pytest.mark.parametrize("use", [runs, prune])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty. `lockdoctor scan` or `check` adds a run."),
        (b"SQLite format 3\0", "is not a lockdoctor history. It was not changed."),
        (b"these are my notes\n" * 100, "is not a lockdoctor history"),
        (b"SQLite format 3\0" + b"\xff" * 4080, "is not a lockdoctor history"),
        (
            b"SQLite format 3\0" + b"\0" * 52 + b"lkdr",
            "is damaged: a part is missing. The next run",
        ),
    ],
)
def test_what_is_no_history_is_left_as_it_is(
    path: Path, use: Callable[[Path], object], content: bytes, why: str
) -> None:
    """Whoever only looks sets nothing aside, and begins nothing."""
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(HistoryError, match=why):
        use(path)

    assert path.read_bytes() == content
    assert not list(path.parent.glob("*.corrupt-*"))


@pytest.mark.parametrize("use", [runs, prune])
def test_a_damage_that_shows_later_is_told(path: Path, use: Callable[[Path], object]) -> None:
    """A page within that is damaged ends the reading in a sentence."""
    stored(path, a_run(readings=by_lease(*(an_observation(lease_id=n) for n in range(1, 2000)))))
    content = bytearray(path.read_bytes())
    content[4096 * 4 :] = b"\xff" * (len(content) - 4096 * 4)
    path.write_bytes(content)

    with pytest.raises(HistoryDamagedError, match="is damaged"):
        use(path)

    assert not list(path.parent.glob("*.corrupt-*"))


@pytest.mark.parametrize("use", [runs, prune])
def test_a_newer_or_foreign_one_is_left_alone(path: Path, use: Callable[[Path], object]) -> None:
    """Each is named for what it is."""
    stored(path, a_run())
    set_pragma(path, f"user_version = {len(STEPS) + 1}")
    with pytest.raises(HistoryTooNewError, match="of a newer lockdoctor"):
        use(path)

    set_pragma(path, "application_id = 7")
    with pytest.raises(HistoryError, match="is not a lockdoctor history"):
        use(path)


def test_one_that_cannot_be_migrated_is_left_as_it_is(path: Path) -> None:
    """Its application ID alone does not make it a history."""
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE run (id INTEGER PRIMARY KEY)")
    set_pragma(path, f"application_id = {APPLICATION_ID}")
    before = path.read_bytes()

    with pytest.raises(HistoryError, match="cannot be used"):
        runs(path)

    assert path.read_bytes() == before


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe would otherwise be waited for, for ever."""
    os.mkfifo(tmp_path / "pipe")

    for other, why in (
        (tmp_path, "is a folder, not a lockdoctor history"),
        (tmp_path / "pipe", "is a pipe, not a lockdoctor history"),
        (Path(os.devnull), "is a device, not a lockdoctor history"),
        (tmp_path / ("n" * 300), "cannot be used"),
    ):
        with pytest.raises(HistoryError, match=why):
            runs(other)


def test_what_no_lockdoctor_writes_is_told(path: Path) -> None:
    """A value that SQLite keeps and nobody can read is a damage, not a traceback."""
    stored(path, a_run())
    for column, value in (("prefixes", "x"), ("severity", 9), ("started_at", 1e300)):
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            (old,) = connection.execute(f"SELECT {column} FROM run").fetchone()  # noqa: S608
            connection.execute(f"UPDATE run SET {column} = ?", (value,))  # noqa: S608
        with pytest.raises(HistoryError, match="has data that lockdoctor does not write"):
            runs(path)
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"UPDATE run SET {column} = ?", (old,))  # noqa: S608


def test_what_no_lockdoctor_writes_is_told_to_a_run(path: Path) -> None:
    """It goes on without a past, and the file stays where it is."""
    stored(path, a_run())
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE probe SET leader_id = 'x'")
    with open_history(path, a_clock(NOON + 300)) as history:
        with pytest.raises(HistoryError, match=r"lockdoctor does not write\. Move it"):
            ask(history)
        assert history.notes == []


def test_a_read_only_folder_can_be_read() -> None:
    """A copy on a disk that nothing can be written to, where SQLite needs to put files beside."""
    with somebody_else() as folder:
        path = folder / "history.sqlite3"
        stored(path, a_run())
        folder.chmod(0o500)
        try:
            assert runs(path) == 1
            assert [each.name for each in folder.iterdir()] == [path.name]
        finally:
            folder.chmod(0o700)


def test_a_run_that_writes_meanwhile_is_not_in_the_way(path: Path) -> None:
    """Who reads sees what was there when the reading began."""
    stored(path, a_run())
    with (
        open_history(path, a_clock(NOON + 300)) as history,
        open_reader(path, a_clock(NOON + 300)) as reader,
    ):
        history.record(a_run(NOON + 300))
        assert len(reader.runs()) == 1

    assert runs(path) == 2


def test_a_locked_one_is_waited_for_and_then_given_up(path: Path) -> None:
    """The message says that another run has it."""
    stored(path, a_run())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryBusyError, match="is in use by another run"):
            prune(path)
        other.execute("ROLLBACK")
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryBusyError, match="is in use by another run"):
            runs(path, wait_s=0.1)

    assert runs(path) == 1


def test_what_a_killed_run_has_stored_is_read(path: Path) -> None:
    """It lies beside the file still."""
    assert store_and_die(path) == 9
    assert path.with_name(f"{path.name}-wal").stat().st_size
    assert runs(path) == 1


def test_a_killed_run_that_was_cut_off_costs_only_itself(path: Path) -> None:
    """Wherever what lies beside the file ends, the runs before are read."""
    stored(path, a_run())
    assert store_and_die(path) == 9
    beside = path.with_name(f"{path.name}-wal")
    content, whole = path.read_bytes(), beside.read_bytes()
    found = []
    for cut in range(0, len(whole) + 1, 499):
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(content)
        beside.write_bytes(whole[:cut])
        found.append(runs(path))

    assert found == sorted(found)
    assert set(found) <= {1, 2}


def test_pruning_forgets_all_that_is_old(path: Path) -> None:
    """However much it is, in one go; what is younger stays."""
    with open_history(path, a_clock(NOON + DAY)) as history:
        for number in range(450):
            history.record(a_run(NOON + number, holds=()))
        history.record(a_run(NOON + DAY))
    before = path.stat().st_size

    pruned = prune(path, keep_s=1.5 * DAY)

    assert pruned == Pruned(
        forgotten=450, left=1, bytes_before=before, bytes_after=path.stat().st_size
    )
    assert pruned.bytes_after < before
    assert runs(path) == 1


def test_pruning_to_a_size_keeps_the_last_run(path: Path) -> None:
    """Whatever the size."""
    for number in range(3):
        stored(path, a_run(NOON + number))

    assert prune(path, max_bytes=10**9).forgotten == 0
    assert prune(path, max_bytes=0).left == 1
    assert runs(path) == 1


@pytest.mark.slow
def test_truncated_at_any_byte_it_is_told_in_a_sentence(path: Path) -> None:
    """Whoever reads says so and changes nothing; whoever writes is told before it writes."""
    content = small(path)
    assert len(content) < 40_000
    assert runs(path) == 2
    for beside in path.parent.glob("*-*"):
        beside.unlink()

    for cut in range(len(content) - 1, 0, -1):
        os.truncate(path, cut)
        for look in (connect, connect_to_read):
            with pytest.raises(HistoryError) as refused:
                look(path, 1.0)
            assert isinstance(refused.value, HistoryDamagedError) == (cut >= MARKED_BYTES)
        for beside in path.parent.glob("*-*"):  # or they were in use, and not judged by their size
            beside.unlink()
        assert path.stat().st_size == cut


@pytest.mark.slow
def test_with_any_byte_changed_it_ends_in_a_sentence_or_tells_something(path: Path) -> None:
    """A disk that forgets is no reason for a traceback."""
    content = small(path)
    chance = random.Random(20261125)  # noqa: S311
    for position in chance.sample(range(len(content)), 600):
        changed = bytearray(content)
        changed[position] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with contextlib.suppress(HistoryError), open_reader(path, a_clock(NOON + 600)) as reader:
            reader.runs()
            reader.about(b"/my-lock/orders")
            list(reader.export())
