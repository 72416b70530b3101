"""
The exceptions that lockdoctor raises on purpose.

LockdoctorError
├── ClusterError
│   ├── ClusterUnreachable
│   ├── ClusterTimeout
│   └── AccessDenied
├── HistoryError
│   ├── HistoryBusy
│   └── HistoryTooNew
├── JournalError
├── FileRefusedError
├── WitnessError
├── NotThere
├── ConfigError
├── DemoError
└── OutputError

Each message is one sentence for the person on call: what failed, and what to try next.
What is expected (a lease that is gone, a look-up that is refused) is a value, not an error.
"""


class LockdoctorError(Exception):
    """Something that lockdoctor can explain in one sentence."""


class ClusterError(LockdoctorError):
    """etcd could not be examined."""


class ClusterUnreachable(ClusterError):
    """No endpoint answered as an etcd member with a leader."""


class ClusterTimeout(ClusterError):
    """etcd did not answer within the deadline."""


class AccessDenied(ClusterError):
    """etcd refused the credentials, or the role may not see what was asked."""


class HistoryError(LockdoctorError):
    """The history of earlier runs could not be used."""


class HistoryBusy(HistoryError):
    """Another run holds the history file."""


class HistoryTooNew(HistoryError):
    """The history file was written by a newer lockdoctor."""


class JournalError(LockdoctorError):
    """What is done to etcd could not be written down, or what was written could not be read."""


class FileRefusedError(LockdoctorError):
    """A file may not be written: lockdoctor did not write it, or its folder is missing."""


class WitnessError(LockdoctorError):
    """A process or a member's metrics could not be heard besides etcd; the run goes on."""


class NotThere(LockdoctorError):
    """etcd has nothing of that name."""


class ConfigError(LockdoctorError):
    """A flag or a line of lockdoctor.toml does not make sense."""


class DemoError(LockdoctorError):
    """No etcd server of our own could be found or started."""


class OutputError(LockdoctorError):
    """A report could not be written."""
