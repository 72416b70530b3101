"""Runs `show --explain-kind` for a key in etcd, or for its name alone."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.options.run import OutputFormat
from lockdoctor.cli.runtime.signals import Signals
from lockdoctor.cli.runtime.terminal import in_colour, width, write_to
from lockdoctor.clock import SystemClock
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.recipes.explain import Explanation, explain_name
from lockdoctor.errors import AccessDeniedError, ClusterUnreachableError
from lockdoctor.etcd.client import connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.outputs.json.explain_kind import write_json
from lockdoctor.outputs.table.explain_kind import write_table
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.explain_kind import explain_kind


def run_explain_kind(
    settings: ConnectionSettings, name: bytes, policy: Policy, form: str
) -> ExitStatus:
    """
    Print which recipe takes a key, and why the others do not.

    Raises:
        ClusterError: etcd answers, and the key could not be read.
        OutputError: The result could not be written.
    """
    signals = Signals(StopRequest())
    try:
        found = signals.run(_read(settings, name, policy))
    except (ClusterUnreachableError, AccessDeniedError) as failed:
        found = explain_name(name, policy.recipes, str(failed).rstrip("."))
    write_to(sys.stdout, "the result", lambda out: _write(found, out, form))
    return ExitStatus.NOTHING_FOUND


async def _read(settings: ConnectionSettings, name: bytes, policy: Policy) -> Explanation:
    cluster = await connect(settings, SystemClock(), 1)
    try:
        return await explain_kind(cluster, name, policy)
    finally:
        await cluster.close()


def _write(found: Explanation, out: TextIO, form: str) -> None:
    if form == OutputFormat.JSON:
        write_json(found, out)
    else:
        write_table(found, out, width=width(), colour=in_colour(out, os.environ))
