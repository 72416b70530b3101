"""Runs `revoke`: scans, plans, asks, executes and reports."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from lockdoctor.cli.commands.revoke.options import ExecutionFlags, OverrideFlags, SelectionFlags
from lockdoctor.cli.commands.revoke.selection import request_of, selection_of, validate_flags
from lockdoctor.cli.config.file import find_config, read_config
from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import HistoryFlags, JournalFlags, OutputFormat, RunFlags
from lockdoctor.cli.runtime.journal import open_journal
from lockdoctor.cli.runtime.prompt import asked, plan_question
from lockdoctor.cli.runtime.run import MARGIN_S, RunDependencies, examine, history_path, settings_of
from lockdoctor.cli.runtime.signals import Signals, planning, run_writing
from lockdoctor.cli.runtime.terminal import print_message, write_page, write_to
from lockdoctor.cli.runtime.treatment_context import connected_context
from lockdoctor.domain.recipes.registry import RecipeBook
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId
from lockdoctor.domain.treatment.plan import RevokePlan, Selection, Target
from lockdoctor.domain.treatment.results import ActionResult, TreatmentReport
from lockdoctor.errors import ClusterError, ConfigError, WrongClusterError
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.file_kinds import PLAN
from lockdoctor.outputs.files import require_place, write_file
from lockdoctor.outputs.json.plan_reading import read_plan
from lockdoctor.outputs.json.treatment import write_plan_file, write_treatment, write_undone
from lockdoctor.outputs.table.treatment import plan_parts, report_parts, undone_parts
from lockdoctor.outputs.text.plan import RESULTS, title
from lockdoctor.outputs.text.values import duration
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.treatment.context import TreatmentContext
from lockdoctor.workflows.treatment.plan import ExecutionOptions, execute_plan, plan_revocation
from lockdoctor.workflows.treatment.undo import undo
from lockdoctor.workflows.treatment.verify import watch_for_relapse

OWNER_ONLY = 0o600
"""File mode of a plan: its keys are for its owner only."""

HOW_TO_ACT = "To execute it, add --yes. To execute this plan later, save it with --plan FILE."


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSettings:
    """The settings of one run."""

    connection: ConnectionSettings
    recipes: RecipeBook
    journal: FileJournal
    acting: ExecutionFlags
    is_json: bool
    asks: bool
    """Whether a user at a terminal can be asked."""


def run_revoke(
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
    Plan, ask and execute; or undo.

    Raises:
        LockdoctorError: In one sentence; etcd was not changed.
    """
    file = read_config(find_config(config.config, os.environ))
    selection = selection_of(what, overrides)
    validate_flags(selection, targets, acting)
    is_json = run.format == OutputFormat.JSON
    settings = RevokeSettings(
        connection=settings_of(connection, config.cluster, file, os.environ),
        recipes=file.book,
        journal=open_journal(journal, os.environ),
        acting=acting,
        is_json=is_json,
        asks=_asks(acting, is_json=is_json),
    )
    if acting.plan is not None:
        require_place(acting.plan, PLAN)
    if settings.asks or acting.yes or acting.undo is not None:
        settings.journal.require_writable()
    if acting.undo is not None:
        return _undo(settings, EntryId(acting.undo))
    if acting.from_plan is not None:
        return _settle(settings, _saved_plan(acting.from_plan))
    request = request_of(targets, run, limits, selection, file)
    history_file = history_path(history, os.environ) if request.prefixes else None
    dependencies = RunDependencies(history=history_file, acceptances=file.acceptances)
    timeout_s = request.window_s + MARGIN_S if run.timeout_s is None else run.timeout_s
    with planning():
        plan = _fresh_plan(settings, request, dependencies, timeout_s, selection)
    return _settle(settings, plan)


def _fresh_plan(
    settings: RevokeSettings,
    request: ScanRequest,
    dependencies: RunDependencies,
    timeout_s: float,
    selection: Selection,
) -> RevokePlan:
    """
    Scan, and return the plan from its report.

    Raises:
        ClusterError: The scan is incomplete.
        KeyboardInterrupt: A signal arrived meanwhile.
    """
    examined = examine(settings.connection, request, dependencies, timeout_s)
    if examined.by_signal:
        raise KeyboardInterrupt
    if examined.report.interrupted:
        raise ClusterError(
            f"The scan ended early ({examined.report.interrupted}), so no plan was made. Try again."
        )
    return Signals().run(_plan(settings, examined.report, selection))


def _settle(settings: RevokeSettings, plan: RevokePlan) -> int:
    """Show a plan, and execute it after consent."""
    acting = settings.acting
    acts = bool(plan.targets) and acting.yes
    if acting.plan is not None:
        write_file(acting.plan, PLAN, lambda out: write_plan_file(plan, out), mode=OWNER_ONLY)
    if not settings.is_json:
        hint = None if acts or settings.asks or not plan.targets else HOW_TO_ACT
        if acting.plan is not None:
            hint = f"Saved. To execute it: lockdoctor revoke --from-plan {acting.plan}"
        write_page(plan_parts(plan, hint), "the plan")
    if settings.asks and plan.targets:
        acts = asked(*plan_question(plan), sys.stdin, sys.stderr)
    if acts:
        return _act(settings, plan)
    if settings.is_json:
        write_to(sys.stdout, "the plan", lambda out: write_treatment(plan, None, out))
    return _nothing_done(acting, plan)


def _nothing_done(acting: ExecutionFlags, plan: RevokePlan) -> int:
    """Return the status without an action: only --yes requires one."""
    refused = any(not refusal.is_gone for refusal in plan.refused)
    return ExitStatus.FINDINGS if acting.yes and refused else ExitStatus.NOTHING_FOUND


def _act(settings: RevokeSettings, plan: RevokePlan) -> int:
    """
    Execute a plan, and report.

    Raises:
        WrongClusterError: Another cluster has answered; the actions before were reported.
        KeyboardInterrupt: Two signals arrived before any write to etcd.
    """
    stop = StopRequest()
    signals = Signals(stop)
    report = run_writing(signals, _carry_out(settings, plan, stop))
    if settings.is_json:
        write_to(sys.stdout, "the report", lambda out: write_treatment(plan, report, out))
    else:
        write_page(report_parts(report), "the report")
    settings.connection.identity.require_no_mismatch()
    if signals.received:
        return ExitStatus.INTERRUPTED
    return ExitStatus.NOTHING_FOUND if report.is_fine else ExitStatus.FINDINGS


async def _plan(settings: RevokeSettings, report: Report, selection: Selection) -> RevokePlan:
    async with _context(settings) as context:
        return await plan_revocation(context, report, selection)


async def _carry_out(
    settings: RevokeSettings, plan: RevokePlan, stop: StopRequest
) -> TreatmentReport:
    acting = settings.acting
    options = ExecutionOptions(pause_s=acting.pause_s, continue_on_error=acting.continue_on_error)
    completed: list[ActionResult[Target]] = []

    def on_result(treated: ActionResult[Target]) -> None:
        completed.append(treated)
        if len(plan.targets) > 1:  # after two Ctrl-C, the user still sees the completed actions
            line = f"{title(treated.target)}: {RESULTS[treated.result]}"
            print_message(f"{len(completed)} of {len(plan.targets)}: {line}")

    async with _context(settings) as context:
        report = await execute_plan(context, plan, options, stop, on_result)
        if acting.verify_s is None or stop.reason:
            return report
        print_message(f"watching for {duration(acting.verify_s)} whether the leak comes back")
        began_at = context.clock.now()
        try:
            relapses = await watch_for_relapse(context, report.treated, acting.verify_s, stop)
        except (WrongClusterError, asyncio.CancelledError):  # actions are reported anyway
            return report
        watched_s = context.clock.now() - began_at
        return replace(report, watched_s=watched_s, relapses=relapses)


def _undo(settings: RevokeSettings, entry_id: EntryId) -> int:
    """
    Undo a quarantine, and report.

    Raises:
        WrongClusterError: Another cluster has answered; the actions before were reported.
        KeyboardInterrupt: Two signals arrived before any write to etcd.
    """
    stop = StopRequest()

    async def work() -> ActionResult[Entry]:
        async with _context(settings) as context:
            return await undo(context, entry_id, stop)

    signals = Signals(stop)
    undone = run_writing(signals, work())
    if settings.is_json:
        write_to(sys.stdout, "the report", lambda out: write_undone(undone, out))
    else:
        write_page(undone_parts(undone), "the report")
    settings.connection.identity.require_no_mismatch()
    if signals.received:
        return ExitStatus.INTERRUPTED
    return ExitStatus.NOTHING_FOUND if undone.is_complete else ExitStatus.FINDINGS


def _context(settings: RevokeSettings) -> AbstractAsyncContextManager[TreatmentContext]:
    return connected_context(settings.connection, settings.journal, settings.recipes)


def _saved_plan(path: Path) -> RevokePlan:
    try:
        return read_plan(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read the plan {path}: {error.strerror}.") from error
    except ValueError as error:  # invalid UTF-8 raises it too
        why = "it is not text" if isinstance(error, UnicodeDecodeError) else error
        raise ConfigError(f"Cannot use the plan {path}: {why}. Make a new plan.") from error


def _asks(acting: ExecutionFlags, *, is_json: bool) -> bool:
    if is_json or acting.dry_run or acting.yes or acting.plan is not None:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()
