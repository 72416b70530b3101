package main

import (
	"net"
	"net/http"
	_ "net/http/pprof" // answers under /debug/pprof/
)

// showGoroutines lets others read this process's profiles, as many a service does.
func showGoroutines(address string) {
	listener, err := net.Listen("tcp", address)
	fatal(err)
	event{Event: "pprof", Address: listener.Addr().String()}.print()
	go func() { fatal(http.Serve(listener, nil)) }()
}
