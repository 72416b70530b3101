"""The command `revoke`."""

from __future__ import annotations

from lockdoctor.cli.commands.revoke.options import ExecutionFlags, OverrideFlags, SelectionFlags
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LIMITS, LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import RUN, HistoryFlags, JournalFlags, RunFlags

EXAMPLES = """\b
Examples:
  lockdoctor revoke --prefix /my-lock/ --max-hold 10m         plan, then ask
  lockdoctor revoke --prefix /my-lock/ 32698f1c0a1b2c3d       one lease
  lockdoctor revoke --prefix /my-lock/ --plan plan.json
  lockdoctor revoke --from-plan plan.json --yes --verify 30s
  lockdoctor revoke --undo 5f0c1a2b3c4d                       while it lasts

\b
--how revoke: delete the hold, and revoke its lease with every key on it.
--how release: delete the hold only. --how quarantine: move the key to a
short lease. Until that expires, it keeps its place, and --undo restores it.

\b
Exit status: 0 planned only, or all done, 1 some refused or failed,
2 bad usage, 3 no examination, no journal or another cluster, 130 interrupted.
"""


BRIEF = {
    RUN: "--window, --timeout, --format, --history, --no-history, --journal;\n"
    "see `lockdoctor help run`",
    LIMITS: "--kind, --max-hold, --critical-hold,\n"
    "--max-wait, --max-ttl, --max-idle-session; see `lockdoctor help limits`",
}
"""The options that other commands list one by one."""


def revoke(
    what: SelectionFlags,
    targets: PrefixFlags,
    overrides: OverrideFlags,
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

    Scans, prints a plan, and asks on a terminal. Reads each target again right
    before the action, and refuses it if it has changed. The journal records
    each action before and after it.
    """
    from lockdoctor.cli.commands.revoke.run import run_revoke  # noqa: PLC0415  # loads grpc and rich

    return run_revoke(
        what, targets, overrides, acting, run, history, limits, journal, connection, config
    )
