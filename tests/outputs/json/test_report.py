"""The report for programs keeps its promise, the JSON Schema."""

from __future__ import annotations

import base64
import io
import json
from importlib import resources
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.renewals import Renewed
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.json.report import JsonOutput
from lockdoctor.outputs.text.evidence import sentence
from tests.factories.evidence import EVIDENCE
from tests.factories.report_examples import (
    HOSTILE,
    a_deadlock,
    a_healthy_lock,
    a_later_run,
    a_leak,
    a_passing_lock,
    a_proven_leak,
    an_eternal_lock,
    an_undetermined_lock,
    everything,
)
from tests.factories.reports import (
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_session,
    a_trace,
    a_verdict,
    an_observation,
)
from tests.folders import ROOT

SCHEMA = json.loads(
    resources.files("lockdoctor.outputs.json").joinpath("report.schema.json").read_text("utf-8")
)


def render(report: Report) -> Any:
    """Render a report and hold the document against its schema."""
    out = io.StringIO()
    JsonOutput().render(report, out)
    document = json.loads(out.getvalue())
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(document)
    return document


def test_the_schema_is_one() -> None:
    """The file itself is a valid schema of draft 2020-12, and closed throughout."""
    Draft202012Validator.check_schema(SCHEMA)
    open_objects = [
        each for each in _objects(SCHEMA) if each.get("additionalProperties") is not False
    ]
    assert open_objects == []


def _objects(node: Any) -> list[dict[str, Any]]:
    found = [node] if isinstance(node, dict) and node.get("type") == "object" else []
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        found += _objects(child)
    return found


@pytest.mark.parametrize(
    "report",
    [
        a_report(),
        everything(),
        a_later_run(),
        a_deadlock(),
        a_report(a_proven_leak(), an_undetermined_lock(), interrupted="ended by SIGINT"),
        a_report(prefixes=(b"",)),
    ],
)
def test_reports_keep_the_schema(report: Report) -> None:
    """Empty, full and partial reports are described by the schema."""
    render(report)


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_every_kind_of_evidence_keeps_the_schema(evidence: Evidence) -> None:
    """It has its slug, its sentence and its fields."""
    report = a_report(a_lock_report(None, a_verdict(evidence=(evidence,))))

    entry = render(report)["findings"][0]["evidence"][0]

    assert entry["text"] == sentence(evidence)


def test_the_schema_knows_no_evidence_that_we_do_not() -> None:
    """As many kinds there as here."""
    assert len(SCHEMA["$defs"]["evidence"]["oneOf"]) == len(get_args(Evidence))


def test_evidence_bears_its_numbers() -> None:
    """A program needs no sentence; bytes come as text and as base64."""
    renewed = Renewed(3, 45.2, 20.4)

    entry = render(a_report(a_lock_report(None, a_verdict(evidence=(renewed,)))))

    assert entry["findings"][0]["evidence"] == [
        {
            "kind": "renewed",
            "text": sentence(renewed),
            "renewals": 3,
            "watched_s": 45.2,
            "at_most_every_s": 20.4,
        }
    ]


def test_what_is_accepted_and_what_is_gone() -> None:
    """An accepted finding is none, but stands in a list of its own; so does what is gone."""
    document = render(a_later_run())

    (accepted,) = document["accepted"]
    assert document["run"]["past_runs"] == 12
    assert document["findings"] == []
    assert (accepted["verdict"], accepted["accepted"]["until"]) == ("leaked-lock", "2026-03-31")
    assert document["locks"][0]["verdicts"] == [accepted]
    assert [each["lock"] for each in document["gone"]] == ["/my-lock/[red]mail[/red]", None]
    assert document["gone"][0]["since_at"] == "2026-01-01T11:00:00.000+00:00"


def test_the_run_and_the_cluster() -> None:
    """Times are UTC, the cluster's ID is etcdctl's."""
    document = render(a_report(a_proven_leak(), interrupted="ended by SIGINT"))

    assert document["schema_version"] == 1
    assert document["run"] == {
        "started_at": "2026-01-01T12:00:00.000+00:00",
        "window_s": 60.0,
        "watched_s": 45.2,
        "lookups": 36,
        "renewals": 2,
        "past_runs": None,
        "partial": True,
        "interrupted": "ended by SIGINT",
    }
    assert document["cluster"] == {
        "cluster_id": "cdf818194e3a8c32",
        "version": "3.4.23",
        "raft_term": 2,
        "leader_changes": 0,
        "revision": 4321,
        "endpoint": "http://127.0.0.1:2379",
        "alarms": None,
    }


def test_a_lock_with_its_holder_and_waiters() -> None:
    """What is known of each contender's lease, null where nothing is."""
    lock = render(a_report(a_leak()))["locks"][0]

    assert lock["name"] == "/my-lock/orders"
    assert base64.b64decode(lock["name_base64"]) == b"/my-lock/orders"
    assert (lock["held_at_least_s"], lock["held_at_most_s"]) == (45.2, None)
    assert lock["held_about_s"] == 12_000
    assert lock["gave_up"] == 2
    assert lock["holder"] == {
        "key": "/my-lock/orders/32698f1c0a1b2c3d",
        "key_base64": base64.b64encode(b"/my-lock/orders/32698f1c0a1b2c3d").decode(),
        "create_revision": 10,
        "lease": "32698f1c0a1b2c3d",
        "granted_ttl_s": 60,
        "remaining_ttl_s": 56,
        "is_gone": False,
        "renewals": 2,
        "renewal_period_s": 20.2,
        "looks": [
            {"after_s": 0.0, "remaining_ttl_s": 44},
            {"after_s": 21.8, "remaining_ttl_s": 57},
            {"after_s": 42.0, "remaining_ttl_s": 56},
        ],
    }
    assert [waiter["lease"] for waiter in lock["waiters"]] == [f"{n:016x}" for n in range(161, 165)]
    assert lock["waiters"][0]["granted_ttl_s"] is None


def test_what_nobody_watched_is_not_zero() -> None:
    """Null, where a count would be a claim."""
    lock = render(a_report(an_undetermined_lock()))["locks"][0]

    assert [lock[name] for name in ("releases", "hand_overs", "gave_up")] == [None, None, None]


def test_a_lock_that_only_passed_has_no_holder() -> None:
    """It came and went between the two readings of the keys; what is known are its releases."""
    lock = render(a_report(a_passing_lock()))["locks"][0]

    assert (lock["holder"], lock["waiters"], lock["held_at_least_s"]) == (None, [], None)
    assert (lock["releases"], lock["gave_up"], lock["verdicts"][0]["key"]) == (1, 2, None)


def test_a_key_without_a_lease_has_none() -> None:
    """Its lease is null, not sixteen zeros."""
    document = render(a_report(an_eternal_lock()))

    assert document["locks"][0]["holder"]["lease"] is None
    assert document["findings"][0]["lease"] is None
    assert document["findings"][0]["leases"] == []


def test_a_gone_lease_has_nothing_left() -> None:
    """It is told gone; what it was granted stays known."""
    gone = LeaseNotFound(
        lease_id=LeaseId(0x51), asked_at=NOON + 9, answered_at=NOON + 9, raft_term=2
    )
    trace = a_trace(readings=[an_observation(lease_id=0x51), gone], lease_id=0x51)
    session = render(a_report(sessions=(a_session(trace=trace),)))["sessions"][0]

    assert (session["is_gone"], session["remaining_ttl_s"], session["granted_ttl_s"]) == (
        True,
        None,
        60,
    )


def test_an_answer_without_meaning_is_no_number() -> None:
    """A member that has just lost the lead answers "for ever"; that is no remaining TTL."""
    trace = a_trace((0.0, 59), (1.0, 9_223_372_036))
    holder = render(a_report(a_lock_report(trace=trace)))["locks"][0]["holder"]

    assert holder["remaining_ttl_s"] is None
    assert holder["looks"][1]["remaining_ttl_s"] is None


def test_every_field_and_kind_of_evidence_is_documented() -> None:
    """docs/json.md and docs/evidence.md name them all."""
    pages = (ROOT / "docs" / name for name in ("json.md", "evidence.md"))
    page = "".join(each.read_text(encoding="utf-8") for each in pages)
    names = {name for each in _objects(SCHEMA) for name in each["properties"]}
    kinds = {each["properties"]["kind"]["const"] for each in SCHEMA["$defs"]["evidence"]["oneOf"]}

    assert sorted(name for name in names | kinds if f"`{name}`" not in page) == []


def test_a_finding_of_many_leases_lists_them() -> None:
    """One lease is `lease`; several are only in `leases`."""
    finding = next(
        found
        for found in render(everything())["findings"]
        if found["verdict"] == VerdictKind.LEAKED_SESSION.value
    )

    assert finding["lease"] is None
    assert len(finding["leases"]) == 5
    assert finding["lock"] is None


def test_negative_leases_are_written_as_etcdctl_does() -> None:
    """A client may choose any 64-bit ID."""
    lock = a_lock(holder=a_key(lease_id=-5))

    assert render(a_report(a_lock_report(lock)))["findings"][0]["lease"] == "-000000000000005"
    assert render(a_report(sessions=(a_session(-(2**63)),)))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_exact_in_base64_and_safe_as_text(name: bytes) -> None:
    """The document is ASCII; once decoded, the text is visible and unshortened."""
    out = io.StringIO()
    report = a_report(a_leak(name), an_eternal_lock(name))
    JsonOutput().render(report, out)

    assert out.getvalue().isascii()
    lock = render(report)["locks"][0]
    assert base64.b64decode(lock["name_base64"]) == name
    assert lock["name"].isprintable()
    assert len(lock["name"]) >= len(name.decode("utf-8", "replace"))


def test_each_lock_and_finding_is_a_line() -> None:
    """A document of many locks is written piece by piece and can be searched by line."""
    out = io.StringIO()
    JsonOutput().render(a_report(*(a_healthy_lock(b"/%d" % n) for n in range(100))), out)

    assert sum('"name": "/' in line for line in out.getvalue().splitlines()) == 100


def test_a_deadlock_is_told_once_with_its_circle() -> None:
    """Who waits for what and behind whom, in names and leases; the tree of what is stuck."""
    document = render(a_deadlock())

    deadlock, _ = document["findings"]
    assert [lock["verdict"] for lock in document["locks"]] == [
        "deadlock",
        "deadlock",
        "suspected-leak",
    ]
    circle, harm, blocks = deadlock["evidence"]
    assert circle["ring"][0] == {
        "waiter": "00000000000000b2",
        "waits_for": "/my-lock/a",
        "waits_for_base64": base64.b64encode(b"/my-lock/a").decode(),
        "behind": "00000000000000b1",
        "is_holder": True,
    }
    assert (harm["lease"], harm["keys"], blocks["waiters"]) == ("00000000000000b1", 2, 3)
    assert [(each["level"], each["lock"]) for each in document["blocking"]] == [
        (0, "/my-lock/a"),
        (1, "/my-lock/b"),
        (2, "/my-lock/c"),
    ]
