"""The tolerance with which two counts are compared."""

from __future__ import annotations

TOLERANCE = 0.05
"""The maximum difference at which two numbers agree that were not counted at the same moment."""
