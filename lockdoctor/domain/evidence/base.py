"""What readings share: how far apart two numbers may be and still be called equal."""

from __future__ import annotations

TOLERANCE = 0.05
"""Two numbers that were not counted at the same moment agree if they differ by no more."""
