"""Words the current step of a run."""

from __future__ import annotations

from lockdoctor.ports import Stage

STAGES = {
    Stage.CONNECT: "connecting to etcd",
    Stage.READ_KEYS: "reading the keys",
    Stage.CHOOSE_LEASES: "choosing the leases",
    Stage.LIST_LEASES: "listing the leases",
    Stage.READ_HISTORY: "reading the history",
    Stage.READ_LEASES: "reading the leases",
    Stage.CONFIRM_TERM: "confirming the raft term",
    Stage.WAIT_FOR_LIMIT: "waiting until a hold exceeds its limit",
    Stage.READ_KEYS_AGAIN: "reading the keys again",
}
