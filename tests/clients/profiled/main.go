// Command profiled leaks sessions as a careless service does, and writes its goroutine profiles.
//
// It builds with every Go from 1.17 on, for Go's versions differ in what a profile shows of a lease.
// tests/processes/profiles/record.py runs it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

const (
	name     = "/profiled"
	ttl      = 60
	requests = 8
	settling = 2 * time.Second
)

// leases are those that the process keeps alive, by what they are for.
type leases struct {
	Go       string   `json:"go"`
	Holder   string   `json:"holder"`
	Requests []string `json:"requests"`
	Waiter   string   `json:"waiter"`
	Raw      string   `json:"raw"`
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: profiled ENDPOINT FOLDER")
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: os.Args[1:2], DialTimeout: 5 * time.Second})
	fatal(err)
	found := leases{Go: runtime.Version(), Holder: hold(client)}
	told := make(chan string)
	for i := 0; i < requests; i++ {
		go request(client, told)
	}
	for i := 0; i < requests; i++ {
		found.Requests = append(found.Requests, <-told)
	}
	go wait(client, told)
	found.Waiter = <-told
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	found.Raw = keepAlive(ctx, client)
	time.Sleep(settling)
	write(os.Args[2], found)
}

// hold takes the lock and never lets go.
func hold(client *clientv3.Client) string {
	session := open(client)
	fatal(concurrency.NewMutex(session, name).Lock(context.Background()))
	return text(session.Lease())
}

// request gives up and leaves its session open.
func request(client *clientv3.Client, told chan<- string) {
	session := open(client)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = concurrency.NewMutex(session, name).Lock(ctx)
	told <- text(session.Lease())
}

// wait waits for its turn.
func wait(client *clientv3.Client, told chan<- string) {
	session := open(client)
	told <- text(session.Lease())
	fatal(concurrency.NewMutex(session, name).Lock(context.Background()))
}

// keepAlive renews a lease without a session.
func keepAlive(ctx context.Context, client *clientv3.Client) string {
	granted, err := client.Grant(ctx, ttl)
	fatal(err)
	answers, err := client.KeepAlive(ctx, granted.ID)
	fatal(err)
	go func() {
		for range answers {
		}
	}()
	return text(granted.ID)
}

func open(client *clientv3.Client) *concurrency.Session {
	session, err := concurrency.NewSession(client, concurrency.WithTTL(ttl))
	fatal(err)
	return session
}

// write leaves both texts of the goroutines, and which leases they keep alive.
func write(folder string, found leases) {
	for debug := 1; debug <= 2; debug++ {
		file, err := os.Create(filepath.Join(folder, fmt.Sprintf("debug%d.txt", debug)))
		fatal(err)
		fatal(pprof.Lookup("goroutine").WriteTo(file, debug))
		fatal(file.Close())
	}
	raw, err := json.MarshalIndent(found, "", "  ")
	fatal(err)
	fatal(os.WriteFile(filepath.Join(folder, "leases.json"), append(raw, '\n'), 0o644))
}

func text(lease clientv3.LeaseID) string { return fmt.Sprintf("%016x", int64(lease)) }

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
