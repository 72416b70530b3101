"""
Runs a command and writes what it took into a file.

A program of its own, and a small one: Linux counts the memory of whoever starts a process as the
least peak of that process. So it imports next to nothing, and is to be run with `python -I -S`.
"""

import os
import sys
import time


def main(figures: str, command: list[str]) -> int:
    """
    Run the command on our own streams.

    Args:
        figures: The file for seconds, CPU seconds and peak memory in bytes, in one line.

    Returns:
        The exit status of the command; a signal as its negative number.
    """
    started_at = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    seconds = time.monotonic() - started_at
    unit = 1 if sys.platform == "darwin" else 1024
    with open(figures, "w") as file:  # noqa: PTH123  # pathlib is megabytes
        file.write(f"{seconds} {used.ru_utime + used.ru_stime} {used.ru_maxrss * unit}")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
