"""Running `lockdoctor scan` as a person does, and reading the document that it writes."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

PROGRAM = (sys.executable, "-m", "lockdoctor")
MAX_SCAN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What one run left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The report of a run with --format json."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def verdicts(self) -> dict[bytes, str]:
        """The verdict that names each lock's state, by the lock's name."""
        return {_bytes(lock): lock["verdict"] for lock in self.document["locks"]}

    @property
    def findings(self) -> list[str]:
        """The verdicts of WARNING or worse."""
        return [finding["verdict"] for finding in self.document["findings"]]

    def lock(self, name: bytes) -> dict[str, Any]:
        """Everything about one lock."""
        found: dict[str, Any] = next(
            lock for lock in self.document["locks"] if _bytes(lock) == name
        )
        return found

    def finding(self, verdict: str) -> dict[str, Any]:
        """The only finding with this verdict."""
        (found,) = (f for f in self.document["findings"] if f["verdict"] == verdict)
        return dict(found)


def start_scan(endpoint: str, prefix: bytes, *flags: str) -> subprocess.Popen[str]:
    """Start a scan in a process of its own; it knows of no other unless a flag says so."""
    words = [*PROGRAM, "scan", "--endpoints", endpoint, "--prefix-hex", prefix.hex(), *flags]
    if not any(flag.startswith("--history") for flag in flags):
        words.append("--no-history")
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_scan(running: subprocess.Popen[str]) -> Scanned:
    """Wait for a scan; whatever it found, it never shows a traceback."""
    try:
        stdout, stderr = running.communicate(timeout=MAX_SCAN_S)
    finally:
        running.kill()
    assert "Traceback" not in stderr
    return Scanned(status=running.returncode, stdout=stdout, stderr=stderr)


def scan(endpoint: str, prefix: bytes, *flags: str) -> Scanned:
    """Scan, and have the report as JSON."""
    return finish_scan(start_scan(endpoint, prefix, "--format", "json", *flags))


def _bytes(lock: dict[str, Any]) -> bytes:
    return base64.b64decode(lock["name_base64"])
