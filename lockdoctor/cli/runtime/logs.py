"""What is logged on standard error: calls to etcd, and failures that do not end a run."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

CALLS = "lockdoctor.etcd"
"""The logger of calls to etcd."""


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to the present standard error: a progress bar puts its own in place for a while."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """Leave it: the handler's constructor names the stream of that moment."""


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
