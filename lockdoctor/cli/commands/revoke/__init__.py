"""The command `revoke`."""

from __future__ import annotations

from lockdoctor.cli.commands.revoke.options import ExecutionFlags, OverrideFlags, SelectionFlags
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.history import HistoryFlags
from lockdoctor.cli.options.journal import JournalFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import RunFlags

EXAMPLES = """\b
Examples:
  lockdoctor revoke --prefix /my-lock/ --max-hold 10m         plan, then ask
  lockdoctor revoke --prefix /my-lock/ 32698f1c0a1b2c3d       one lease
  lockdoctor revoke --prefix /my-lock/ --verdict suspected-leak --how quarantine
  lockdoctor revoke --prefix /my-lock/ --plan plan.json
  lockdoctor revoke --from-plan plan.json --yes --verify 30s
  lockdoctor revoke --undo 5f0c1a2b3c4d                       while it lasts

\b
Exit status: 0 planned only, or all done; 1 some refused or failed; 2 bad usage;
3 could not examine, could not write the journal, or another cluster answered;
130 interrupted.
"""


def revoke(
    what: SelectionFlags,
    targets: PrefixFlags,
    dangers: OverrideFlags,
    acting: ExecutionFlags,
    run: RunFlags,
    history: HistoryFlags,
    limits: LimitFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Plan how to free leaked locks, do it, and verify the result.

    Scans, prints a plan, and asks. Reads each target again right before the
    action, and refuses it if it has changed. The journal records each action
    before and after it. docs/revoking.md explains release, quarantine, revoke.
    """
    from lockdoctor.cli.commands.revoke.run import run_revoke  # noqa: PLC0415  # loads grpc and rich

    return run_revoke(
        what, targets, dangers, acting, run, history, limits, journal, connection, config
    )
