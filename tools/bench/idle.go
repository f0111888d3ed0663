package main

import (
	"fmt"
	"sync"
	"time"
)

// idleCmd measures sessions that do nothing but answer heartbeats.
type idleCmd struct {
	Clients int           `default:"10000" help:"WebSocket clients, each with one namespace."`
	Length  time.Duration `default:"60s" help:"How long they are idle; the server pings every 25 s."`
}

func (c *idleCmd) Run() error {
	return underStress([]string{"-load"}, func(p *process) error {
		warm, err := dialMany(p.addr, false, 20)
		closeAll(warm)
		if err != nil {
			return err
		}
		before, err := p.settled(10 * time.Second)
		if err != nil {
			return err
		}
		clients, err := dialMany(p.addr, false, c.Clients)
		defer closeAll(clients)
		if err != nil {
			return err
		}
		var readers sync.WaitGroup
		for _, one := range clients {
			readers.Go(func() { _ = one.await(1) }) // answers pings, until the connection is closed
		}
		cpu, start := p.cpu(), time.Now()
		time.Sleep(c.Length)
		cpu, length := p.cpu()-cpu, time.Since(start)
		after, err := p.state()
		if err != nil {
			return err
		}
		n := float64(c.Clients)
		fmt.Printf("%d idle WebSocket sessions, one namespace each, heartbeats every 25 s, for %v:\n", c.Clients, length.Round(time.Second))
		fmt.Printf("  alive                  %d\n", after.sessions)
		fmt.Printf("  goroutines a session   %.3f\n", float64(after.goroutines-before.goroutines)/n)
		fmt.Printf("  memory a session       %.1f KiB resident\n", float64(after.rss-before.rss)/n/1024)
		fmt.Printf("  CPU                    %.2f %% of one core\n", 100*cpu.Seconds()/length.Seconds())
		closeAll(clients)
		readers.Wait()
		end, err := p.settled(30 * time.Second)
		fmt.Printf("  after they left        %v\n", end)
		return err
	})
}
