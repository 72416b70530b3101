// Command lockclient takes etcd locks as services do, well or badly, for lockdoctor's tests.
//
// It uses etcd's own concurrency package and prints one JSON line for each thing that happens.
// The healthy ones (work, wait, elect, pool) close their sessions on SIGTERM; the leaking ones
// (leak, requests, keepalive, nest) just exit, so that etcd has to wait for their leases to run out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

type options struct {
	client         *clientv3.Client
	name           string
	then           string
	locks          int
	ttl            int
	n              int
	hold           time.Duration
	pause          time.Duration
	timeout        time.Duration
	rate           float64
	sessionPerLock bool
	onSignal       bool
}

// A command runs until ctx ends, which SIGTERM brings about.
var commands = map[string]func(context.Context, options){
	"leak":      leak,
	"relapse":   relapse,
	"requests":  requests,
	"keepalive": keepAlive,
	"nest":      nest,
	"work":      work,
	"wait":      wait,
	"elect":     elect,
	"pool":      pool,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: lockclient leak|relapse|requests|keepalive|nest|work|wait|elect|pool FLAGS")
		os.Exit(2)
	}
	opts := parse(os.Args[1], os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	commands[os.Args[1]](ctx, opts)
}

func parse(command string, args []string) options {
	var opts options
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	endpoints := flags.String("endpoints", "127.0.0.1:2379", "etcd's endpoints, comma separated")
	flags.StringVar(&opts.name, "name", "/my-lock", "name of the lock or election")
	flags.StringVar(&opts.then, "then", "", "nest: name of the lock to take while the first is held")
	flags.IntVar(&opts.locks, "locks", 1, "spread over this many locks: NAME0, NAME1, ...")
	flags.IntVar(&opts.ttl, "ttl", 60, "TTL of each session, in seconds")
	flags.IntVar(&opts.n, "n", 1, "how many sessions or workers at a time")
	flags.DurationVar(&opts.hold, "hold", 0, "work, requests: how long to hold the lock")
	flags.DurationVar(&opts.pause, "pause", 0, "work: how long to rest between two locks")
	flags.DurationVar(&opts.timeout, "timeout", 5*time.Second, "requests: how long to try for the lock")
	flags.Float64Var(&opts.rate, "rate", 1, "requests: how many a second")
	flags.BoolVar(&opts.sessionPerLock, "session-per-lock", false, "work, nest: a session for each lock; work closes it after it")
	flags.BoolVar(&opts.onSignal, "on-signal", false, "nest: take the other lock only after SIGUSR1")
	pprof := flags.String("pprof", "", "show goroutine profiles there, for example 127.0.0.1:0")
	_ = flags.Parse(args)
	if *pprof != "" {
		showGoroutines(*pprof)
	}
	opts.client = connect(strings.Split(*endpoints, ","))
	return opts
}

func connect(endpoints []string) *clientv3.Client {
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 5 * time.Second})
	fatal(err)
	return client
}

// lockName spreads the i-th worker over the locks.
func (opts options) lockName(i int) string {
	if opts.locks == 1 {
		return opts.name
	}
	return fmt.Sprintf("%s%d", opts.name, i%opts.locks)
}

// each runs n of them side by side until all have returned.
func (opts options) each(run func(i int)) {
	var group sync.WaitGroup
	for i := range opts.n {
		group.Add(1)
		go func() {
			defer group.Done()
			run(i)
		}()
	}
	group.Wait()
}

// rest sleeps, or returns early at the end.
func rest(ctx context.Context, duration time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(duration):
	}
}
