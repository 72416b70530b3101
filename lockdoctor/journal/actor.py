"""Find the user that this process acts for."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping

from lockdoctor.domain.treatment.journal_entry import Actor


def this_actor(environ: Mapping[str, str]) -> Actor:
    """
    Return the user, the host and the process ID of this process.

    The user name is the system's own, not USER, which any user can set. A user who used sudo is
    named as well, if the environment still has that name.
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
