// Package redistest starts Redis servers for tests: the redis-server in the
// PATH, on a free port of 127.0.0.1, with nothing kept on disk unless asked.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Server is a redis-server that a test has started.
type Server struct {
	// Addr is where it listens.
	Addr string

	t      testing.TB
	args   []string
	port   int
	output bytes.Buffer
	cmd    *exec.Cmd
	ended  chan struct{}
}

// go-redis writes a line for each connection that it can't make, thousands while a
// server is killed: what a test has to say would drown in them.
func init() { redis.SetLogger(silence{}) }

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// patience is how long a server may take to start.
const patience = 30 * time.Second

// Start starts a server, which ends with the test. args are more options of
// redis-server.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, nil, args)
}

func start(t testing.TB, before, after []string) *Server {
	t.Helper()
	port := freePort(t)
	s := &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), t: t, port: port}
	s.args = slices.Concat(before, []string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
	}, after)
	t.Cleanup(s.Kill)
	s.Restart()
	return s
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

// Restart starts the server again after Kill and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatalf("%v; make setup installs it (Debian: apt-get install redis-server)", err)
	}
	s.output.Reset()
	s.cmd = exec.Command(path, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() { // ends with the process, which Kill waits for
		_ = cmd.Wait()
		close(ended)
	}()
	deadline := time.Now().Add(patience)
	for !s.answers() {
		select {
		case <-ended:
			s.t.Fatalf("redis-server has ended: %s", s.output.Bytes())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server does not answer within %v", patience)
		}
	}
}

// answers asks without a client, which would log each failure.
func (s *Server) answers() bool {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	reply := make([]byte, len("+PONG\r\n"))
	_, err = io.ReadFull(conn, reply)
	return err == nil && string(reply) == "+PONG\r\n" // and not -LOADING
}

// Client returns a client that connects to the server. The caller closes it.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: s.Addr, MaxRetries: -1, DialTimeout: time.Second, DialerRetries: 1, ReadTimeout: time.Second,
		// Redis Enterprise's notices of maintenance: go-redis 9.22 finds out that the
		// server has none by a write that races with readers of the options.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// Open returns a client that is closed at the end of the test.
func (s *Server) Open(t testing.TB) *redis.Client {
	c := s.Client()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Kill ends the server as kill -9 does, and waits for its end.
func (s *Server) Kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGKILL) // it may have ended
	<-s.ended
}

// Freeze stops the process where it is: connections stay open and nothing
// answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(fmt.Errorf("redis-server: %w", err))
	}
}
