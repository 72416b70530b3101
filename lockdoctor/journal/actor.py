"""Who this process acts for, as the system knows it."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping

from lockdoctor.domain.treatment.journal_entry import Actor


def this_actor(environ: Mapping[str, str]) -> Actor:
    """
    Name the user, the host and the process.

    The system's own name of the user counts, not USER, which anybody can set. Who became another
    user with sudo is named as well, as far as the environment still tells it.
    """
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, a user often has only a number
        user = f"uid {os.getuid()}"
    before = environ.get("SUDO_USER")
    return Actor(
        user=f"{user} (sudo by {before})" if before else user,
        host=socket.gethostname(),
        pid=os.getpid(),
    )
