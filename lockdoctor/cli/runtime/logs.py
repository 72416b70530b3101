"""Logs calls to etcd, and failures that do not end a run, on standard error."""

from __future__ import annotations

import contextlib
import logging
import sys

CALLS = "lockdoctor.etcd"
"""The logger of calls to etcd."""


class _StderrHandler(logging.Handler):
    """Writes to the present standard error, which a progress bar replaces for a time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, if the terminal is still there."""
        with contextlib.suppress(OSError):
            print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201  # a command line talks


def start_logging(*, failures: bool, calls: bool) -> None:
    """
    Log on standard error.

    Args:
        failures: The tracebacks of what fails without ending a run.
        calls: Each call to etcd.
    """
    logging.basicConfig(format="lockdoctor: %(message)s", handlers=[_StderrHandler()])
    logging.getLogger(CALLS).setLevel(logging.INFO if calls else logging.WARNING)
    if failures:
        logging.getLogger("lockdoctor").setLevel(logging.DEBUG)
