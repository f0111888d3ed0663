package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// networkCmd puts a proxy that disturbs between clients and server. The server
// keeps sessions for recovery, and numbers what it broadcasts; the clients
// connect again whenever they are cut off.
type networkCmd struct {
	Clients int           `default:"20" help:"Clients behind the proxy."`
	Length  time.Duration `default:"4s" help:"How long each disturbance lasts."`
}

// disturbances are toxiproxy's toxics, as its API takes them.
var disturbances = []struct{ name, toxic string }{
	{"no disturbance", ""},
	{"latency 100 ± 50 ms", `{"name":"t","type":"latency","attributes":{"latency":100,"jitter":50}}`},
	{"slices of a byte", `{"name":"t","type":"slicer","attributes":{"average_size":1,"size_variation":0,"delay":10}}`},
	{"5 KB/s", `{"name":"t","type":"bandwidth","attributes":{"rate":5}}`},
	{"reset after 400 ms", `{"name":"t","type":"reset_peer","attributes":{"timeout":400}}`},
	{"cut after 3 KB", `{"name":"t","type":"limit_data","attributes":{"bytes":3000}}`},
	{"nothing passes", `{"name":"t","type":"timeout","attributes":{"timeout":0}}`},
}

func (c *networkCmd) Run() error {
	zerolog.SetGlobalLevel(zerolog.Disabled) // the toxics have loggers of their own
	args := []string{"-recovery", "2m", "-ping-interval", "1s", "-ping-timeout", "1s", "-connect-timeout", "10s"}
	return underStress(args, func(p *process) error {
		control, err := dial(p.addr, false)
		if err != nil {
			return err
		}
		defer control.Close()
		go func() { _ = control.await(1 << 40) }() // answers pings; ends with the connection
		fmt.Printf("%d clients, 50 broadcasts a second, a server that recovers sessions:\n", c.Clients)
		var errs []error
		for _, d := range disturbances {
			if err := c.disturb(p.addr, control, d.name, d.toxic); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", d.name, err))
			}
		}
		return errors.Join(errs...)
	})
}

// disturb runs one disturbance, and waits for what was sent meanwhile.
func (c *networkCmd) disturb(addr string, control *client, name, toxic string) error {
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "line", "127.0.0.1:0", addr)
	if err := proxy.Start(); err != nil {
		return err
	}
	defer proxy.Stop()
	var sent atomic.Int64
	room := strconv.FormatInt(time.Now().UnixNano(), 36)
	followers := make([]*follower, c.Clients)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for i := range followers {
		f := &follower{addr: proxy.Listen, room: room}
		followers[i] = f
		if err := f.connect(); err != nil {
			return err
		}
		running.Go(func() { f.follow(ctx) })
	}
	broadcast := func(length time.Duration) {
		for start := time.Now(); time.Since(start) < length; time.Sleep(20 * time.Millisecond) {
			_ = control.send(text(fmt.Sprintf(`42["bcast",%q,"%d"]`, room, sent.Add(1)-1))) // if it fails, nobody gets it
		}
	}
	broadcast(200 * time.Millisecond)
	if toxic != "" {
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return err
		}
	}
	broadcast(c.Length)
	if toxic != "" {
		if err := proxy.Toxics.RemoveToxic(ctx, "t"); err != nil {
			return err
		}
	}
	over := time.Now()
	broadcast(200 * time.Millisecond)
	behind := func() (n int) {
		for _, f := range followers {
			if f.next.Load() < sent.Load() {
				n++
			}
		}
		return n
	}
	for behind() > 0 && time.Since(over) < 20*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	caughtUp := time.Since(over).Round(10 * time.Millisecond)
	var cuts, lost, disorder int64
	for _, f := range followers {
		cuts += f.cuts.Load()
		lost += f.lost.Load()
		disorder += f.disorder.Load()
	}
	fmt.Printf("  %-20s %4d connections lost, all recovered but %d; %d messages doubled or out of order; everything there after %v, but for %d clients\n",
		name, cuts, lost, disorder, caughtUp, behind())
	if lost+disorder > 0 || behind() > 0 {
		return errors.New("messages or sessions were lost")
	}
	return nil
}

// follower is a client of a room whose messages are numbered.
type follower struct {
	addr, room string
	pid        string // what recovers the session
	offset     string // of the last message

	mu   sync.Mutex
	conn *client

	next                 atomic.Int64 // the number that is due
	cuts, lost, disorder atomic.Int64
}

// connect joins the room, or recovers the session.
func (f *follower) connect() error {
	hello := "40"
	if f.pid != "" {
		hello = fmt.Sprintf(`40{"pid":%q,"offset":%q}`, f.pid, f.offset)
	}
	c, err := dialWith(f.addr, hello)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.conn = c
	f.mu.Unlock()
	if f.pid != "" {
		return nil // what was missed comes before the answer to CONNECT
	}
	answer, err := c.read()
	if err != nil {
		return err
	}
	f.pid = member(string(answer), `"pid":"`)
	if err := c.send(text(fmt.Sprintf(`421["join",%q]`, f.room))); err != nil {
		return err
	}
	for {
		msg, err := c.read()
		if err != nil || strings.HasPrefix(string(msg), "431[") {
			return err
		}
		f.seen(string(msg)) // what the server says to everybody who comes
	}
}

// seen notes the offset of an event, which is its last argument.
func (f *follower) seen(event string) {
	if i := strings.LastIndex(event, `,"`); i >= 0 {
		f.offset = strings.TrimSuffix(event[i+2:], `"]`)
	}
}

// member returns the string that follows a key.
func member(object, key string) string {
	_, rest, _ := strings.Cut(object, key)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// follow reads until ctx ends, over as many connections as it takes.
func (f *follower) follow(ctx context.Context) {
	end := context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		_ = f.conn.Close()
	})
	defer func() {
		end()
		_ = f.conn.Close()
	}()
	for ctx.Err() == nil {
		// The server pings every second: a line on which nothing comes is dead.
		_ = f.conn.SetDeadline(time.Now().Add(4 * time.Second))
		msg, err := f.conn.read()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			_ = f.conn.Close()
			f.cuts.Add(1)
			for f.connect() != nil {
				f.cuts.Add(1)
				select {
				case <-ctx.Done():
					return
				case <-time.After(100 * time.Millisecond):
				}
			}
			continue
		}
		f.take(string(msg))
	}
}

// take handles a packet.
func (f *follower) take(msg string) {
	switch {
	case msg == "2":
		_ = f.conn.send(text("3")) // reading notices
	case strings.HasPrefix(msg, "40"):
		if member(msg, `"pid":"`) != f.pid {
			f.lost.Add(1) // a new session: the old one was not recovered
			f.pid = member(msg, `"pid":"`)
		}
	case strings.HasPrefix(msg, `42["msg","`):
		number, _, _ := strings.Cut(strings.TrimPrefix(msg, `42["msg","`), `"`)
		if n, err := strconv.ParseInt(number, 10, 64); err != nil || n != f.next.Load() {
			f.disorder.Add(1)
		}
		f.seen(msg)
		f.next.Add(1)
	}
}
