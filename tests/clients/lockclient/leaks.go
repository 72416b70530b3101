package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// leak locks and never unlocks, and never closes its session, which therefore renews for ever.
func leak(ctx context.Context, opts options) {
	opts.each(func(i int) {
		session := opts.session()
		say("session", "", session.Lease())
		mutex := concurrency.NewMutex(session, opts.lockName(i))
		if err := mutex.Lock(ctx); err == nil {
			say("locked", mutex.Key(), session.Lease())
		}
		select {
		case <-ctx.Done():
		case <-session.Done():
			say("ended", mutex.Key(), session.Lease())
			<-ctx.Done()
		}
	})
}

// relapse leaks, and begins anew whenever somebody has ended its session.
func relapse(ctx context.Context, opts options) {
	for ctx.Err() == nil {
		session := opts.session()
		mutex := concurrency.NewMutex(session, opts.name)
		if err := mutex.Lock(ctx); err == nil {
			say("locked", mutex.Key(), session.Lease())
		}
		select {
		case <-ctx.Done():
		case <-session.Done():
		}
	}
}

// requests is a service that opens a session for each request and forgets to close it, whether the
// request got the lock (then it unlocks) or gave up.
func requests(ctx context.Context, opts options) {
	ticks := time.NewTicker(time.Duration(float64(time.Second) / opts.rate))
	defer ticks.Stop()
	for i := 0; ; i++ {
		go request(ctx, opts, opts.lockName(i))
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func request(ctx context.Context, opts options, name string) {
	session := opts.session()
	say("session", "", session.Lease())
	mutex := concurrency.NewMutex(session, name)
	attempt, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	if err := mutex.Lock(attempt); err != nil {
		complain("gave-up", session.Lease(), err)
		return
	}
	holdAndUnlock(ctx, opts, mutex, session)
}

// nest takes one lock and then, with --on-signal when it gets SIGUSR1, another one as well: two that
// do so in opposite order are a deadlock.
func nest(ctx context.Context, opts options) {
	goOn := make(chan os.Signal, 1)
	signal.Notify(goOn, syscall.SIGUSR1)
	outer := opts.session()
	first := concurrency.NewMutex(outer, opts.name)
	fatal(first.Lock(ctx))
	say("locked", first.Key(), outer.Lease())
	if opts.onSignal {
		select {
		case <-ctx.Done():
		case <-goOn:
		}
	}
	inner := outer
	if opts.sessionPerLock {
		inner = opts.session()
	}
	say("wants", opts.then, inner.Lease())
	second := concurrency.NewMutex(inner, opts.then)
	if err := second.Lock(ctx); err == nil {
		say("locked", second.Key(), inner.Lease())
	}
	<-ctx.Done()
}

// keepAlive puts one key on a lease of its own and renews it, without the concurrency package.
func keepAlive(ctx context.Context, opts options) {
	opts.each(func(i int) {
		granted, err := opts.client.Grant(ctx, int64(opts.ttl))
		fatal(err)
		_, err = opts.client.Put(ctx, opts.lockName(i), "mine", clientv3.WithLease(granted.ID))
		fatal(err)
		answers, err := opts.client.KeepAlive(ctx, granted.ID)
		fatal(err)
		say("put", opts.lockName(i), granted.ID)
		for range answers {
		}
	})
}

// session opens a session that lives as long as the client unless it is closed.
func (opts options) session() *concurrency.Session {
	session, err := concurrency.NewSession(opts.client, concurrency.WithTTL(opts.ttl))
	fatal(err)
	return session
}
