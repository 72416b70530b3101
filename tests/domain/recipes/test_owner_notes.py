"""What clients write about themselves."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.recipes.owner_notes import NoteKind, OwnerNote, owner_notes
from tests.factories.reports import a_key

LOCK_UUID = uuid.UUID("5a2b4c6e-1f2d-11ef-8a3b-0242ac120002")


def wrote(value: bytes) -> tuple[OwnerNote, ...]:
    return owner_notes(a_key(b"/locks/orders", value=value))


def test_a_uuid1_tells_its_time_and_its_machine() -> None:
    """As 16 bytes and as text alike."""
    for value in (LOCK_UUID.bytes, str(LOCK_UUID).encode()):
        created, card = wrote(value)

        assert created.what is NoteKind.CREATED_AT
        assert isinstance(created.value, float)
        assert 1_717_000_000 < created.value < 1_718_000_000
        assert card == OwnerNote(NoteKind.NETWORK_CARD, "02:42:ac:12:00:02")


def test_a_random_node_is_no_network_card() -> None:
    """A uuid1 of a machine without one has the multicast bit set."""
    randomly = uuid.uuid1(node=0x0123456789AB)

    assert [told.what for told in wrote(randomly.bytes)] == [NoteKind.CREATED_AT]


def test_json_tells_its_owner() -> None:
    """As Vitess and Milvus write it; fields of no interest, lists and empty ones are left out."""
    vitess = {"Action": "Reparent", "HostName": "vtctld-1", "UserName": "ops", "Status": "Running"}
    milvus = {"ServerID": 17, "ServerName": "rootcoord", "Address": "10.0.0.7:53100", "Tags": []}

    assert {told.field: told.value for told in wrote(json.dumps(vitess).encode())} == {
        "action": "Reparent",
        "host": "vtctld-1",
        "user": "ops",
    }
    assert {told.field: told.value for told in wrote(json.dumps(milvus).encode())} == {
        "number": "17",
        "service": "rootcoord",
        "address": "10.0.0.7:53100",
    }


def test_a_candidate_is_told_as_it_is() -> None:
    """Short, printable text is shown; control characters and long values are not."""
    assert wrote(b"node-a") == (OwnerNote(NoteKind.TEXT, "node-a"),)
    assert wrote(b"\x1b[31m") == ()
    assert wrote(b"x" * 201) == ()


def test_a_cut_or_empty_value_tells_nothing() -> None:
    """Half a JSON document might end in the middle of a name."""
    assert wrote(b"") == ()
    assert owner_notes(_cut(b'{"HostName": "vtctld-1"}')) == ()


@given(st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_nothing_that_anybody_writes_breaks_it(value: bytes) -> None:
    """Whatever is in etcd, something or nothing is told."""
    for told in wrote(value):
        assert told.value != ""


def _cut(value: bytes) -> LockKey:
    return replace(a_key(b"/locks/orders", value=value), value_size=len(value) + 1)
