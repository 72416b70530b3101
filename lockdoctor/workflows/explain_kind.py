"""Explain the kind of a key: by the key in etcd, or by its name alone."""

from __future__ import annotations

from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.recipes.explain import (
    Explanation,
    explain_key,
    explain_name,
    prefix_to_explain,
)
from lockdoctor.errors import AccessDeniedError
from lockdoctor.ports import Cluster


async def explain_kind(cluster: Cluster, name: bytes, policy: Policy) -> Explanation:
    """
    Return which recipe takes a key, and why the others do not.

    Raises:
        ClusterError: The key could not be read.
    """
    found = {key.key: key for key in (await cluster.keys(name)).keys}
    if name not in found:
        return explain_name(name, policy.recipes, "etcd has no such key")
    key = found[name]
    prefix = prefix_to_explain(key, policy.recipes)
    try:
        keys = (await cluster.keys(prefix)).keys
    except AccessDeniedError:
        prefix, keys = name, (key,)
    return explain_key(key, keys if key in keys else (*keys, key), prefix, policy)
