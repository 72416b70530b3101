"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from lockdoctor.errors import OutputError
from lockdoctor.outputs.file_kinds import TEXTFILE
from lockdoctor.outputs.files import write_file

OLD, NEW = "lockdoctor_up 0.0\n", "lockdoctor_up 1.0\n"


def hello(out: TextIO) -> None:
    out.write(NEW)


def test_file_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    """node_exporter runs as another user than the check."""
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "a.prom", TEXTFILE, hello)
    finally:
        os.umask(before)

    assert (tmp_path / "a.prom").read_text() == NEW
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == 0o644


def test_file_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    """The second run takes the place of the first."""
    for _ in range(2):
        write_file(tmp_path / "a.prom", TEXTFILE, hello)

    assert list(tmp_path.iterdir()) == [tmp_path / "a.prom"]


def test_reader_sees_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """While a file is written the old one stands, and node_exporter sees one *.prom only."""
    file = tmp_path / "a.prom"
    file.write_text(OLD)

    def look(out: TextIO) -> None:
        out.write("half")
        out.flush()
        assert file.read_text() == OLD
        assert [each.name for each in tmp_path.iterdir() if each.suffix == ".prom"] == ["a.prom"]

    write_file(file, TEXTFILE, look)
    assert file.read_text() == "half"


def test_what_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    """Half a file never takes the place of a whole one."""
    file = tmp_path / "a.prom"
    file.write_text(OLD)

    def fail(out: TextIO) -> None:
        out.write("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"Cannot write .*a\.prom: No space left on device"):
        write_file(file, TEXTFILE, fail)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.prom"]
    assert file.read_text() == OLD


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """A folder is not made: a typo would be filled for ever, read by nobody."""
    with pytest.raises(OutputError, match=r"Cannot write .*gone/a\.prom: No such file"):
        write_file(tmp_path / "gone" / "a.prom", TEXTFILE, hello)


def test_link_is_followed(tmp_path: Path) -> None:
    """A link goes on leading where it led."""
    (tmp_path / "real").mkdir()
    (tmp_path / "a.prom").symlink_to(tmp_path / "real" / "b.prom")

    write_file(tmp_path / "a.prom", TEXTFILE, hello)

    assert (tmp_path / "a.prom").is_symlink()
    assert (tmp_path / "real" / "b.prom").read_text() == NEW


def test_links_in_a_circle(tmp_path: Path) -> None:
    """A link to itself leads nowhere."""
    (tmp_path / "a.prom").symlink_to(tmp_path / "a.prom")

    with pytest.raises(OutputError, match="Cannot write"):
        write_file(tmp_path / "a.prom", TEXTFILE, hello)


def test_device_is_written_to_not_replaced(tmp_path: Path) -> None:
    """/dev/null, a pipe and their like stay what they are."""
    device = tmp_path / "null"
    device.symlink_to("/dev/null")

    write_file(device, TEXTFILE, hello)

    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """What is there is looked at once more when the new one is whole."""
    file = tmp_path / "a.prom"

    def render(out: TextIO) -> None:
        hello(out)
        file.write_text("my notes\n")

    with pytest.raises(OutputError, match=r"is not a lockdoctor textfile\. It was not changed"):
        write_file(file, TEXTFILE, render)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [
        ("a.prom", "my notes\n")
    ]


def test_dangling_link_leads_to_a_new_file(tmp_path: Path) -> None:
    """In a folder that exists, and nowhere else."""
    link, lost = tmp_path / "a.prom", tmp_path / "b.prom"
    link.symlink_to(tmp_path / "new.prom")
    lost.symlink_to(tmp_path / "gone" / "new.prom")

    write_file(link, TEXTFILE, hello)
    with pytest.raises(OutputError, match="No such file or directory"):
        write_file(lost, TEXTFILE, hello)

    assert link.is_symlink()
    assert (tmp_path / "new.prom").read_text() == NEW
    assert not (tmp_path / "gone").exists()


STREAMS = [
    ("/dev/stdout", 1),
    ("/dev/stderr", 2),
    ("/proc/self/fd/1", 1),
    ("/dev/fd/2", 2),
    ("link", 1),
]
WRITER = """
import sys
from pathlib import Path
from tests.outputs.test_files import *
print("before")
write_file(Path(sys.argv[1]), TEXTFILE, hello)
print("after")
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(("place", "number"), STREAMS)
@pytest.mark.parametrize("is_file", [False, True])
def test_the_standard_streams_are_written_to(
    tmp_path: Path, place: str, number: int, *, is_file: bool
) -> None:
    """Pipes as well as files: what a shell was told to add to keeps what it has."""
    if place == "link":
        (tmp_path / place).symlink_to("/dev/stdout")
        place = str(tmp_path / place)
    command = [sys.executable, "-c", WRITER, place]
    if is_file:
        (tmp_path / "notes").write_text("my notes\n")
        with (tmp_path / "notes").open("a") as notes:
            subprocess.run(command, stdout=notes, stderr=notes, check=True, timeout=60)
        assert sorted((tmp_path / "notes").read_text().splitlines(keepends=True)) == sorted(
            ["my notes\n", "before\n", NEW, "after\n"]
        )
        return
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr)[number - 1].count(NEW) == 1


def test_a_pipe_of_the_shell_is_written_to() -> None:
    """`>(command)` of a shell is a pipe that was opened for this process alone."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as read:
        write_file(Path(f"/dev/fd/{writer}"), TEXTFILE, hello)
        os.close(writer)
        assert read.read() == NEW
