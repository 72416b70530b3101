package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// An event is one line on stdout. Bytes of a key that are no UTF-8 come out as U+FFFD.
type event struct {
	Event   string `json:"event"`
	Key     string `json:"key,omitempty"`
	Lease   string `json:"lease,omitempty"`
	Error   string `json:"error,omitempty"`
	Address string `json:"address,omitempty"`
}

var stdout sync.Mutex

func (e event) print() {
	line, err := json.Marshal(e)
	fatal(err)
	stdout.Lock()
	defer stdout.Unlock()
	_, err = os.Stdout.Write(append(line, '\n'))
	fatal(err)
}

// say writes the lease as etcdctl does: hexadecimal, padded to 16 places.
func say(what, key string, lease clientv3.LeaseID) {
	event{Event: what, Key: key, Lease: fmt.Sprintf("%016x", int64(lease))}.print()
}

func complain(what string, lease clientv3.LeaseID, err error) {
	event{Event: what, Lease: fmt.Sprintf("%016x", int64(lease)), Error: err.Error()}.print()
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lockclient:", err)
		os.Exit(1)
	}
}
