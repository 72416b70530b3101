// Command etcd is the etcd server 3.5.31, built from Go modules for the tests.
//
// go install refuses the server's own main package, whose module carries replace directives.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
