"""How Python and the C library look after the memory of a run."""

from __future__ import annotations

import gc
import sys

LARGE_BYTES = 1 << 17
"""glibc's own first choice."""

M_MMAP_THRESHOLD = -3
"""Source: mallopt(3)."""

NEW_OBJECTS = 20_000
"""So many more new objects than freed ones, and Python looks for circles among them."""


def collect_rarely() -> None:
    """
    Look for circles of garbage less often than Python would, which is each 700 new objects.

    What is loaded and what is read stays, so that hardly anything is ever found; the looking takes
    a tenth of a short run.
    """
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def leave_garbage() -> None:
    """Spare the end of the process the last look for circles, which goes through all there is."""
    gc.freeze()


def give_back_large_blocks() -> None:
    """
    Let glibc give back every large block as soon as it is free, not only the first ones.

    It raises its threshold with each large block that is freed, up to 32 MiB. From then on the
    tables that grow with 100,000 locks leave holes behind that nothing fills: a fifth of the peak.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  # a help looks after no memory

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries may have none
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
