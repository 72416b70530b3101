"""The evidence behind a verdict: data with its numbers, which the outputs word."""

from __future__ import annotations

from typing import TypeAlias

from lockdoctor.domain.evidence import (
    age,
    deadlock,
    keys,
    leak_score,
    processes,
    queue,
    renewals,
    sessions,
)

Evidence: TypeAlias = (
    renewals.Renewed
    | age.Held
    | age.EstimatedAge
    | leak_score.LeakScore
    | age.ClaimedAge
    | queue.NoHandOver
    | queue.HandedOver
    | queue.Waiters
    | queue.GaveUp
    | keys.NoLease
    | keys.ForeignHolder
    | renewals.NotRenewed
    | renewals.LeaseEnded
    | renewals.Expired
    | renewals.ListedNotFound
    | renewals.KeyWithoutLease
    | keys.OtherKeys
    | queue.PossibleAbandonedKey
    | renewals.LateRenewal
    | renewals.LongTtl
    | keys.ByDesign
    | keys.Rewritten
    | age.WithinLimit
    | renewals.Unobservable
    | renewals.ReadFailed
    | keys.UnknownRecipe
    | keys.QueueCut
    | renewals.LeaderChanged
    | sessions.SessionsGrew
    | sessions.SessionsAlike
    | sessions.AbandonedSessions
    | sessions.SessionsIdle
    | age.SeenInEarlierRuns
    | processes.KeptAliveBy
    | processes.ProcessSessions
    | processes.UnattributedSessions
    | processes.ServerCounted
    | deadlock.WaitCycle
    | deadlock.CheapestBreak
    | deadlock.NoSingleBreak
    | queue.Blocks
    | deadlock.HolderWaits
    | keys.Keyless
)
"""One fact that was read; every output can word it."""
