package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stalledCmd compares broadcasts to a room with and without a member that
// reads nothing.
type stalledCmd struct {
	Clients int           `default:"1000" help:"Members of the room."`
	Rate    int           `default:"10" help:"Broadcasts of 1 KB a second."`
	Length  time.Duration `default:"5s" help:"How long each half lasts."`
}

func (c *stalledCmd) Run() error {
	return underStress([]string{"-load"}, func(p *process) error {
		clients, err := dialMany(p.addr, false, c.Clients)
		defer closeAll(clients)
		if err != nil {
			return err
		}
		var mu sync.Mutex
		var took []time.Duration
		var readers sync.WaitGroup
		for _, one := range clients {
			if err := errors.Join(one.send(text(`421["join","room"]`)), one.await(1)); err != nil {
				return err
			}
			readers.Go(func() { readTimes(one, &mu, &took) })
		}
		defer readers.Wait()
		defer closeAll(clients)
		half := func() (p50, p99 time.Duration, n int) {
			c.broadcast(clients[0])
			time.Sleep(time.Second) // the last of them arrive
			mu.Lock()
			defer mu.Unlock()
			p50, p99, n = quantile(took, 0.5), quantile(took, 0.99), len(took)
			took = nil
			return p50, p99, n
		}
		half() // warm
		p50, p99, n := half()
		stuck, err := dial(p.addr, false)
		if err != nil {
			return err
		}
		defer stuck.Close()
		if err := errors.Join(stuck.send(text(`421["join","room"]`)), stuck.await(1), c.stall(stuck)); err != nil {
			return err
		}
		p50s, p99s, ns := half()
		want := c.Clients * int(c.Length.Seconds()*float64(c.Rate))
		fmt.Printf("%d members of a room, %d broadcasts of 1 KB a second:\n", c.Clients, c.Rate)
		fmt.Printf("  all of them read    p50 %v, p99 %v, %d of %d arrived\n", p50, p99, n, want)
		fmt.Printf("  and one that stalls p50 %v, p99 %v, %d of %d arrived\n", p50s, p99s, ns, want)
		fmt.Printf("  p99 grows by        %v\n", p99s-p99)
		if n != want || ns != want {
			return errors.New("broadcasts were lost")
		}
		return nil
	})
}

// stall fills everything between the server and c: 8 MB of echoes that are
// not read.
func (c *stalledCmd) stall(one *client) error {
	big := text(`42["echo","` + strings.Repeat("x", 900_000) + `"]`)
	for range 9 {
		if err := one.send(big); err != nil {
			return err
		}
	}
	return nil
}

func (c *stalledCmd) broadcast(from *client) {
	n := int(c.Length.Seconds() * float64(c.Rate))
	start := time.Now()
	for i := range n {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(c.Rate))))
		now := time.Now().UnixNano()
		_ = from.send(text(fmt.Sprintf(`42["bcast","room","%d %s"]`, now, strings.Repeat("x", 1000)))) // its reader notices
	}
}

// readTimes notes how old the broadcasts are that arrive.
func readTimes(one *client, mu *sync.Mutex, took *[]time.Duration) {
	for {
		msg, err := one.read()
		if err != nil {
			return
		}
		if string(msg) == "2" {
			if one.send(text("3")) != nil {
				return
			}
			continue
		}
		sent, _, ok := strings.Cut(strings.TrimPrefix(string(msg), `42["msg","`), " ")
		if at, err := strconv.ParseInt(sent, 10, 64); ok && err == nil {
			mu.Lock()
			*took = append(*took, time.Since(time.Unix(0, at)))
			mu.Unlock()
		}
	}
}
