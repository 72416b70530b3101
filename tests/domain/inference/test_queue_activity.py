"""What came and went in a queue, counted from events."""

from __future__ import annotations

from lockdoctor.domain.inference.queue_activity import (
    KeyDeleted,
    KeyPut,
    QueueActivity,
    WatchEvent,
    WatchGap,
    WatchProgress,
    replay,
)
from lockdoctor.domain.model.locks import LockKey, Recipe
from lockdoctor.domain.recipes.grouping import QueueId, locks
from tests.factories.reports import a_key

QUEUE = QueueId(b"/l/q", Recipe.GO_MUTEX)


def contender(lease: int) -> LockKey:
    """A contender that came in the order of its lease's number."""
    return a_key(lock=b"/l/q", lease_id=lease, create_revision=lease)


def came(lease: int) -> KeyPut:
    return KeyPut(seen_at=1.0, key=contender(lease))


def left(lease: int) -> KeyDeleted:
    return KeyDeleted(seen_at=2.0, key=contender(lease).key, revision=99)


def counted(keys: list[LockKey], *events: WatchEvent) -> QueueActivity:
    return replay(locks(keys, b"/l/"), events, 0.0).of(QUEUE)


def test_a_queue_that_stands_still_has_no_activity() -> None:
    """Without events nothing is counted, and the time watched is that of the last progress."""
    found = counted([contender(1), contender(2)], WatchProgress(seen_at=42.0, revision=5))

    assert (found.releases, found.gave_up, found.watched_s) == (0, 0, 42.0)


def test_the_holder_leaving_is_a_hand_over() -> None:
    """When the holder's key goes, the next in line holds."""
    found = counted([contender(1), contender(2)], left(1))

    assert (found.releases, found.hand_overs, found.gave_up) == (1, 1, 0)


def test_a_waiter_leaving_gave_up() -> None:
    """A key that goes before its turn is an attempt that gave up; its lease is remembered."""
    found = counted([contender(1), contender(2)], left(2))

    assert (found.releases, found.gave_up) == (0, 1)
    assert found.gave_up_at == {2: 2.0}


def test_attempts_that_come_and_go_while_one_holds() -> None:
    """The mission's symptom: attempts come, wait and leave, and nobody is ever served."""
    found = counted([contender(1)], came(2), came(3), left(2), came(4), left(3))

    assert (found.arrivals, found.gave_up, found.hand_overs) == (3, 2, 0)


def test_a_lock_taken_again_after_a_release_is_a_hand_over() -> None:
    """A worker that unlocks and locks again makes one release and one hand-over."""
    found = counted([contender(1)], left(1), came(2))

    assert (found.releases, found.hand_overs) == (1, 1)


def test_a_key_written_again_keeps_its_place() -> None:
    """An owner that writes its key anew has neither come nor gone."""
    again = a_key(lock=b"/l/q", lease_id=1, create_revision=1, version=2)
    found = counted([contender(1)], KeyPut(seen_at=1.0, key=again))

    assert found == QueueActivity(watched_s=1.0)


def test_nothing_is_counted_after_a_gap() -> None:
    """After a gap nobody knows who holds, so the counts end there and say so."""
    found = counted([contender(1)], WatchGap(seen_at=1.0, why="compacted"), left(1))

    assert found.releases == 0
    assert found.has_gap


def test_a_lock_that_comes_up_meanwhile_is_counted() -> None:
    """A queue that did not stand at the beginning has its activity, too."""
    found = replay([], [came(1), left(1)], 0.0).of(QUEUE)

    assert (found.arrivals, found.releases) == (1, 1)


def test_a_foreign_holder_that_leaves_frees_the_queue() -> None:
    """While an older key below the name stands, those who leave the queue gave up."""
    foreign = a_key(b"/l/q/x/y", create_revision=1, value=b"z")
    found = counted([foreign, contender(5), contender(6)], left(6))
    freed = counted([foreign, contender(5)], KeyDeleted(seen_at=1.0, key=foreign.key, revision=9))

    assert (found.gave_up, found.releases) == (1, 0)
    assert freed.hand_overs == 1


def test_readers_leave_a_read_write_lock_without_giving_up() -> None:
    """Each reader in front of the writer holds; only the last of them to go hands the lock over."""

    def rw(kind: bytes, number: int) -> LockKey:
        key = b"/rw/%s/%d" % (kind, 1_763_942_400_000_000_000 + number)
        return a_key(key, lease_id=number, create_revision=number)

    def gone(key: LockKey) -> KeyDeleted:
        return KeyDeleted(seen_at=2.0, key=key.key, revision=99)

    keys = [rw(b"read", 1), rw(b"read", 2), rw(b"write", 3), rw(b"read", 4)]
    queue = QueueId(b"/rw", Recipe.RW_MUTEX)

    def counted_rw(*left: LockKey) -> tuple[int, int, int]:
        found = replay(locks(keys, b"/"), list(map(gone, left)), 0.0).of(queue)
        return found.releases, found.hand_overs, found.gave_up

    assert counted_rw(keys[1]) == (1, 0, 0)
    assert counted_rw(keys[1], keys[0]) == (2, 1, 0)
    assert counted_rw(keys[2]) == (0, 0, 1)


def test_a_long_queue_that_everybody_leaves_is_followed_step_by_step() -> None:
    """Each step costs the same, however many wait: 20,000 of them that leave take no minutes."""
    many = range(1, 20_001)
    found = counted([contender(number) for number in many], *(left(n) for n in reversed(many)))

    assert (found.gave_up, found.releases, found.hand_overs) == (19_999, 1, 0)


def test_a_long_queue_that_is_served_is_followed_step_by_step() -> None:
    """The same where each gets its turn."""
    many = range(1, 20_001)
    found = counted([contender(number) for number in many], *map(left, many))

    assert (found.gave_up, found.releases, found.hand_overs) == (0, 20_000, 19_999)
