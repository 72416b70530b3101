"""Runs `journal restore`: shows the plan, asks, restores the keys, and reports."""

from __future__ import annotations

import os
import sys

from lockdoctor.cli.commands.journal.options import EntryFlags, RestoreFlags
from lockdoctor.cli.commands.journal.run import find_entry
from lockdoctor.cli.config.file import find_config, read_config
from lockdoctor.cli.exit_codes import RestoreStatus
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.run import JournalFlags
from lockdoctor.cli.runtime.journal import open_journal
from lockdoctor.cli.runtime.prompt import asked, may_ask, restore_question
from lockdoctor.cli.runtime.run import settings_of
from lockdoctor.cli.runtime.signals import Signals, planning, run_writing
from lockdoctor.cli.runtime.terminal import write_page
from lockdoctor.cli.runtime.treatment_context import connected_context
from lockdoctor.domain.recipes.registry import built_in
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.restore_plan import RestorePlan
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.table.restore import plan_parts, restored_parts
from lockdoctor.outputs.text.values import printable
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment import restore as workflow


def restore(
    entry: EntryFlags,
    flags: RestoreFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> RestoreStatus:
    """
    Plan a restore, and execute it after consent.

    Raises:
        LockdoctorError: In one sentence; the keys restored before were reported.
        KeyboardInterrupt: A signal arrived before any key was restored.
    """
    file = open_journal(journal, os.environ)
    will_act = not flags.dry_run and (flags.yes or may_ask())
    if will_act:
        file.require_writable()
    found = find_entry(file, entry.entry)
    wanted = _wanted(found, flags)
    configured = read_config(find_config(config.config, os.environ))
    settings = settings_of(connection, config.cluster, configured, os.environ)
    with planning():
        plan = Signals().run(_planned(settings, file, found, wanted, flags.ttl_s))
    acts = bool(plan.keys) and will_act
    write_page(plan_parts(plan, will_act=acts), "the plan")
    if not acts:
        is_short = plan.left and flags.yes and not flags.dry_run
        return RestoreStatus.NOT_ALL if is_short else RestoreStatus.DONE
    if not flags.yes and not asked(*restore_question(plan.keys), sys.stdin, sys.stderr):
        return RestoreStatus.DONE
    stop = StopRequest()
    signals = Signals(stop)
    restored = run_writing(signals, _carried_out(settings, file, plan, stop))
    write_page(restored_parts(restored), "what was done")
    settings.identity.require_no_mismatch()
    if signals.received:
        return RestoreStatus.INTERRUPTED
    is_whole = restored.is_complete and not plan.left
    return RestoreStatus.DONE if is_whole else RestoreStatus.NOT_ALL


def _wanted(entry: Entry, flags: RestoreFlags) -> frozenset[bytes]:
    """
    Return the keys to restore: the named ones, or all without a name.

    Raises:
        ConfigError: The entry has deleted no key, or not a named one.
    """
    there = {key.key for key in entry.perhaps_deleted}
    if not there:
        raise ConfigError(
            f"The entry {entry.intent.entry_id} has deleted no key ({entry.intent.action.value},"
            f" {entry.result.value}), so it cannot be restored."
        )
    wanted = frozenset(map(os.fsencode, flags.only))
    for key in wanted - there:
        raise ConfigError(
            f"The entry {entry.intent.entry_id} has not deleted {printable(key)}. For its keys:"
            f" `lockdoctor journal show {entry.intent.entry_id}`"
        )
    return wanted


async def _planned(
    settings: ConnectionSettings,
    file: FileJournal,
    entry: Entry,
    wanted: frozenset[bytes],
    ttl_s: int | None,
) -> RestorePlan:
    async with connected_context(settings, file, built_in()) as context:
        return await workflow.plan_restore(context, entry, wanted, ttl_s)


async def _carried_out(
    settings: ConnectionSettings, file: FileJournal, plan: RestorePlan, stop: StopRequest
) -> ActionResult[RestorePlan]:
    async with connected_context(settings, file, built_in()) as context:
        return await workflow.restore(context, plan, stop)
