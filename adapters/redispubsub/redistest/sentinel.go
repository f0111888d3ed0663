package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// StartReplica starts a server that follows another.
func StartReplica(t testing.TB, of *Server) *Server {
	t.Helper()
	host, port, _ := net.SplitHostPort(of.Addr)
	return Start(t, "--replicaof", host, port)
}

// StartSentinel starts a sentinel, which alone decides that the master of this name
// is down, and puts a replica in its place, once it was silent for so long. It knows
// the replicas that the master has by then.
func StartSentinel(t testing.TB, name string, master *Server, silent time.Duration) *Server {
	t.Helper()
	// It writes down there what it knows.
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	host, port, _ := net.SplitHostPort(master.Addr)
	config := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 1\nsentinel down-after-milliseconds %[1]s %[4]d\nsentinel failover-timeout %[1]s 5000\n",
		name, host, port, silent.Milliseconds())
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, []string{file}, []string{"--sentinel"})
}
