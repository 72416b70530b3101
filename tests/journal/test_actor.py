"""Who did it."""

from __future__ import annotations

import os
import pwd
import socket

import pytest

from lockdoctor.domain.treatment.journal_entry import Actor
from lockdoctor.journal.actor import this_actor


def test_the_actor_is_who_the_system_says() -> None:
    """Not what USER says; whoever used sudo is named beside it."""
    name = pwd.getpwuid(os.getuid()).pw_name
    here = Actor(user=name, host=socket.gethostname(), pid=os.getpid())

    assert this_actor({"USER": "somebody"}) == here
    assert this_actor({"SUDO_USER": "ops"}).user == f"{name} (sudo by ops)"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in many containers."""
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)

    assert this_actor({}).user == "uid 4000000"
