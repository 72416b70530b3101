"""
The exceptions that lockdoctor raises on purpose.

LockdoctorError
├── ClusterError
│   ├── ClusterUnreachableError
│   ├── ClusterTimeoutError
│   └── AccessDeniedError
├── WrongClusterError
├── HistoryError
│   ├── HistoryBusyError
│   └── HistoryTooNewError
├── JournalError
├── FileRefusedError
├── ProcessReadError
├── NotFoundError
├── ConfigError
├── DemoError
└── OutputError

Each message is one sentence for the person on call: what failed, and what to try next.
What is expected (a lease that is gone, a look-up that is refused) is a value, not an error.
"""

from __future__ import annotations


class LockdoctorError(Exception):
    """Something that lockdoctor can explain in one sentence."""


class ClusterError(LockdoctorError):
    """etcd could not be examined."""


class ClusterUnreachableError(ClusterError):
    """No endpoint answered as an etcd member with a leader."""


class ClusterTimeoutError(ClusterError):
    """etcd did not answer within the deadline."""


class AccessDeniedError(ClusterError):
    """etcd refused the credentials, or the role may not see what was asked."""


class WrongClusterError(LockdoctorError):
    """
    An answer came from another etcd cluster than the one that the run is about: the run ends.

    It is no ClusterError: what goes on without an answer must not go on with another cluster's.
    """

    @classmethod
    def between(
        cls, endpoint: str, found: int, wanted: int, whose: str, more: str = ""
    ) -> WrongClusterError:
        """
        Word it.

        Args:
            endpoint: What answered.
            found: The ID of its cluster.
            wanted: The ID of the right one.
            whose: What the right one belongs to, such as "this run".
            more: What else happened, a sentence.
        """
        said = (
            f"{endpoint} belongs to etcd cluster {found:x}, but {whose} is for cluster {wanted:x}."
        )
        return cls(" ".join(filter(None, (said, more, f"Use endpoints of cluster {wanted:x}."))))


NO_ANSWER = (ClusterError, WrongClusterError)
"""Why a step of a treatment has no answer of its cluster; what was done until then is told."""


class HistoryError(LockdoctorError):
    """The history of earlier runs could not be used."""


class HistoryBusyError(HistoryError):
    """Another run holds the history file."""


class HistoryTooNewError(HistoryError):
    """The history file was written by a newer lockdoctor."""


class JournalError(LockdoctorError):
    """What is done to etcd could not be written down, or what was written could not be read."""


class FileRefusedError(LockdoctorError):
    """A file may not be written: lockdoctor did not write it, or its folder is missing."""


class ProcessReadError(LockdoctorError):
    """A process or a member's metrics could not be heard besides etcd; the run goes on."""


class NotFoundError(LockdoctorError):
    """etcd has nothing of that name."""


class ConfigError(LockdoctorError):
    """A flag or a line of lockdoctor.toml does not make sense."""


class DemoError(LockdoctorError):
    """No etcd server of our own could be found or started."""


class OutputError(LockdoctorError):
    """A report could not be written."""
