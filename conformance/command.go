package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/siokit/siokit/conformance/probe"
)

// CommandConfig is how [Command] starts a server.
type CommandConfig struct {
	// Args is the program and its arguments. In each, {port} and {addr} stand
	// for the port and the address that the server should listen on; the
	// environment variable PORT holds the port too.
	Args []string
	// Dir is the working directory; empty means that of this process.
	Dir string
	// URL is where the server listens when it does not take a port; empty means
	// 127.0.0.1 on a free port.
	URL string
	// Env is added to the environment of this process.
	Env []string
	// StartTimeout bounds the time until the server accepts connections; zero
	// means 30 seconds.
	StartTimeout time.Duration
}

// Command is a server that the suite starts, starts again when it dies, and
// ends after the run, together with the processes it started.
func Command(cfg CommandConfig) Target { return &commandTarget{cfg: cfg} }

type commandTarget struct {
	cfg    CommandConfig
	server probe.Server
	proc   *process // nil before Start
}

// process is one life of the command.
type process struct {
	cmd  *exec.Cmd
	out  tail
	done chan struct{} // closed when the process has ended
	err  error         // of Wait; valid when done
}

func (c *commandTarget) Name() string { return strings.Join(c.cfg.Args, " ") }

func (c *commandTarget) Start(ctx context.Context) (probe.Server, error) {
	if len(c.cfg.Args) == 0 {
		return probe.Server{}, errors.New("conformance: the command is empty")
	}
	raw := c.cfg.URL
	if raw == "" {
		port, err := freePort(ctx)
		if err != nil {
			return probe.Server{}, err
		}
		raw = fmt.Sprintf("http://127.0.0.1:%d", port)
	}
	server, err := locate(raw)
	if err != nil {
		return probe.Server{}, err
	}
	c.server = server
	return server, c.launch(ctx)
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("conformance: no free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// launch starts the process and waits until it accepts connections.
func (c *commandTarget) launch(ctx context.Context) error {
	host, port, err := net.SplitHostPort(c.server.Addr)
	if err != nil {
		return fmt.Errorf("conformance: %w", err)
	}
	fill := strings.NewReplacer("{port}", port, "{addr}", net.JoinHostPort(host, port))
	args := make([]string, len(c.cfg.Args))
	for i, a := range c.cfg.Args {
		args[i] = fill.Replace(a)
	}
	p := &process{done: make(chan struct{})}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir = c.cfg.Dir
	p.cmd.Env = append(append(os.Environ(), "PORT="+port), c.cfg.Env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	// A group of its own, so that what the command starts ends with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("conformance: cannot start the server: %w", err)
	}
	go func() { // ends with the process; Stop waits for it
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	c.proc = p
	return c.awaitListening(ctx)
}

func (c *commandTarget) awaitListening(ctx context.Context) error {
	limit := c.cfg.StartTimeout
	if limit == 0 {
		limit = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var d net.Dialer
		if conn, err := d.DialContext(ctx, "tcp", c.server.Addr); err == nil {
			return conn.Close()
		}
		select {
		case <-c.proc.done:
			return fmt.Errorf("conformance: the server ended before it listened on %s (%v); its output:\n%s", c.server.Addr, c.proc.err, c.proc.out.String())
		case <-ctx.Done():
			output := c.proc.out.String()
			c.Stop()
			return fmt.Errorf("conformance: the server does not listen on %s after %v; its output:\n%s", c.server.Addr, limit, output)
		case <-tick.C:
		}
	}
}

// died reports how the process ended, with the end of its output.
func (c *commandTarget) died(grace time.Duration) string {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.proc.done:
	case <-timer.C:
		select {
		case <-c.proc.done: // both were ready
		default:
			return ""
		}
	}
	return fmt.Sprintf("the server died (%v); its last output:\n%s", c.proc.err, c.proc.out.String())
}

func (c *commandTarget) restart(ctx context.Context) (probe.Server, error) {
	if err := c.Stop(); err != nil {
		return c.server, err
	}
	return c.server, c.launch(ctx)
}

// Stop ends the process group: politely, then for good.
func (c *commandTarget) Stop() error {
	if c.proc == nil {
		return nil
	}
	p := c.proc
	group := -p.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	timer := time.NewTimer(5 * time.Second)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		syscall.Kill(group, syscall.SIGKILL)
		<-p.done
	}
	// What the command left behind in its group, for example below a shell.
	syscall.Kill(group, syscall.SIGKILL)
	return nil
}

// tail keeps the end of a process's output.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailBytes = 8192

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if extra := t.buf.Len() - tailBytes; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
