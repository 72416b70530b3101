"""
The list of lock recipes, by which client libraries write locks as keys.

Adding a recipe means adding one class here and naming it in RECIPES.
"""

from __future__ import annotations

from lockdoctor.domain.recipes.base import (
    LockRecipe,
)
from lockdoctor.domain.recipes.go import GoQueue, GoRwMutex
from lockdoctor.domain.recipes.node import NodeElection
from lockdoctor.domain.recipes.python_etcd3 import PythonEtcd3
from lockdoctor.domain.recipes.registration import Registration
from lockdoctor.domain.recipes.single_key import LeasedKey, SingleKey, UnleasedKey
from lockdoctor.domain.recipes.vitess import VitessElection, VitessLock

RECIPES: tuple[LockRecipe, ...] = (
    GoQueue(),
    GoRwMutex(),
    VitessElection(),
    VitessLock(),
    NodeElection(),
    PythonEtcd3(),
    Registration(),
    SingleKey(),
    LeasedKey(),
    UnleasedKey(),
)
"""In the order in which they are tried; the last one matches every key."""

RECIPE_OF = {known.recipe: known for known in RECIPES}
