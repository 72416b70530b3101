"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TextIO

import pytest

from lockdoctor.errors import OutputError
from lockdoctor.outputs.sink import write_file


def hello(out: TextIO) -> None:
    out.write("hello\n")


def test_file_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    """node_exporter runs as another user than the check."""
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "a.prom", hello)
    finally:
        os.umask(before)

    assert (tmp_path / "a.prom").read_text() == "hello\n"
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == 0o644


def test_file_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    """The second run takes the place of the first."""
    for _ in range(2):
        write_file(tmp_path / "a.prom", hello)

    assert list(tmp_path.iterdir()) == [tmp_path / "a.prom"]


def test_reader_sees_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """While a file is written the old one stands, and node_exporter sees one *.prom only."""
    file = tmp_path / "a.prom"
    file.write_text("old\n")

    def look(out: TextIO) -> None:
        out.write("half")
        out.flush()
        assert file.read_text() == "old\n"
        assert [each.name for each in tmp_path.iterdir() if each.suffix == ".prom"] == ["a.prom"]

    write_file(file, look)
    assert file.read_text() == "half"


def test_what_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    """Half a file never takes the place of a whole one."""
    file = tmp_path / "a.prom"
    file.write_text("old\n")

    def fail(out: TextIO) -> None:
        out.write("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"Cannot write .*a\.prom: No space left on device"):
        write_file(file, fail)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.prom"]
    assert file.read_text() == "old\n"


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """A folder is not made: a typo would be filled for ever, read by nobody."""
    with pytest.raises(OutputError, match=r"Cannot write .*gone/a\.prom: No such file"):
        write_file(tmp_path / "gone" / "a.prom", hello)


def test_link_is_followed(tmp_path: Path) -> None:
    """A link goes on leading where it led."""
    (tmp_path / "real").mkdir()
    (tmp_path / "a.prom").symlink_to(tmp_path / "real" / "b.prom")

    write_file(tmp_path / "a.prom", hello)

    assert (tmp_path / "a.prom").is_symlink()
    assert (tmp_path / "real" / "b.prom").read_text() == "hello\n"


def test_links_in_a_circle(tmp_path: Path) -> None:
    """A link to itself leads nowhere."""
    (tmp_path / "a.prom").symlink_to(tmp_path / "a.prom")

    with pytest.raises(OutputError, match="Cannot write"):
        write_file(tmp_path / "a.prom", hello)


def test_device_is_written_to_not_replaced(tmp_path: Path) -> None:
    """/dev/null, a pipe and their like stay what they are."""
    device = tmp_path / "null"
    device.symlink_to("/dev/null")

    write_file(device, hello)

    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
