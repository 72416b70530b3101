"""Running `lockdoctor revoke` as a person does, and reading the document that it writes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenarios.run_scan import PROGRAM

MAX_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """What a run with --format json wrote."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def targets(self) -> list[dict[str, Any]]:
        """What became of each target."""
        told: list[dict[str, Any]] = self.document["treatment"]["targets"]
        return told

    @property
    def planned(self) -> list[dict[str, Any]]:
        """The targets of the plan."""
        told: list[dict[str, Any]] = self.document["plan"]["targets"]
        return told

    @property
    def refused(self) -> list[str]:
        """The kinds of all reasons for which something was refused."""
        plan = self.document["plan"]
        return [reason["kind"] for each in plan["refused"] for reason in each["reasons"]]


class Operator:
    """Somebody with an etcd, and with a journal and a history of their own."""

    def __init__(self, folder: Path, *endpoints: str) -> None:
        """Write down everything in this folder."""
        self.journal = folder / "journal.jsonl"
        self._folder = folder
        self._endpoints = ",".join(endpoints)

    def start(self, *words: str | bytes, command: str = "revoke") -> subprocess.Popen[str]:
        """Start a run in a process of its own."""
        state = {"XDG_STATE_HOME": str(self._folder), "LOCKDOCTOR_JOURNAL": str(self.journal)}
        return subprocess.Popen(
            [*PROGRAM, *command.split(), "--endpoints", self._endpoints, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | state,
        )

    def revoke(self, *words: str | bytes) -> Run:
        """Plan and treat, and have both as JSON."""
        return finish(self.start("--format=json", *words))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The journal, line by line."""
        text = self.journal.read_text(encoding="utf-8") if self.journal.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


def finish(running: subprocess.Popen[str]) -> Run:
    """Wait for a run; whatever came of it, it never shows a traceback."""
    try:
        stdout, stderr = running.communicate(timeout=MAX_S)
    finally:
        running.kill()
    assert "Traceback" not in stderr
    return Run(status=running.returncode, stdout=stdout, stderr=stderr)


def raw(told: dict[str, Any], field: str) -> bytes:
    """Read a field of bytes from its exact form."""
    return base64.b64decode(told[f"{field}_base64"])
