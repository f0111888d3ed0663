// Package postgrestest runs a real PostgreSQL server for the length of a test.
//
//	db := postgrestest.Start(t)
//	pool, err := pgxpool.New(ctx, db.URL())
//
// The binaries initdb and postgres are looked for in PATH and where Debian's
// packages put them; without them the test fails, with a hint. The server listens
// on a free port of 127.0.0.1, keeps its data in a temporary folder and takes no
// care to keep them. As PostgreSQL refuses to run as root, there it runs as the
// user postgres or, without one, nobody.
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout is how long a server may take to begin, on a busy machine.
const startTimeout = time.Minute

// Server is a PostgreSQL server with an empty database. Its methods are for the
// goroutine of the test.
type Server struct {
	t    testing.TB
	dir  string
	bin  string
	port int
	as   *syscall.SysProcAttr
	log  bytes.Buffer // of the running process; read when that has ended

	process *exec.Cmd
	ended   chan struct{} // closed when process has been waited for
}

// Start starts a server; it is stopped when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: another user has to reach it.
	dir, err := os.MkdirTemp("", "postgrestest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s := &Server{t: t, dir: dir, bin: bin, port: freePort(t), as: &syscall.SysProcAttr{}}
	if os.Getuid() == 0 {
		s.become()
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", s.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = s.as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(s.Kill)
	s.Run()
	return s
}

// Debian's places, the newest version last.
const debian = "/usr/lib/postgresql/*/bin"

// binaries returns the folder of initdb and postgres.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		// A link in PATH leads to the folder with what initdb itself looks for.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, _ := filepath.Glob(debian + "/initdb") // the pattern is a good one
	if len(found) == 0 {
		return "", errors.New("postgrestest: no PostgreSQL: please install it (`make setup`, or Debian's package postgresql)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// become has the server's processes run as another user.
func (s *Server) become() {
	s.t.Helper()
	var who *user.User
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			who = u
			break
		}
	}
	if who == nil {
		s.t.Fatal("postgrestest: PostgreSQL doesn't run as root, and there is no user postgres or nobody")
	}
	uid, err1 := strconv.ParseUint(who.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(who.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(s.dir, int(uid), int(gid))); err != nil {
		s.t.Fatal(err)
	}
	s.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// URL is what to connect to.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Port is the port of 127.0.0.1 that the server listens on.
func (s *Server) Port() int { return s.port }

// Run starts the server again, after Kill, with the data that it had.
func (s *Server) Run() {
	s.t.Helper()
	// What a killed server has left behind would be taken for a running one.
	_ = os.Remove(filepath.Join(s.data(), "postmaster.pid"))
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"max_connections=100", "shared_buffers=16MB", "autovacuum=off", "logging_collector=off",
	} {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.SysProcAttr, cmd.Dir = s.as, s.dir
	s.log.Reset()
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	s.process, s.ended = cmd, ended
	go func() { // ends with the process; Kill waits for it
		defer close(ended)
		_ = cmd.Wait() // killed
	}()
	s.await()
}

// await waits until the server takes connections.
func (s *Server) await() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-tick.C:
		case <-s.ended:
			s.t.Fatalf("postgres has ended:\n%s", s.log.String())
		case <-ctx.Done():
			s.t.Fatalf("postgres takes no connections: %v", err)
		}
	}
}

// Kill ends all processes of the server at once, as kill -9 does.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.ended
	s.process = nil
}

// Freeze stops all processes of the server until Thaw; connections stay open and
// nobody answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets the server go on after Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	if s.process == nil {
		return
	}
	// Children first: they could end while they are looked for, but no new ones come
	// from a parent that is stopped.
	parent := s.process.Process.Pid
	for _, pid := range append(children(parent), parent) {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			s.t.Errorf("signal %v: %v", sig, err)
		}
	}
}

// children returns the processes that a server has started. Each of them leads a
// process group of its own, so there is no one signal for all.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …, and the name may contain anything.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
