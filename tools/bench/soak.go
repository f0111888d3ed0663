package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// soakCmd has many clients send numbered messages for a long time.
type soakCmd struct {
	Clients  int           `default:"1000" help:"WebSocket clients. The full run has 10000."`
	Length   time.Duration `default:"30s" help:"How long they send. The full run lasts an hour."`
	Interval time.Duration `default:"1s" help:"Time between two messages of a client."`
}

// soaked is one client's record.
type soaked struct {
	sent, got atomic.Int64
	disorder  atomic.Int64
	mu        sync.Mutex
	at        map[int64]time.Time
	took      []time.Duration
}

func (c *soakCmd) Run() error {
	return underStress([]string{"-load"}, func(p *process) error {
		clients, err := dialMany(p.addr, false, c.Clients)
		defer closeAll(clients)
		if err != nil {
			return err
		}
		records := make([]soaked, len(clients))
		stop := make(chan struct{})
		var senders, readers sync.WaitGroup
		for i, one := range clients {
			r := &records[i]
			r.at = make(map[int64]time.Time)
			readers.Go(func() { r.read(one) })
			senders.Go(func() { r.send(one, c.Interval, time.Duration(i)*c.Interval/time.Duration(len(clients)), stop) })
		}
		time.Sleep(c.Length / 5) // buffers and pools have their size
		first, err := p.state()
		if err != nil {
			return err
		}
		time.Sleep(c.Length - c.Length/5)
		last, err := p.state()
		close(stop)
		senders.Wait()
		sent, got := totals(records)
		for deadline := time.Now().Add(10 * time.Second); got < sent && time.Now().Before(deadline); _, got = totals(records) {
			time.Sleep(10 * time.Millisecond)
		}
		closeAll(clients)
		readers.Wait()
		var disorder int64
		var took []time.Duration
		for i := range records {
			disorder += records[i].disorder.Load()
			took = append(took, records[i].took...)
		}
		fmt.Printf("%d clients, an echo every %v each, for %v:\n", c.Clients, c.Interval, c.Length)
		fmt.Printf("  messages     %d, %d lost, %d out of order\n", sent, sent-got, disorder)
		fmt.Printf("  latency      p50 %v, p99 %v\n", quantile(took, 0.5), quantile(took, 0.99))
		fmt.Printf("  after a fifth of the time   %v\n", first)
		fmt.Printf("  at the end                  %v: %+.1f %% memory, %+d goroutines\n", last, percent(first.rss, last.rss), last.goroutines-first.goroutines)
		if sent != got || disorder > 0 {
			err = errors.Join(err, errors.New("messages were lost or out of order"))
		}
		return err
	})
}

func totals(records []soaked) (sent, got int64) {
	for i := range records {
		sent += records[i].sent.Load()
		got += records[i].got.Load()
	}
	return sent, got
}

func (r *soaked) send(c *client, interval, delay time.Duration, stop <-chan struct{}) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-timer.C:
		}
		timer.Reset(interval)
		n := r.sent.Load()
		r.mu.Lock()
		r.at[n] = time.Now()
		r.mu.Unlock()
		r.sent.Add(1)
		if c.send(text(fmt.Sprintf(`42["echo",%d]`, n))) != nil {
			return
		}
	}
}

func (r *soaked) read(c *client) {
	for {
		msg, err := c.read()
		if err != nil {
			return
		}
		if string(msg) == "2" {
			if c.send(text("3")) != nil {
				return
			}
			continue
		}
		number, ok := bytes.CutPrefix(msg, []byte(`42["echo",`))
		n, err := strconv.ParseInt(string(bytes.TrimSuffix(number, []byte("]"))), 10, 64)
		if !ok || err != nil || n != r.got.Load() {
			r.disorder.Add(1)
		}
		r.got.Add(1)
		r.mu.Lock()
		if at, ok := r.at[n]; ok {
			r.took = append(r.took, time.Since(at))
			delete(r.at, n)
		}
		r.mu.Unlock()
	}
}
