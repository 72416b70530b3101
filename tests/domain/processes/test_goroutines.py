"""What the goroutines of a process tell of its sessions."""

from __future__ import annotations

import pytest

from lockdoctor.domain.processes.goroutines import (
    MAX_CALLERS,
    Stack,
    count_goroutines,
    keeps_a_lease_alive,
)
from lockdoctor.domain.report.processes import CallSite, Frame

PACKAGES = (
    "github.com/coreos/etcd/clientv3",
    "go.etcd.io/etcd/clientv3",
    "go.etcd.io/etcd/v3/clientv3",
    "go.etcd.io/etcd/client/v3",
    "go.etcd.io/etcd/client/v4",
    "github.com/acme/app/vendor/go.etcd.io/etcd/client/v3",
)


def stack(*functions: str, count: int = 1, **fields: int) -> Stack:
    """Goroutines at these calls, the innermost first."""
    frames = tuple(Frame(function, "x.go:1") for function in functions)
    return Stack(frames=frames, count=count, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_generation_of_the_client(package: str) -> None:
    """Sessions, keep-alives, clients and waiters are told apart in each of its packages."""
    lock = f"{package}/concurrency.(*Mutex).Lock"
    counts = count_goroutines(
        [
            stack("runtime.gopark", f"{package}/concurrency.NewSession.func1", count=5),
            stack(f"{package}.(*lessor).keepAliveCtxCloser", count=7),
            stack(f"{package}.(*lessor).recvKeepAliveLoop", count=2),
            stack(f"{package}.(*lessor).sendKeepAliveLoop", count=2),
            stack(f"{package}/concurrency.waitDeletes", lock, "main.work", count=3),
            stack(
                f"{package}/concurrency.waitDelete", f"{package}/concurrency.(*Election).Campaign"
            ),
        ]
    )

    assert (counts.goroutines, counts.sessions, counts.keepalives) == (20, 5, 7)
    assert (counts.clients, counts.lock_waiters, counts.candidates) == (2, 3, 1)
    assert counts.callers == (CallSite("Lock", Frame("main.work", "x.go:1"), 3),)


@pytest.mark.parametrize(
    "function",
    [
        "github.com/acme/clientv3/concurrency.NewSession.func1",
        "go.etcd.io/etcd/client/v3/concurrency.NewSession",
        "go.etcd.io/etcd/client/v3/concurrency.NewSessionPool.func1",
        "xgo.etcd.io/etcd/client/v3/concurrency.NewSession.func1",
        "go.etcd.io/etcd/server/v3/lease.(*lessor).keepAliveCtxCloser",
        "main.NewSession.func1",
        "",
    ],
)
def test_what_merely_looks_like_it(function: str) -> None:
    """Functions of other packages, and other functions of these, do not count."""
    counts = count_goroutines([stack(function)])

    assert (counts.goroutines, counts.sessions, counts.keepalives) == (1, 0, 0)


def test_lock_that_does_not_wait_for_its_turn() -> None:
    """A goroutine whose Lock waits for an answer of etcd is no waiter: it has no place yet."""
    lock = "go.etcd.io/etcd/client/v3/concurrency.(*Mutex).Lock"

    assert count_goroutines([stack("google.golang.org/grpc.invoke", lock, "main.f")]).waiting == 0


def test_only_the_most_frequent_callers_are_named() -> None:
    """Of many callers the most frequent come first, equals by name, the rest is left out."""
    package = "go.etcd.io/etcd/client/v3/concurrency"
    wait = (f"{package}.waitDeletes", f"{package}.(*Mutex).Lock")
    counts = count_goroutines(stack(*wait, f"main.f{n}", count=1 + n // 4) for n in range(8))

    named = [(caller.frame.function, caller.goroutines) for caller in counts.callers]
    assert named == [("main.f4", 2), ("main.f5", 2), ("main.f6", 2)]
    assert len(named) == MAX_CALLERS


def test_opener_that_has_ended_is_not_known() -> None:
    """Sessions whose opener is gone have no caller; age is that of the oldest keep-alive."""
    package = "go.etcd.io/etcd/client/v3"
    counts = count_goroutines(
        [
            stack(f"{package}/concurrency.NewSession.func1", number=2, started_by=1, blocked_s=0),
            stack(f"{package}.(*lessor).keepAliveCtxCloser", number=3, blocked_s=60),
            stack(f"{package}.(*lessor).keepAliveCtxCloser", number=4, blocked_s=7200),
            stack("main.other", number=5, blocked_s=99_999),
        ]
    )

    assert (counts.callers, counts.oldest_keepalive_s) == ((), 7200)


def test_the_call_whose_arguments_name_a_lease() -> None:
    """Only the call that keeps one lease alive is asked for its arguments."""
    assert keeps_a_lease_alive("go.etcd.io/etcd/client/v3.(*lessor).keepAliveCtxCloser")
    assert not keeps_a_lease_alive("go.etcd.io/etcd/client/v3.(*lessor).keepAliveOnce")
