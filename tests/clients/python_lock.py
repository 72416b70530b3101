"""
Hold a lock of python-etcd3 in a process of its own, and renew it as that library asks of its users.

Usage: python_lock.py HOST PORT NAME TTL

Prints one JSON line for each thing that happens. On SIGTERM the lock is released; its lease is
left behind, as the library leaves it.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import Any

import lockdoctor.etcd.protos  # noqa: F401  # makes etcd3 load on today's protobuf

import etcd3  # isort: skip


def main(host: str, port: str, name: str, ttl: str) -> None:
    """Take the lock, renew it every third of its TTL, release it."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    lock: Any = etcd3.client(host=host, port=int(port), timeout=10).lock(name, ttl=int(ttl))
    lock.acquire()
    say("locked", lock)
    while not ended.wait(int(ttl) / 3):
        lock.refresh()
    lock.release()
    say("unlocked", lock)


def say(what: str, lock: Any) -> None:
    """Print an event as the Go client does."""
    event = {"event": what, "key": lock.key, "lease": f"{lock.lease.id:016x}"}
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


main(*sys.argv[1:])
