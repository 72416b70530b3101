"""Settings of Python's and the C library's memory management for a run."""

from __future__ import annotations

import gc
import sys

LARGE_BYTES = 1 << 17
"""glibc's initial threshold in bytes."""

M_MMAP_THRESHOLD = -3
"""The parameter number of mallopt. Source: mallopt(3)."""

NEW_OBJECTS = 20_000
"""New objects minus freed ones after which Python collects garbage."""


def collect_rarely() -> None:
    """
    Collect cyclic garbage less often than Python's default of 700 new objects.

    The modules and the data of a run are kept, so a collection frees almost no object. The
    collections take a tenth of a short run.
    """
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def leave_garbage() -> None:
    """Skip the garbage collection at exit."""
    gc.freeze()


def give_back_large_blocks() -> None:
    """
    Make glibc return every large block as soon as it is free.

    glibc raises its threshold with each freed large block, up to 32 MiB. Then the tables that grow
    with 100,000 locks leave unused gaps: a fifth of the peak.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  # a help text needs no memory settings

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries might not have it
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
