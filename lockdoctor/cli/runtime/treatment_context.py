"""Connects the parts that a treatment needs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lockdoctor.clock import SystemClock
from lockdoctor.domain.recipes.registry import RecipeBook
from lockdoctor.etcd.client import connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.writer import EtcdWriter
from lockdoctor.journal.actor import this_actor
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.text.treatment import PlainTreatmentText
from lockdoctor.workflows.treatment.context import TreatmentContext


@asynccontextmanager
async def connected_context(
    settings: ConnectionSettings, journal: FileJournal, recipes: RecipeBook
) -> AsyncIterator[TreatmentContext]:
    """
    Yield the parts of a treatment with a connection, and close it afterwards.

    Raises:
        ClusterError: etcd could not be reached.
        WrongClusterError: It is another cluster than the one that the run read before.
    """
    clock = SystemClock()
    cluster = await connect(settings, clock)
    try:
        yield TreatmentContext(
            cluster=cluster,
            key_writer=EtcdWriter(cluster.connection, clock),
            journal=journal,
            clock=clock,
            words=PlainTreatmentText(),
            who=this_actor(os.environ),
            recipes=recipes,
        )
    finally:
        await cluster.close()
