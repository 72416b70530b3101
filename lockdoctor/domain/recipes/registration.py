"""Registrations of services whose format is unambiguous."""

from __future__ import annotations

import re

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
    before_own_lease,
    json_object,
)


class Registration(LockRecipe):
    """
    A service's own entry of an unambiguous format: no client competes for it.

    Source: go-zero's core/discov/publisher.go (the lease in decimal), Milvus's session_util.go (its
    own lease in its value), Patroni's member keys, TiDB's server info, and Kubernetes, whose
    objects begin with four magic bytes in etcd.
    """

    recipe = Recipe.REGISTRATION
    kind = Kind.REGISTRATION

    _KUBERNETES = b"k8s\x00"
    _TIDB = re.compile(rb".*/server/info/([0-9a-f-]{36})|.*/topology/tidb/[^/]+/ttl", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the key itself, if it has a lease and a value of one of these services."""
        return key.key if key.has_lease and key.value_size and self._is_known(key) else None

    def _is_known(self, key: LockKey) -> bool:
        if before_own_lease(key) or key.value.startswith(self._KUBERNETES):
            return True
        if self._TIDB.fullmatch(key.key):
            return True
        is_member = patroni_scope(key) is not None
        return is_member or json_object(key).get("LeaseID") == key.lease_id


def patroni_scope(key: LockKey) -> bytes | None:
    """
    Return the folder of a Patroni cluster if the key is a member's, with its slash.

    Source: members_path in Patroni's patroni/dcs.
    """
    found = PATRONI_MEMBER.fullmatch(key.key)
    if not found or not key.has_lease or not {"conn_url", "api_url"} <= json_object(key).keys():
        return None
    return found[1]


PATRONI_MEMBER = re.compile(rb"(.*/)members/[^/]+", re.DOTALL)
