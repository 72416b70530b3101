// Command lookups asks etcd for the remaining TTL of leases, as fast as a number of goroutines on one
// connection can, and prints what that took as one line of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A result counts only what happened between the first look-up and the last answer.
type result struct {
	Found   int64   `json:"found"`
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu_s"`
	Rate    float64 `json:"rate"`
}

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:2379", "etcd's endpoint")
	path := flag.String("leases", "", "a file with a lease ID on each line, in decimal")
	goroutines := flag.Int("goroutines", 1, "how many look-ups on their way at once")
	atLeast := flag.Duration("for", 0, "look them all up again and again for so long")
	flag.Parse()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second})
	fatal(err)
	leases := read(*path)
	_, err = client.TimeToLive(context.Background(), leases[0]) // connects
	fatal(err)
	fatal(json.NewEncoder(os.Stdout).Encode(measure(client, leases, *goroutines, *atLeast)))
}

func measure(client *clientv3.Client, leases []clientv3.LeaseID, goroutines int, atLeast time.Duration) result {
	cpu, start := cpuSeconds(), time.Now()
	found := lookUpAll(client, leases, goroutines)
	for time.Since(start) < atLeast {
		found += lookUpAll(client, leases, goroutines)
	}
	seconds := time.Since(start).Seconds()
	return result{Found: found, Seconds: seconds, CPU: cpuSeconds() - cpu, Rate: float64(found) / seconds}
}

// lookUpAll says how many of the leases exist.
func lookUpAll(client *clientv3.Client, leases []clientv3.LeaseID, goroutines int) int64 {
	var group sync.WaitGroup
	var next, found atomic.Int64
	for range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := next.Add(1) - 1; i < int64(len(leases)); i = next.Add(1) - 1 {
				answer, err := client.TimeToLive(context.Background(), leases[i])
				fatal(err)
				if answer.GrantedTTL > 0 {
					found.Add(1)
				}
			}
		}()
	}
	group.Wait()
	return found.Load()
}

func read(path string) []clientv3.LeaseID {
	file, err := os.Open(path)
	fatal(err)
	defer file.Close()
	var leases []clientv3.LeaseID
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		id, err := strconv.ParseInt(lines.Text(), 10, 64)
		fatal(err)
		leases = append(leases, clientv3.LeaseID(id))
	}
	fatal(lines.Err())
	return leases
}

// cpuSeconds is what this process has used so far, in its own code and in the kernel.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	fatal(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lookups:", err)
		os.Exit(1)
	}
}
