package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is what one run of a case measured.
type result struct {
	messages int           // what was counted: echoes, deliveries, connections
	cpu      time.Duration // of the server, meanwhile
	wall     time.Duration
	bytes    int64 // idle: resident bytes for each connection; else 0
}

// cost is the figure that the ratios compare: CPU for a message, or bytes.
func (r result) cost() float64 {
	if r.bytes > 0 {
		return float64(r.bytes)
	}
	return float64(r.cpu.Nanoseconds()) / float64(r.messages)
}

type benchCase struct {
	name   string
	target float64 // ratio to raw that this project means to reach
	run    func(p *process, raw bool, length time.Duration) (result, error)
}

// object is a JSON object of about n bytes with many small members.
func object(n int) string {
	var b strings.Builder
	b.WriteString(`{"id":12345`)
	for i := 0; b.Len() < n-20; i++ {
		fmt.Fprintf(&b, `,"k%d":"value %d"`, i, i)
	}
	b.WriteString(`}`)
	return b.String()
}

var cases = []benchCase{
	{"echo-32-w1", 1.15, echo(1, 50, text(`42["echo","`+strings.Repeat("x", 17)+`"]`), 1)},
	{"echo-32-w16", 0.35, echo(16, 50, text(`42["echo","`+strings.Repeat("x", 17)+`"]`), 1)},
	{"echo-1k-object-w1", 1.25, echo(1, 50, text(`42["echo",`+object(1000)+`]`), 1)},
	{"echo-1k-object-w16", 0.75, echo(16, 50, text(`42["echo",`+object(1000)+`]`), 1)},
	{"echo-16k-string-w1", 1.6, echo(1, 50, text(`42["echo","`+strings.Repeat("x", 16<<10)+`"]`), 1)},
	{"echo-1k-binary-w1", 0.75, echo(1, 50, binaryEvent(1000), 2)},
	{"echo-1k-binary-w16", 0.40, echo(16, 50, binaryEvent(1000), 2)},
	{"ack-200-object-w1", 1.08, echo(1, 50, text(`427["ack",`+object(190)+`]`), 1)},
	{"ack-200-object-w16", 0.40, echo(16, 50, text(`427["ack",`+object(190)+`]`), 1)},
	{"echo-fixed-10k", 1.15, fixedRate(10_000, 100, text(`42["echo","`+strings.Repeat("x", 17)+`"]`))},
	{"broadcast-128-1k", 1.05, broadcast(1000, 1, 128)},
	{"broadcast-1k-10k", 0.92, broadcast(10_000, 1, 1000)},
	{"rooms-100-of-10k", 1.05, broadcast(10_000, 100, 128)},
	{"join-leave", 1.15, joinLeave(100)},
	{"connect-10k", 1.20, connect(10_000)},
	{"idle-10k", 0.50, idle(10_000)},
}

func binaryEvent(n int) []byte {
	head := text(`451-["echo",{"_placeholder":true,"num":0}]`)
	return appendFrame(head, 2, strings.Repeat("\x01", n))
}

// dialMany opens n connections, at most 32 at a time.
func dialMany(addr string, raw bool, n int) ([]*client, error) {
	clients := make([]*client, n)
	errs := make([]error, 32)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && errs[w] == nil; i = next.Add(1) - 1 {
				clients[i], errs[w] = dial(addr, raw)
			}
		})
	}
	wg.Wait()
	return clients, errors.Join(errs...)
}

func closeAll(clients []*client) {
	for _, c := range clients {
		if c != nil {
			c.Close()
		}
	}
}

// load runs work on every client until the length is over, and measures the
// part after the first fifth, when the server is warm.
func load(p *process, clients []*client, length time.Duration, work func(c *client, count *atomic.Int64) error) (result, error) {
	var count atomic.Int64
	var stopped atomic.Bool
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			for !stopped.Load() && errs[i] == nil {
				errs[i] = work(c, &count)
			}
		})
	}
	time.Sleep(length / 5)
	n, cpu, start := count.Load(), p.cpu(), time.Now()
	time.Sleep(length)
	res := result{messages: int(count.Load() - n), cpu: p.cpu() - cpu, wall: time.Since(start)}
	stopped.Store(true)
	timeout := time.AfterFunc(10*time.Second, func() { closeAll(clients) })
	defer timeout.Stop()
	wg.Wait()
	if res.messages == 0 {
		errs = append(errs, errors.New("no answer"))
	}
	return res, errors.Join(errs...)
}

// await reads n messages that count.
func (c *client) await(n int) error {
	for n > 0 {
		counts, err := c.skip()
		if err != nil {
			return err
		}
		if counts {
			n--
		}
	}
	return nil
}

// echo sends a window of requests in one write and waits for the answers.
func echo(window, conns int, request []byte, frames int) func(*process, bool, time.Duration) (result, error) {
	return func(p *process, raw bool, length time.Duration) (result, error) {
		clients, err := dialMany(p.addr, raw, conns)
		defer closeAll(clients)
		if err != nil {
			return result{}, err
		}
		batch := []byte(strings.Repeat(string(request), window))
		return load(p, clients, length, func(c *client, count *atomic.Int64) error {
			if err := c.send(batch); err != nil {
				return err
			}
			err := c.await(window * frames)
			count.Add(int64(window))
			return err
		})
	}
}

func fixedRate(rate, conns int, request []byte) func(*process, bool, time.Duration) (result, error) {
	return func(p *process, raw bool, length time.Duration) (result, error) {
		clients, err := dialMany(p.addr, raw, conns)
		defer closeAll(clients)
		if err != nil {
			return result{}, err
		}
		interval := time.Second * time.Duration(conns) / time.Duration(rate)
		return load(p, clients, length, func(c *client, count *atomic.Int64) error {
			due := time.Now().Add(interval)
			if err := c.send(request); err != nil {
				return err
			}
			err := c.await(1)
			count.Add(1)
			time.Sleep(time.Until(due))
			return err
		})
	}
}

// broadcast spreads conns over rooms; the first client of each of at most four
// rooms broadcasts, and again when all of its room have the message.
func broadcast(conns, rooms, size int) func(*process, bool, time.Duration) (result, error) {
	return func(p *process, raw bool, length time.Duration) (result, error) {
		clients, err := dialMany(p.addr, raw, conns)
		defer closeAll(clients)
		if err != nil {
			return result{}, err
		}
		perRoom := conns / rooms
		var delivered atomic.Int64
		got := make([]atomic.Int64, rooms)
		ready := make([]chan struct{}, rooms)
		var readers sync.WaitGroup
		for i := range ready {
			ready[i] = make(chan struct{}, 1)
		}
		for i, c := range clients {
			room := i % rooms
			if err := errors.Join(c.send(text(fmt.Sprintf(`421["join","room%d"]`, room))), c.await(1)); err != nil {
				return result{}, err
			}
			readers.Go(func() {
				for c.await(1) == nil {
					delivered.Add(1)
					if got[room].Add(1)%int64(perRoom) == 0 {
						ready[room] <- struct{}{}
					}
				}
			})
		}
		defer readers.Wait()
		defer closeAll(clients)
		senders := clients[:min(rooms, 4)]
		index := map[*client]int{}
		for i, c := range senders {
			index[c] = i
		}
		payload := strings.Repeat("x", size-len(`42["msg",""]`))
		res, err := load(p, senders, length, func(c *client, count *atomic.Int64) error {
			room := index[c]
			if err := c.send(text(fmt.Sprintf(`42["bcast","room%d","%s"]`, room, payload))); err != nil {
				return err
			}
			select {
			case <-ready[room]:
				count.Add(int64(perRoom))
				return nil
			case <-time.After(20 * time.Second):
				return fmt.Errorf("broadcast to room %d: %d deliveries in all", room, delivered.Load())
			}
		})
		return res, err
	}
}

func joinLeave(conns int) func(*process, bool, time.Duration) (result, error) {
	return func(p *process, raw bool, length time.Duration) (result, error) {
		clients, err := dialMany(p.addr, raw, conns)
		defer closeAll(clients)
		if err != nil {
			return result{}, err
		}
		join, leave := text(`425["join","churn"]`), text(`426["leave","churn"]`)
		return load(p, clients, length, func(c *client, count *atomic.Int64) error {
			err := errors.Join(c.send(join), c.await(1), c.send(leave), c.await(1))
			count.Add(2)
			return err
		})
	}
}

func connect(n int) func(*process, bool, time.Duration) (result, error) {
	return func(p *process, raw bool, _ time.Duration) (result, error) {
		warm, err := dialMany(p.addr, raw, 200)
		closeAll(warm)
		if err != nil {
			return result{}, err
		}
		time.Sleep(200 * time.Millisecond)
		cpu, start := p.cpu(), time.Now()
		clients, err := dialMany(p.addr, raw, n)
		defer closeAll(clients)
		return result{messages: n, cpu: p.cpu() - cpu, wall: time.Since(start)}, err
	}
}

func idle(n int) func(*process, bool, time.Duration) (result, error) {
	return func(p *process, raw bool, _ time.Duration) (result, error) {
		warm, err := dialMany(p.addr, raw, 20)
		closeAll(warm)
		if err != nil {
			return result{}, err
		}
		time.Sleep(500 * time.Millisecond)
		before := p.rss()
		cpu, start := p.cpu(), time.Now()
		clients, err := dialMany(p.addr, raw, n)
		defer closeAll(clients)
		time.Sleep(3 * time.Second)
		return result{messages: n, cpu: p.cpu() - cpu, wall: time.Since(start), bytes: (p.rss() - before) / int64(n)}, err
	}
}
