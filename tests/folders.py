"""Where the tests find the project's files."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PROFILES = TESTS / "processes" / "profiles"
"""Goroutine profiles of real programs; the README there says how they were made."""
