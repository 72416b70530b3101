"""No command ever changes a file that is not lockdoctor's, whatever option names it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.domain.check.health import FailedCheck
from lockdoctor.domain.treatment.plan import RevokePlan
from lockdoctor.history.database.migrations import APPLICATION_ID
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs import html as pictures
from lockdoctor.outputs.json.check import CheckJson
from lockdoctor.outputs.json.treatment import write_plan_file
from lockdoctor.outputs.nagios import NagiosOutput
from lockdoctor.outputs.prometheus import PrometheusOutput
from tests.factories.history import a_run, recalled, stored
from tests.factories.reports import NOON, an_intent
from tests.history.database.test_paths import somebody_else, store_and_die

NO_ETCD = ("--endpoints", "127.0.0.1:1", "--dial-timeout", "100ms")
"""Port 1 is closed; a run that gets so far has not refused the file."""

TREATS = '[[prefix]]\nprefix = "/a"\nmax_hold = "1m"\ntreat = "release"\ntreat_min_held = "1m"\n'

COMMANDS = {
    "scan --history {}": 2,
    "show /a --history {}": 2,
    "show /a --no-history --html {}": 2,
    "show /a --no-history --svg {}": 2,
    "revoke --prefix /a --history {}": 2,
    "revoke --prefix /a --no-history --plan {}": 2,
    "revoke --prefix /a --no-history --yes --journal {}": 2,
    "revoke --undo 5f0c --journal {}": 2,
    "check --prefix /a --history {}": 3,
    "check --prefix /a --no-history --textfile {}": 3,
    "check --prefix /a --no-history --output nagios={}": 3,
    "check --prefix /a --no-history --output json={}": 3,
    "check --prefix /a --no-history --output table={}": 3,
    "check --prefix /a --no-history --output prometheus={}": 3,
    "check --config {config} --no-history --treat --journal {}": 3,
    "history runs --history {}": 3,
    "history prune --history {}": 3,
    "history show /a --history {}": 3,
    "history export --history {}": 3,
    "journal list --journal {}": 3,
    "journal show 5f0c --journal {}": 3,
    "journal restore 5f0c --yes --journal {}": 2,
}


def with_text(text: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text)


def another_database(path: Path, *, application: int = 0, is_wal: bool = True) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {application}")
        connection.execute("CREATE TABLE run (id INTEGER PRIMARY KEY)")
        connection.execute("PRAGMA user_version = 1")
        connection.execute(f"PRAGMA journal_mode = {'WAL' if is_wal else 'DELETE'}")
        connection.commit()


def a_database_without_tables(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")


def a_link_to_notes(path: Path) -> None:
    notes = path.with_name("notes.txt")
    notes.write_text("my notes\n")
    path.symlink_to(notes)


FOREIGN = {
    "notes": with_text(b"these are my notes\n" * 100),
    "hosts": lambda path: path.write_bytes(Path("/etc/hosts").read_bytes()),
    "zeros": with_text(bytes(8192)),
    "json": with_text(b'{"schema_version": 1, "name": "x"}'),
    "toml": with_text(TREATS.encode()),
    "magic": with_text(b"SQLite format 3\0"),
    "database": another_database,
    "named database": lambda path: another_database(path, application=7, is_wal=False),
    "no tables": a_database_without_tables,
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/full"),
    "link": a_link_to_notes,
    "blank lines": with_text(b"\n\nnotes\n"),
    "other metrics": with_text(b"# HELP lockdoctor_up Up.\nlockdoctor_up 1.0\nnode_load1 0.1\n"),
}


def seen(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything about every file of a folder, links not followed."""
    found: dict[str, tuple[object, ...]] = {}
    for each in sorted(folder.rglob("*")):
        status = each.lstat()
        content = each.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        link = str(each.readlink()) if each.is_symlink() else ""
        owner = (status.st_mode, status.st_uid, status.st_gid)
        found[str(each)] = (*owner, status.st_ino, status.st_mtime_ns, content, link)
    return found


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    config = tmp_path / "config"
    config.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (config / "treats.toml").write_text(TREATS)
    (config / "treats.toml").chmod(0o644)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config" / "treats.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def run(command: str, path: Path, config: Path | str = "") -> int:
    words = [word.format(path, config=config) for word in command.split()]
    needs_etcd = words[0] in {"scan", "show", "revoke", "check"} or "restore" in words
    where = ["--prefix", "/a"] if words[0] == "scan" else []
    return main([*words, *where, *(NO_ETCD if needs_etcd else ())])


def refusal(path: Path, printed: tuple[str, str]) -> bool:
    """Whether one sentence was printed that names the file, and what to do."""
    said = "".join(printed).strip()
    return (
        said.count("\n") == 0
        and str(path) in said
        and "not a lockdoctor " in said
        and "It was not changed. Use another file with --" in said
    )


@pytest.mark.parametrize("present", ["nothing", "an empty file"])
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("command", ["scan --history {}", "check --prefix /a --history {}"])
def test_a_history_is_not_begun_where_sqlite_would_delete_a_file(
    command: str, ending: str, present: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite takes every file beside a database for its own if the name fits."""
    path = folder / "new"
    if present == "an empty file":
        path.touch()
    notes = folder / f"new{ending}"
    notes.write_text("these are my notes\n" * 100)
    before = seen(folder)

    status = run(command, path, "")

    assert status == COMMANDS[command]
    said = "".join(capsys.readouterr())
    assert f"Cannot write {path}: That would change {notes}, which is not lockdoctor's." in said
    assert seen(folder) == before


def test_a_history_is_begun_beside_what_a_killed_run_has_left(folder: Path) -> None:
    """Its -wal and -shm, where someone removed the database alone."""
    path = folder / "new"
    store_and_die(path)
    path.unlink()
    assert len(seen(folder)) == 2

    stored(path, a_run())

    assert recalled(path, NOON + 300).runs == 1


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_not_ours_is_refused_and_not_changed(
    command: str, what: str, folder: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the file, nor its mode and times, nor anything beside it; nobody asked etcd."""
    path = folder / "file"
    FOREIGN[what](path)
    before = seen(folder)

    assert run(command, path, config) == COMMANDS[command]

    assert refusal(path, capsys.readouterr())
    assert seen(folder) == before
    assert not (folder.parent / "state").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_without_rights_is_refused_as_well(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may be written, and one that may only be read."""
    with somebody_else() as folder:
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
        own_config = folder / "treats.toml"
        own_config.write_text(TREATS)
        for name, mode in (("file", 0o600), ("read-only", 0o400)):
            path = folder / name
            path.write_text("my notes\n")
            path.chmod(mode)
            before = seen(folder)

            assert run(command, path, own_config) == COMMANDS[command]

            assert refusal(path, capsys.readouterr())
            assert seen(folder) == before


def a_plan(path: Path) -> None:
    plan = RevokePlan(
        made_at=NOON, cluster_id=1, raft_term=2, prefixes=(), quarantine_s=60, targets=()
    )
    with path.open("w") as out:
        write_plan_file(plan, out)


def a_failed_check(form: object) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("w") as out:
            form.render(FailedCheck(at=NOON, took_s=0.1, why="x"), out)  # type: ignore[attr-defined]

    return make


OURS: dict[str, Callable[[Path], object]] = {
    "--history": lambda path: stored(path, a_run()),
    "--journal": lambda path: FileJournal(path).write(an_intent()),
    "--plan": a_plan,
    "--textfile": a_failed_check(PrometheusOutput()),
    "--output nagios": a_failed_check(NagiosOutput()),
    "--output json": a_failed_check(CheckJson()),
    "--html": lambda path: path.write_text(pictures.html([])),
    "--svg": lambda path: path.write_text(pictures.svg([])),
}
SAME = {"--output table": "--output nagios", "--output prometheus": "--textfile"}


def option_of(command: str) -> str:
    option = command.replace("={}", "").replace(" {}", "").rpartition("--")[2]
    return SAME.get(f"--{option}", f"--{option}")


@pytest.mark.parametrize("other", OURS)
@pytest.mark.parametrize("command", COMMANDS)
def test_another_kind_of_ours_is_refused(
    command: str, other: str, folder: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal given as --history, a plan as --textfile: all pairs; its own kind goes on."""
    path = folder / "file"
    OURS[other](path)
    before = seen(folder)

    status = run(command, path, config)

    is_refused = refusal(path, capsys.readouterr())
    assert is_refused == (option_of(command) != other)
    if is_refused:
        assert status == COMMANDS[command]
        assert seen(folder) == before


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if "runs" not in command and "list" not in command]
)
def test_no_folder_is_made_from_a_typo(
    command: str, folder: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence names the folder; only the default state folder is ever made."""
    path = folder / "nope" / "x"
    is_reading = command.startswith(("history", "journal show"))

    status = run(command, path, config)

    said = "".join(capsys.readouterr()).strip()
    assert said.count("\n") == 0
    assert (is_reading and str(path) in said) or "No such file or directory" in said
    assert status == (2 if command.startswith("journal show") else COMMANDS[command])
    assert not list(folder.iterdir())


@pytest.mark.parametrize("variable", ["LOCKDOCTOR_HISTORY", "LOCKDOCTOR_JOURNAL"])
def test_variables_name_files_as_options_do(
    variable: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So does the default place."""
    path = folder / "file"
    path.write_text("my notes\n")
    monkeypatch.setenv(variable, str(path))
    before = seen(folder)
    commands = {
        "LOCKDOCTOR_HISTORY": ("scan", 2),
        "LOCKDOCTOR_JOURNAL": ("revoke --prefix /a --no-history --yes", 2),
    }
    command, status = commands[variable]

    assert run(command, path) == status
    assert refusal(path, capsys.readouterr())
    assert seen(folder) == before


@pytest.mark.parametrize("command", ["scan", "show /a", "revoke --prefix /a", "check"])
def test_history_and_config_swapped(
    command: str, folder: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The configuration is no history, and a history no configuration."""
    history = folder / "history.sqlite3"
    stored(history, a_run())
    before = seen(folder), seen(config.parent)

    for words in (["--history", config], ["--history", config, "--config", history]):
        status = main([*command.split(), *map(str, words), *NO_ETCD])
        assert status == (3 if command == "check" else 2)
        assert "".join(capsys.readouterr()).strip().count("\n") == 0
        assert (seen(folder), seen(config.parent)) == before
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOCKDOCTOR_CONFIG", str(config))
            assert main([*command.split(), "--history", str(config), *NO_ETCD]) == status
            assert refusal(config, capsys.readouterr())
        assert (seen(folder), seen(config.parent)) == before


def test_the_other_files_of_a_check_are_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever watches the textfile hears that the check is down."""
    notes, textfile = folder / "notes.txt", folder / "a.prom"
    notes.write_text("my notes\n")

    command = f"check --prefix /a --no-history --textfile {textfile} --output json={{}}"
    assert run(command, notes) == 3

    assert refusal(notes, capsys.readouterr())
    assert "\nlockdoctor_up 0.0\n" in textfile.read_text()
    assert notes.read_text() == "my notes\n"


def killed_while_beginning(path: Path) -> None:
    """Leave what a run of an earlier version leaves that is killed: its ID is in the -wal only."""
    other = path.with_name("other")
    with contextlib.closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for ending in ("", "-wal"):
            Path(f"{path}{ending}").write_bytes(Path(f"{other}{ending}").read_bytes())
    other.unlink()


def without_its_id(path: Path) -> None:
    stored(path, a_run())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 0")


@pytest.mark.parametrize(
    ("make", "runs"), [(killed_while_beginning, 0), (without_its_id, 1), (Path.touch, 0)]
)
def test_a_history_without_its_id_is_ours_and_gets_it(
    make: Callable[[Path], object], runs: int, folder: Path
) -> None:
    """What an earlier version was killed over, and what has our very tables."""
    path = folder / "history.sqlite3"
    make(path)

    assert recalled(path, NOON + 300).runs == runs
    assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")


def test_links_to_files_of_ours_stay_links(folder: Path) -> None:
    """They are followed, what they lead to is written, and nothing is made beside the link."""
    links = folder / "links"
    links.mkdir()
    for option in ("--history", "--journal"):
        OURS[option](folder / option)
        (links / option).symlink_to(folder / option)
    (links / "dangling").symlink_to(folder / "new")

    for link in (links / "--history", links / "dangling"):
        stored(link, a_run(NOON + 300))
    journal = FileJournal(links / "--journal")
    with journal.alone():
        journal.write(an_intent("next"))

    assert all(each.is_symlink() for each in links.iterdir())
    assert len(list(links.iterdir())) == 3
    assert recalled(folder / "--history", NOON + 600).runs == 2
    assert recalled(folder / "new", NOON + 600).runs == 1
    assert len(FileJournal(folder / "--journal").entries()) == 2


def test_an_unwritable_journal_is_found_before_etcd_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence comes at once, not after the watch and the question."""
    with somebody_else() as folder:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
        journal = folder / "journal.jsonl"
        FileJournal(journal).write(an_intent())
        journal.chmod(0o400)
        empty = folder / "read-only"
        empty.mkdir(0o500)
        for path in (journal, empty / "journal.jsonl"):
            for words in ("--prefix /a --no-history --yes", "--undo 5f0c"):
                assert run(f"revoke {words} --journal {{}}", path) == 3
                assert capsys.readouterr().err == (
                    f"lockdoctor: The journal {path} cannot be written: Permission denied."
                    " Correct that, or use another file with --journal.\n"
                )
        empty.chmod(0o700)
