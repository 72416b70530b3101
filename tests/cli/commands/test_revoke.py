"""The command line of `revoke`: what contradicts itself, what it comes to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.cli.commands.revoke.options import ExecutionFlags, OverrideFlags, SelectionFlags
from lockdoctor.cli.commands.revoke.selection import request_of, selection_of, validate_flags
from lockdoctor.cli.config.file import Config
from lockdoctor.cli.main import main
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import RunFlags
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.policy.policy import Rule
from lockdoctor.domain.treatment.plan import Selection
from lockdoctor.errors import ConfigError

SOMEWHERE = PrefixFlags(prefix=["/l/"])
NOWHERE = PrefixFlags()


def test_the_flags_come_to_a_selection() -> None:
    """Each flag has its field, and the defaults are those of the domain."""
    what = SelectionFlags(
        lease=["32698f1c", "0x7"],
        lock_key=["/a"],
        lock_key_hex=["ff"],
        sessions=True,
        verdict=[VerdictKind.SUSPECTED_LEAK],
        min_held_s=60.0,
        most=3,
        how=Action.QUARANTINE.value,
        quarantine_s=0.5,
    )
    overrides = OverrideFlags(
        even_if_healthy=True, outside_keys=True, most_keys=7, whole_prefix=True
    )

    assert selection_of(SelectionFlags(), OverrideFlags()) == Selection()
    assert selection_of(what, overrides) == Selection(
        action=Action.QUARANTINE,
        leases=(0x32698F1C, 7),  # type: ignore[arg-type]  # numbers are leases at run time
        keys=(b"/a", b"\xff"),
        sessions=True,
        verdicts=frozenset({VerdictKind.SUSPECTED_LEAK}),
        min_held_s=60.0,
        most=3,
        quarantine_s=1,
        even_if_healthy=True,
        outside_keys=True,
        most_keys=7,
        whole_prefix=True,
    )


@pytest.mark.parametrize("lease", ["", "0", "orders", "1" * 17])
def test_what_is_no_lease(lease: str) -> None:
    """The sentence shows how one is written."""
    with pytest.raises(ConfigError, match="32698f1c0a1b2c3d"):
        selection_of(SelectionFlags(lease=[lease]), OverrideFlags())


PLAN = Path("plan.json")
CONTRADICTIONS: list[tuple[dict[str, Any], PrefixFlags, dict[str, Any], str]] = [
    ({}, SOMEWHERE, {"from_plan": PLAN}, "--from-plan has its targets"),
    ({"most": 3}, NOWHERE, {"from_plan": PLAN}, "--from-plan has its targets"),
    ({"action": Action.RELEASE}, NOWHERE, {"undo": "e1"}, "--undo has its targets"),
    ({}, NOWHERE, {"undo": "e1", "dry_run": True}, "--undo acts at once"),
    ({}, NOWHERE, {"undo": "e1", "plan": PLAN}, "--undo acts at once"),
    ({}, SOMEWHERE, {"plan": PLAN, "yes": True}, "--plan only saves"),
    ({}, NOWHERE, {"plan": PLAN, "from_plan": PLAN}, "--plan only saves"),
    ({}, SOMEWHERE, {"yes": True, "dry_run": True}, "--yes and --dry-run"),
    ({"whole_prefix": True}, NOWHERE, {}, "--whole-prefix needs --prefix"),
    ({"whole_prefix": True}, PrefixFlags(all_keys=True), {}, "--whole-prefix needs"),
    ({"whole_prefix": True, "keys": (b"/a",)}, SOMEWHERE, {}, "--whole-prefix selects every lock"),
]


@pytest.mark.parametrize(("selects", "targets", "acts", "says"), CONTRADICTIONS)
def test_flags_that_contradict_each_other(
    selects: dict[str, Any], targets: PrefixFlags, acts: dict[str, Any], says: str
) -> None:
    """One sentence, before anything is asked of etcd."""
    with pytest.raises(ConfigError, match=says):
        validate_flags(replace(Selection(), **selects), targets, ExecutionFlags(**acts))


@pytest.mark.parametrize(
    ("targets", "acts"),
    [
        (NOWHERE, {"from_plan": PLAN, "yes": True}),
        (NOWHERE, {"from_plan": PLAN, "dry_run": True}),
        (NOWHERE, {"undo": "e1"}),
        (SOMEWHERE, {"yes": True, "verify_s": 30.0}),
        (SOMEWHERE, {"plan": PLAN}),
    ],
)
def test_flags_that_make_sense(targets: PrefixFlags, acts: dict[str, Any]) -> None:
    """Nothing is said of them."""
    validate_flags(Selection(), targets, ExecutionFlags(**acts))


def test_only_sessions_need_no_prefix() -> None:
    """They are looked for in the whole cluster; locks and leases are not."""
    run, limits, config = RunFlags(), LimitFlags(), Config()
    sessions = request_of(NOWHERE, run, limits, Selection(sessions=True), config)
    rules = Config(rules=(Rule(b"/jobs/", {}),))

    assert (sessions.prefixes, sessions.sessions, sessions.command) == ((), True, "revoke")
    assert request_of(NOWHERE, run, limits, Selection(), rules).prefixes == (b"/jobs/",)
    assert not request_of(SOMEWHERE, run, limits, Selection(), config).sessions
    with pytest.raises(ConfigError, match="No prefix given"):
        request_of(NOWHERE, run, limits, Selection(), config)
    with pytest.raises(ConfigError, match="No prefix given"):
        request_of(NOWHERE, run, limits, Selection(sessions=True, keys=(b"/a",)), config)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["revoke"], "No prefix given"),
        (
            ["revoke", "--verdict", "healthy"],
            "not one of: leaked-lock, suspected-leak, eternal-lock",
        ),
        (["revoke", "--how", "undo"], "not one of: revoke, release, quarantine"),
        (["revoke", "--max", "0"], "1 or more"),
        (
            ["revoke", "--prefix", "/l/", "orders"],
            "'orders' is not a lease ID. Write the lease as etcdctl prints it",
        ),
        (["revoke", "--from-plan", "/nonexistent"], "Cannot read the plan"),
        (["revoke", "--lock-key-hex", "xy", "--prefix", "/l/"], "--lock-key-hex"),
    ],
)
def test_bad_usage_is_one_sentence(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, and no traceback."""
    assert main(words) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert says in sentence


@pytest.mark.parametrize(
    ("content", "says"), [(b"{}", "no plan of lockdoctor's"), (b"\xff", "not text")]
)
def test_a_plan_file_that_is_none(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, and the sentence names the file."""
    (tmp_path / "plan.json").write_bytes(content)

    assert main(["revoke", "--from-plan", str(tmp_path / "plan.json")]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert says in sentence
    assert "plan.json" in sentence
