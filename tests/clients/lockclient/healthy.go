package main

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/client/v3/concurrency"
)

// work locks, holds, unlocks and rests, again and again.
func work(ctx context.Context, opts options) {
	opts.each(func(i int) {
		session := opts.session()
		say("session", "", session.Lease())
		for ctx.Err() == nil {
			hold(ctx, opts, session, opts.lockName(i))
			if opts.sessionPerLock {
				session.Close()
				rest(ctx, opts.pause)
				session = opts.session()
				continue
			}
			rest(ctx, opts.pause)
		}
		session.Close()
	})
}

func hold(ctx context.Context, opts options, session *concurrency.Session, name string) {
	mutex := concurrency.NewMutex(session, name)
	if err := mutex.Lock(ctx); err != nil {
		if ctx.Err() == nil {
			complain("lock-failed", session.Lease(), err)
			rest(ctx, opts.pause)
		}
		return
	}
	holdAndUnlock(ctx, opts, mutex, session)
}

// holdAndUnlock remembers the key, because Unlock forgets it.
func holdAndUnlock(ctx context.Context, opts options, mutex *concurrency.Mutex, session *concurrency.Session) {
	key := mutex.Key()
	say("locked", key, session.Lease())
	rest(ctx, opts.hold)
	if err := mutex.Unlock(opts.client.Ctx()); err == nil {
		say("unlocked", key, session.Lease())
	}
}

// wait queues for the lock for as long as it takes, and then keeps it.
func wait(ctx context.Context, opts options) {
	opts.each(func(i int) {
		session := opts.session()
		defer session.Close()
		say("session", "", session.Lease())
		mutex := concurrency.NewMutex(session, opts.lockName(i))
		if err := mutex.Lock(ctx); err != nil {
			return
		}
		say("locked", mutex.Key(), session.Lease())
		<-ctx.Done()
	})
}

// elect campaigns, and leads until the end.
func elect(ctx context.Context, opts options) {
	opts.each(func(i int) {
		session := opts.session()
		defer session.Close()
		say("session", "", session.Lease())
		election := concurrency.NewElection(session, opts.lockName(i))
		if err := election.Campaign(ctx, fmt.Sprintf("candidate-%d", i)); err != nil {
			return
		}
		say("leader", election.Key(), session.Lease())
		<-ctx.Done()
	})
}

// pool keeps sessions at hand and does nothing with them.
func pool(ctx context.Context, opts options) {
	opts.each(func(int) {
		session := opts.session()
		defer session.Close()
		say("session", "", session.Lease())
		<-ctx.Done()
	})
}
