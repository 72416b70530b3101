"""The JSON that `lockdoctor scan` writes of a real etcd keeps the promise of its schema."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.scenarios import running
from tests.scenarios.run_scan import scan

pytestmark = [pytest.mark.etcd, pytest.mark.slow]


def test_the_document_of_a_real_scan(etcd: EtcdServer, prefix: bytes) -> None:
    """Locks of every kind, sessions and findings: all that the demo plays is in it, and valid."""
    with running(etcd.address, prefix):
        scanned = scan(etcd.endpoint, prefix)

    schema = (
        resources.files("lockdoctor.outputs.json").joinpath("report.schema.json").read_text("utf-8")
    )
    Draft202012Validator(json.loads(schema), format_checker=FormatChecker()).validate(
        scanned.document
    )
    assert scanned.status == 1, scanned.stderr
    assert {"expiring", "undetermined", "healthy", "suspected-leak"} <= {*scanned.verdicts.values()}
    assert scanned.document["sessions"]
