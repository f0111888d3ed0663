package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// churnCmd has clients come and go: half over WebSocket, half by polling.
type churnCmd struct {
	Rate   int           `default:"1000" help:"Clients a second that come, and go."`
	Length time.Duration `default:"10s" help:"How long."`
	Reset  float64       `default:"0.3" help:"Share of the clients that go by a TCP reset."`
}

func (c *churnCmd) Run() error {
	return underStress([]string{"-load"}, func(p *process) error {
		var done, failed atomic.Int64
		visit := func() {
			if err := c.visit(p.addr); err != nil {
				failed.Add(1)
			}
			done.Add(1)
		}
		// What exists once does so after a few thousand of them.
		c.pace(2*time.Second, visit)
		before, err := p.settled(30 * time.Second)
		if err != nil {
			return err
		}
		done.Store(0)
		cpu, start := p.cpu(), time.Now()
		c.pace(c.Length, visit)
		n, length := done.Load(), time.Since(start)
		after, err := p.settled(30 * time.Second)
		cpu = p.cpu() - cpu
		fmt.Printf("%.0f clients a second for %v, half of them by polling, %.0f %% reset:\n", float64(n)/length.Seconds(), c.Length, 100*c.Reset)
		fmt.Printf("  came and went   %d, %d of them refused or cut off by the server\n", n, failed.Load())
		fmt.Printf("  CPU a client    %v\n", (cpu / time.Duration(max(1, n))).Round(time.Microsecond))
		fmt.Printf("  before          %v\n", before)
		fmt.Printf("  after           %v: %+.1f %% memory\n", after, percent(before.rss, after.rss))
		if after.sessions > 0 || failed.Load() > 0 {
			err = errors.Join(err, errors.New("sessions are left, or clients failed"))
		}
		return err
	})
}

// pace calls f at the rate, for a length of time, and waits for the last call.
func (c *churnCmd) pace(length time.Duration, f func()) {
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, 500) // a machine that cannot keep up slows the rate down
	start := time.Now()
	for i := 0; time.Since(start) < length; i++ {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(c.Rate))))
		slots <- struct{}{}
		calls.Go(func() {
			defer func() { <-slots }()
			f()
		})
	}
}

// visit is one client: it joins, has an echo, and goes.
func (c *churnCmd) visit(addr string) error {
	var conn net.Conn
	if rand.IntN(2) == 0 {
		ws, err := dial(addr, false)
		if err != nil {
			return err
		}
		defer ws.Close()
		if err := errors.Join(ws.SetDeadline(time.Now().Add(30*time.Second)), ws.send(text(`42["echo",1]`)), ws.await(1)); err != nil {
			return err
		}
		conn = ws.Conn
	} else {
		get, err := c.poll(addr)
		if err != nil {
			return err
		}
		if get == nil {
			return nil // it said goodbye
		}
		defer get.Close()
		conn = get
	}
	if rand.Float64() < c.Reset {
		return conn.(*net.TCPConn).SetLinger(0)
	}
	return nil
}

// poll begins a session by polling, and returns the connection of a pending
// poll, whose end ends the session, or nil if it has ended it by a packet.
func (c *churnCmd) poll(addr string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		if !keep {
			conn.Close()
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	r := bufio.NewReader(conn)
	path := "/socket.io/?EIO=4&transport=polling"
	open, err := exchange(conn, r, "GET", path, "")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return nil, fmt.Errorf("handshake: %q", open)
	}
	path += "&sid=" + sid
	for _, step := range []struct{ method, body, want string }{
		{"POST", "40", "ok"}, {"GET", "", "40{"}, {"POST", `42["echo",1]`, "ok"}, {"GET", "", `42["echo",1]`},
	} {
		if got, err := exchange(conn, r, step.method, path, step.body); err != nil || !strings.HasPrefix(got, step.want) {
			return nil, fmt.Errorf("%s: %q, %v", step.method, got, err)
		}
	}
	if rand.IntN(2) == 0 {
		_, err := exchange(conn, r, "POST", path, "1")
		return nil, err
	}
	keep = true
	return conn, request(conn, "GET", path, "")
}

func request(w io.Writer, method, path, body string) error {
	_, err := fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
	return err
}

func exchange(w io.Writer, r *bufio.Reader, method, path, body string) (string, error) {
	if err := request(w, method, path, body); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(answer), err
}
