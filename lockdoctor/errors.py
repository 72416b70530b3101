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
An expected answer (a lease that is gone, a refused look-up) is a value, not an error.
"""

from __future__ import annotations


class LockdoctorError(Exception):
    """An error that lockdoctor can explain in one sentence."""


class ClusterError(LockdoctorError):
    """etcd could not be examined."""


class ClusterUnreachableError(ClusterError):
    """No endpoint answered as an etcd member with a leader."""


class ClusterTimeoutError(ClusterError):
    """etcd did not answer within the deadline."""


class AccessDeniedError(ClusterError):
    """etcd refused the credentials, or the role may not read what was requested."""


class WrongClusterError(LockdoctorError):
    """
    Another etcd cluster than the run's has answered; the run ends.

    This is no ClusterError: code that continues without an answer must not continue here.
    """

    @classmethod
    def between(
        cls, endpoint: str, found: int, wanted: int, whose: str, more: str = ""
    ) -> WrongClusterError:
        """
        Return the error for two cluster IDs that differ.

        Args:
            endpoint: The endpoint that answered.
            found: The cluster ID of the answer.
            wanted: The expected cluster ID.
            whose: The owner of the expected ID, such as "this run".
            more: A further sentence for the message.
        """
        said = (
            f"{endpoint} belongs to etcd cluster {found:x}, but {whose} is for cluster {wanted:x}."
        )
        return cls(" ".join(filter(None, (said, more, f"Use endpoints of cluster {wanted:x}."))))


NO_ANSWER = (ClusterError, WrongClusterError)
"""
The errors after which a step has no answer of its cluster.

Completed steps are reported all the same.
"""


class HistoryError(LockdoctorError):
    """The history of earlier runs could not be used."""


class HistoryBusyError(HistoryError):
    """Another run has locked the history file."""


class HistoryTooNewError(HistoryError):
    """The history file was written by a newer lockdoctor."""


class JournalError(LockdoctorError):
    """An action could not be written to the journal, or the journal could not be read."""


class FileRefusedError(LockdoctorError):
    """A file may not be written: it is not lockdoctor's, or its folder is missing."""


class ProcessReadError(LockdoctorError):
    """A process or a member's metrics could not be read; the run continues."""


class NotFoundError(LockdoctorError):
    """etcd has no lease, key or lock of that name."""


class ConfigError(LockdoctorError):
    """A flag or a line of lockdoctor.toml is invalid."""


class DemoError(LockdoctorError):
    """The demo's etcd server could not be found or started."""


class OutputError(LockdoctorError):
    """A report could not be written."""
