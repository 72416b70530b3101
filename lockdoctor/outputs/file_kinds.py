"""Recognizes files that outputs have written, by their first bytes."""

from __future__ import annotations

import re
from pathlib import Path

from lockdoctor.own_files import FileKind

_METRIC = re.compile(rb"(# (HELP|TYPE) )?lockdoctor_")
_TEXTFILE_BYTES = 16 * 2**20

_PLAN = re.compile(rb'\s*\{\s*"lockdoctor_plan"\s*:')
_JSON = re.compile(
    rb'\s*\{\s*"schema_version"\s*:\s*\d+\s*,\s*'
    rb'("run"\s*:|"check"\s*:\s*\{\s*"status"\s*:\s*"\w+"\s*,\s*"summary"\s*:\s*"LOCKDOCTOR )'
)
"""A check is written before the run; after a failed check there is no run."""

_HTML = re.compile(rb"<!DOCTYPE html>\s*<html[^>]*>\s*<head>.{0,80}<title>lockdoctor<", re.DOTALL)
_SVG = re.compile(rb'<svg [^>]*class="rich-terminal"[^>]*>.*\.lockdoctor-matrix', re.DOTALL)


def _is_textfile(_path: Path, beginning: bytes) -> bool:
    """Return whether every line is of lockdoctor's metrics, without any other."""
    lines = beginning.split(b"\n")
    if len(beginning) == _TEXTFILE_BYTES:
        del lines[-1]  # the last line can be cut off
    return all(_METRIC.match(line) for line in lines if line)


def _kind(name: str, option: str, pattern: re.Pattern[bytes]) -> FileKind:
    """Return a kind of file that begins with a pattern."""
    return FileKind(name=name, option=option, is_ours=lambda _, begins: bool(pattern.match(begins)))


PLAN = _kind("plan", "--plan", _PLAN)
TEXTFILE = FileKind(
    name="textfile", option="--textfile", is_ours=_is_textfile, reads=_TEXTFILE_BYTES
)
STATUS = _kind("status line", "--output", re.compile(b"LOCKDOCTOR "))
DOCUMENT = _kind("JSON document", "--output", _JSON)
HTML = _kind("HTML page", "--html", _HTML)
SVG = _kind("SVG page", "--svg", _SVG)
