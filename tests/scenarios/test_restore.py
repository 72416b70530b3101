"""`lockdoctor journal restore` on a real etcd, from the outside."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import MAX_VALUE_BYTES, EntryId
from lockdoctor.etcd.writer import EtcdWriter
from lockdoctor.journal.file import FileJournal
from tests.conftest import SMALL_DISK_BYTES
from tests.etcd.connections import connected, writing
from tests.eventually import run
from tests.factories.reports import an_intent, an_outcome
from tests.folders import ROOT

pytestmark = pytest.mark.etcd

VALUES = {b"config": b"\x00\xff\x1b[31m\n", b"empty": b"", b"large": bytes(1 << 20)}


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileJournal:
    """An empty journal, which the environment names."""
    path = tmp_path / "journal.jsonl"
    monkeypatch.setenv("LOCKDOCTOR_JOURNAL", str(path))
    monkeypatch.chdir(tmp_path)
    return FileJournal(path)


@pytest.fixture
def entry(etcd: EtcdServer, prefix: bytes, journal: FileJournal) -> Iterator[str]:
    """A lease with three keys, revoked as a treatment does it; they are deleted in the end."""
    run(_revoked(etcd, prefix, journal))
    yield "e1"
    run(_deleted(etcd, prefix))


async def _revoked(etcd: EtcdServer, prefix: bytes, journal: FileJournal) -> None:
    async with connected(etcd.endpoint) as cluster, writing(etcd.address) as writer:
        lease_id = await writer.grant(60)
        for name, value in VALUES.items():
            await writer.put(prefix + name, value, lease_id)
        key_writer = EtcdWriter(cluster.connection, SystemClock())
        keys = [await key_writer.key(prefix + name) for name in VALUES]
        journal.write(
            an_intent(
                "e1",
                cluster_id=(await cluster.status()).cluster_id,
                lease_id=lease_id,
                keys=tuple(key for key in keys if key is not None),
                locks=(),
            )
        )
        await writer.revoke(lease_id)
        journal.write(an_outcome("e1"))


async def _deleted(etcd: EtcdServer, prefix: bytes) -> None:
    async with writing(etcd.address) as writer:
        for name in VALUES:
            await writer.delete(prefix + name)


def found(etcd: EtcdServer, prefix: bytes) -> dict[bytes, LockKey]:
    """The keys that exist, with their whole values, by their names below the prefix."""

    async def read() -> dict[bytes, LockKey]:
        async with connected(etcd.endpoint) as cluster:
            key_writer = EtcdWriter(cluster.connection, SystemClock())
            keys = [await key_writer.key(prefix + name) for name in VALUES]
        return {key.key.removeprefix(prefix): key for key in keys if key is not None}

    return run(read())


def put(etcd: EtcdServer, key: bytes, value: bytes) -> None:
    async def write() -> None:
        async with writing(etcd.address) as writer:
            await writer.put(key, value)

    run(write())


def restore(etcd: EtcdServer, *argv: str | bytes) -> int:
    words = map(os.fsdecode, argv)
    return main(["journal", "restore", "--endpoints", etcd.endpoint, *words])


def test_without_a_word_it_only_plans(
    etcd: EtcdServer,
    prefix: bytes,
    entry: str,
    journal: FileJournal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No terminal and no --yes, or --dry-run: the plan, and nothing is written anywhere."""
    for argv in ((), ("--yes", "--dry-run")):
        assert restore(etcd, entry, *argv) == 0

        text = capsys.readouterr().out
        assert text.startswith("Plan: restore 3 keys without a lease\n")
        assert "etcd was not changed. To restore them, add --yes." in text
    assert found(etcd, prefix) == {}
    assert len(journal.entries()) == 1


def test_deleted_keys_come_back_with_their_values(
    etcd: EtcdServer,
    prefix: bytes,
    entry: str,
    journal: FileJournal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Byte for byte, a mebibyte of it too, without a lease; and the journal tells of it."""
    assert restore(etcd, entry, "--yes") == 0

    back = found(etcd, prefix)
    assert {name: key.value for name, key in back.items()} == VALUES
    assert {key.lease_id for key in back.values()} == {NO_LEASE}
    assert "Restored 3 of 3 keys" in capsys.readouterr().out
    _, own = journal.entries()
    assert (own.intent.action, own.intent.of, own.result) == (Action.RESTORE, "e1", Result.DONE)


def test_deleted_keys_come_back_on_a_new_lease(
    etcd: EtcdServer, prefix: bytes, entry: str, journal: FileJournal
) -> None:
    """One that was granted for them, with the TTL that was asked for."""
    assert restore(etcd, entry, "--yes", "--ttl", "90s", "--only", prefix + b"config") == 0

    (key,) = found(etcd, prefix).values()
    _, own = journal.entries()
    assert (key.lease_id, own.intent.new_ttl_s) == (own.intent.new_lease_id, 90)
    assert key.has_lease


def test_a_key_that_exists_is_never_overwritten(
    etcd: EtcdServer, prefix: bytes, entry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, keeps its value, and the exit status tells that not all came back."""
    put(etcd, prefix + b"config", b"new")

    assert restore(etcd, entry, "--yes") == 1

    assert found(etcd, prefix)[b"config"].value == b"new"
    assert set(found(etcd, prefix)) == set(VALUES)
    assert f"{(prefix + b'config').decode()}: it exists now" in capsys.readouterr().out
    assert restore(etcd, entry, "--yes") == 1
    assert "No key to restore" in capsys.readouterr().out


def test_a_value_that_was_cut_is_refused_by_name(
    etcd: EtcdServer,
    prefix: bytes,
    entry: str,
    journal: FileJournal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Half a value is not put back; the others are."""
    (revoked,) = journal.entries()
    long = replace(revoked.intent.keys[0], value=bytes(MAX_VALUE_BYTES + 1), value_size=1 << 21)
    journal.write(
        replace(revoked.intent, entry_id=EntryId("e2"), keys=(long, revoked.intent.keys[1]))
    )

    assert restore(etcd, "e2", "--yes") == 1

    assert set(found(etcd, prefix)) == {b"empty"}
    text = " ".join(capsys.readouterr().out.split())
    assert "config: the journal has only the beginning of its value" in text
    assert entry in {each.intent.entry_id for each in journal.entries()}


def test_what_a_real_revocation_deleted_comes_back(
    etcd: EtcdServer, prefix: bytes, journal: FileJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal that `revoke` writes is enough to put back the key that it took along."""

    async def locked() -> LeaseId:
        async with writing(etcd.address) as writer:
            lease_id = await writer.grant(60)
            await writer.put(prefix + b"orders/%x" % lease_id, lease_id=lease_id)
            await writer.put(prefix + b"config", VALUES[b"config"], lease_id)
        return lease_id

    lease = hex_id(run(locked()))
    where = ("--endpoints", etcd.endpoint, "--prefix-hex", prefix.hex(), "--no-history")
    assert main(["revoke", lease, *where, "--window=0", "--even-if-healthy", "--yes"]) == 0
    assert found(etcd, prefix) == {}
    (entry,) = journal.entries()
    assert entry.result is Result.DONE

    assert restore(etcd, entry.intent.entry_id, "--yes", "--only", prefix + b"config") == 0

    assert {name: key.value for name, key in found(etcd, prefix).items()} == {
        b"config": VALUES[b"config"]
    }
    assert capsys.readouterr().err == ""
    run(_deleted(etcd, prefix))


@pytest.mark.parametrize(
    ("argv", "status", "sentence"),
    [
        (("e1", "--only", "/elsewhere"), 2, "The entry e1 has not deleted /elsewhere"),
        (("e1", "--ttl", "0"), 2, "'0' is no TTL; etcd takes 1s up to 9000000000s"),
        (("refused",), 2, "The entry refused has deleted no key (revoke, refused)"),
        (("other",), 3, "but entry other of the journal is for cluster beef."),
    ],
)
@pytest.mark.usefixtures("entry")
def test_what_cannot_be_restored_is_one_sentence(
    etcd: EtcdServer,
    journal: FileJournal,
    argv: tuple[str, ...],
    status: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A key that the entry has not deleted, an entry that deleted none, another cluster's."""
    journal.write(an_intent("refused"))
    journal.write(an_outcome("refused", Result.REFUSED))
    journal.write(an_intent("other", cluster_id=0xBEEF))

    assert restore(etcd, *argv, "--yes") == status

    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err


def test_a_journal_that_cannot_be_written_stops_it(
    etcd: EtcdServer, prefix: bytes, entry: str, journal: FileJournal, small_disk: Path
) -> None:
    """Its disk is full: nothing is put back."""
    (revoked,) = journal.entries()
    copy = FileJournal(small_disk / "journal.jsonl")  # which has room for the value once
    value = bytes(SMALL_DISK_BYTES // 2)
    large = replace(revoked.intent.keys[0], value=value, value_size=len(value))
    copy.write(replace(revoked.intent, keys=(large,)))

    assert restore(etcd, entry, "--yes", "--journal", str(copy.path)) == 3
    assert found(etcd, prefix) == {}


def on_a_terminal(etcd: EtcdServer, entry: str, answer: bytes) -> tuple[int, str, str]:
    """Run it as a person does who types an answer: status, standard output, what was asked."""
    ours, theirs = pty.openpty()
    words = ("journal", "restore", entry, "--endpoints", etcd.endpoint)
    with subprocess.Popen(
        [sys.executable, "-m", "lockdoctor", *words],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        os.close(theirs)
        asked = b""
        while not asked.endswith(b"Anything else cancels: "):
            asked += os.read(ours, 1000)
        os.write(ours, answer)
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, out.decode(), asked.decode()


def test_on_a_terminal_the_typed_number_does_it(
    etcd: EtcdServer, prefix: bytes, entry: str
) -> None:
    """A plain y is not enough."""
    status, _, asked = on_a_terminal(etcd, entry, b"y\n")

    assert (status, found(etcd, prefix)) == (0, {})
    assert asked.endswith("Type 3 to restore these 3 keys. Anything else cancels: ")

    status, out, _ = on_a_terminal(etcd, entry, b"3\n")

    assert status == 0
    assert "Restored 3 of 3 keys" in out
    assert set(found(etcd, prefix)) == set(VALUES)
