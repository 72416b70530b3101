"""Turns the flags of `revoke` into a selection and a scan, or into an error."""

from __future__ import annotations

import math
import os

from lockdoctor.cli.commands.revoke.options import ExecutionFlags, OverrideFlags, SelectionFlags
from lockdoctor.cli.config.file import Config
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags, from_hex, prefixes
from lockdoctor.cli.options.run import RunFlags
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import LeaseId, parse_lease_id
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.treatment.plan import JUDGED, Selection
from lockdoctor.errors import ConfigError
from lockdoctor.workflows.scan.request import ScanRequest


def selection_of(what: SelectionFlags, overrides: OverrideFlags) -> Selection:
    """
    Return the selection of targets.

    Raises:
        ConfigError: A key or a lease has an invalid form.
    """
    keys = [os.fsencode(text) for text in what.lock_key]  # the exact bytes of the command line
    keys += [from_hex("--lock-key-hex", text) for text in what.lock_key_hex]
    return Selection(
        action=Action(what.how),
        leases=tuple(map(_lease, what.lease)),
        keys=tuple(keys),
        sessions=what.sessions,
        verdicts=frozenset(what.verdict) or JUDGED,
        min_held_s=what.min_held_s,
        most=what.most,
        quarantine_s=max(1, math.ceil(what.quarantine_s)),
        even_if_healthy=overrides.even_if_healthy,
        outside_keys=overrides.outside_keys,
        most_keys=overrides.most_keys,
        whole_prefix=overrides.whole_prefix,
    )


def _lease(text: str) -> LeaseId:
    try:
        return parse_lease_id(text)
    except ValueError as error:
        raise ConfigError(
            f"{error}. Write the lease as etcdctl prints it, such as 32698f1c0a1b2c3d."
        ) from error


def request_of(
    targets: PrefixFlags, run: RunFlags, limits: LimitFlags, selection: Selection, file: Config
) -> ScanRequest:
    """
    Return the scan; sessions are found in the whole cluster without a prefix.

    Raises:
        ConfigError: No keys are selected, or flags contradict each other.
    """
    says_where = targets.prefix or targets.prefix_hex or targets.all_keys
    has_rules = any(rule.prefix for rule in file.rules)
    only_sessions = selection.sessions and not (selection.is_named or says_where or has_rules)
    return ScanRequest(
        prefixes=() if only_sessions else prefixes(targets, file.rules),
        policy=Policy(rules=file.rules, overrides=limits.limits(), recipes=file.book),
        window_s=run.window_s,
        command="revoke",
        sessions=selection.sessions or bool(selection.leases),
    )


def validate_flags(selection: Selection, targets: PrefixFlags, acting: ExecutionFlags) -> None:
    """
    Refuse flags that contradict each other.

    Raises:
        ConfigError: Flags contradict each other.
    """
    nothing = selection_of(SelectionFlags(), OverrideFlags())
    selects = selection != nothing or targets != PrefixFlags()
    for flag, given in (("--from-plan", acting.from_plan), ("--undo", acting.undo)):
        if given is not None and selects:
            raise ConfigError(f"{flag} has its targets. Leave out the flags that select targets.")
    if acting.undo is not None and (acting.from_plan or acting.plan or acting.dry_run):
        raise ConfigError("--undo acts at once, without a plan. Leave out the flags of plans.")
    if acting.plan is not None and (acting.yes or acting.from_plan is not None):
        raise ConfigError("--plan only saves a plan. To execute it, use --from-plan.")
    if acting.yes and acting.dry_run:
        raise ConfigError("--yes and --dry-run contradict each other. Give one of them.")
    if selection.whole_prefix and not (targets.prefix or targets.prefix_hex):
        raise ConfigError("--whole-prefix needs --prefix on the command line, too.")
    if selection.whole_prefix and selection.is_named:
        raise ConfigError("--whole-prefix selects every lock. Leave out leases and keys.")
