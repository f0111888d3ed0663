package clients_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/socketio"
	sio "github.com/siokit/siokit/socketio/client"
)

// With retries, no event that was emitted is lost when the server is killed and
// started again, in the middle of it and more than once.
func TestGoClientOutlivesServer(t *testing.T) {
	const events, kills = 300, 3
	for name, start := range map[string]func(t *testing.T, address, file string) (kill func()){
		"npm": startDurableNode, "siokit": startDurable,
	} {
		for _, mode := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				address, file := freeAddress(t), filepath.Join(t.TempDir(), "log")
				kill := start(t, address, file)
				defer func() { kill() }()
				ctx, cancel := context.WithTimeout(t.Context(), goTime)
				defer cancel()
				talk := &talk{T: t, fixture: &fixture{url: "http://" + address}, ctx: ctx, mode: mode}
				c := talk.client("", func(c *sio.Config) { c.Retries, c.AckTimeout = 1<<20, time.Second })
				talk.must(c.Connect(ctx))
				for n := range events {
					if n%2 == 0 { // those that nobody waits for, and those that somebody does
						talk.must(c.Emit(ctx, "n", n))
					} else {
						talk.equal(talk.ask(c.Socket, "n", n), []any{n})
					}
					if n%(events/kills) == events/kills/2 {
						talk.must(c.Emit(ctx, "n", n)) // some are on their way
						kill()
						kill = start(t, address, file)
					}
				}
				checkLog(t, file, events)
			})
		}
	}
}

// checkLog wants every event in the order in which they were emitted; one may
// stand there again, at once, since its acknowledgement may have been lost.
func checkLog(t *testing.T, file string, events int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscan(line, &n); err != nil {
			t.Fatal(err)
		}
		if n != last && n != last+1 {
			t.Fatalf("%d follows %d", n, last)
		}
		last = n
	}
	if last != events-1 {
		t.Errorf("the last one is %d", last)
	}
}

func startDurableNode(t *testing.T, address, file string) (kill func()) {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node(t), "reference/durable.mjs", port, file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // at once, without a goodbye
		_ = cmd.Wait()         // its error says that it was killed
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		kill()
		t.Fatalf("durable.mjs: %q %v", line, err)
	}
	return kill
}

func startDurable(t *testing.T, address, file string) (kill func()) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	dead := false
	io.On("n", func(_ context.Context, ev *socketio.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if dead {
			return nil // it neither writes nor answers any more
		}
		if _, err := fmt.Fprintf(log, "%s\n", ev.Args().Raw()); err != nil {
			return err
		}
		return ev.Ack(ev.Args())
	})
	cut := &cutListener{Listener: listener}
	web := &http.Server{Handler: io}
	served := make(chan error, 1)
	go func() { served <- web.Serve(cut) }() // until kill, which waits for it
	return sync.OnceFunc(func() {
		mu.Lock()
		dead = true
		mu.Unlock()
		cut.cut() // before anything can say goodbye
		_ = web.Close()
		<-served
		if err := io.Close(); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A cutListener can close what it has accepted.
type cutListener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *cutListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	return c, nil
}

func (l *cutListener) cut() {
	_ = l.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
}
