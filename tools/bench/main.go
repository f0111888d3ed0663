package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// commands are the command line.
type commands struct {
	Compare options    `cmd:"" default:"withargs" help:"Cost of a message beside a bare gorilla/websocket server. The default."`
	Idle    idleCmd    `cmd:"" help:"Sessions that do nothing but answer heartbeats."`
	Soak    soakCmd    `cmd:"" help:"Many clients that send numbered messages for a long time."`
	Churn   churnCmd   `cmd:"" help:"Clients that come and go, some by a reset."`
	Stalled stalledCmd `cmd:"" help:"Broadcasts beside a member that does not read."`
	Network networkCmd `cmd:"" help:"Bad networks, with recovery of sessions."`
}

type options struct {
	Servers []string      `default:"raw,siokit" help:"Servers to measure: raw, siokit, node. The first is the yardstick."`
	Cases   string        `default:"." help:"Regular expression of the cases to run."`
	Reps    int           `default:"3" help:"Repetitions; the table shows medians."`
	Profile string        `placeholder:"DIR" type:"path" help:"Write CPU profiles of servers of this project to DIR."`
	Length  time.Duration `default:"2s" help:"How long one run of a case measures."`
}

func main() {
	var c commands
	k := kong.Parse(&c, kong.Name("bench"), kong.Description("What server processes cost, and what they stand."))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Run compares.
func (o *options) Run() error { return run(*o) }

func run(o options) error {
	pattern, err := regexp.Compile(o.Cases)
	if err != nil {
		return err
	}
	if err := raiseFileLimit(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var servers []kind
	bins := map[string]string{}
	for _, name := range o.Servers {
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
		if i < 0 {
			return fmt.Errorf("unknown server %q", name)
		}
		if bins[name], err = kinds[i].build(dir); err != nil {
			return err
		}
		servers = append(servers, kinds[i])
	}
	fmt.Printf("%s, %s, %d cores, %d repetitions, %s each, medians\n\n", runtime.Version(), time.Now().Format(time.DateOnly), runtime.NumCPU(), o.Reps, o.Length)
	header(servers)
	for _, c := range cases {
		if !pattern.MatchString(c.name) {
			continue
		}
		results := map[string][]result{}
		for range o.Reps {
			for _, k := range servers {
				res, err := once(k, bins[k.name], c, o)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", c.name, k.name, err)
				}
				results[k.name] = append(results[k.name], res)
			}
		}
		row(c, servers, results)
	}
	return nil
}

// once runs a case against a fresh process.
func once(k kind, bin string, c benchCase, o options) (result, error) {
	addr := ""
	if o.Profile != "" && k.pprof != "" {
		addr = freeAddr()
	}
	p, err := k.start(bin, addr)
	if err != nil {
		return result{}, err
	}
	defer p.stop()
	if addr != "" {
		done := make(chan error, 1)
		go func() { done <- saveProfile(addr, filepath.Join(o.Profile, c.name+".pprof"), o.Length) }()
		defer func() {
			if err := <-done; err != nil {
				fmt.Fprintln(os.Stderr, "bench: profile:", err)
			}
		}()
	}
	return c.run(p, k.raw, o.Length)
}

func header(servers []kind) {
	fmt.Print("| case |")
	for _, k := range servers {
		fmt.Printf(" %s: cost | messages/s |", k.name)
	}
	for _, k := range servers[1:] {
		fmt.Printf(" %s / %s |", k.name, servers[0].name)
	}
	fmt.Print(" target |\n|---|")
	fmt.Println(strings.Repeat("--:|", 3*len(servers)))
}

func row(c benchCase, servers []kind, results map[string][]result) {
	fmt.Printf("| %s |", c.name)
	for _, k := range servers {
		m := median(results[k.name], result.cost)
		unit := "%.2f µs"
		if results[k.name][0].bytes > 0 {
			unit = "%.1f KiB"
			m = m / 1024 * 1000
		}
		rate := median(results[k.name], func(r result) float64 { return float64(r.messages) / r.wall.Seconds() })
		fmt.Printf(" "+unit+" | %.0f |", m/1000, rate)
	}
	base := median(results[servers[0].name], result.cost)
	for _, k := range servers[1:] {
		fmt.Printf(" %.2f |", median(results[k.name], result.cost)/base)
	}
	fmt.Printf(" %.2f |\n", c.target)
}

func median(results []result, f func(result) float64) float64 {
	values := make([]float64, len(results))
	for i, r := range results {
		values[i] = f(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// raiseFileLimit allows as many open files as the system lets this process
// have; the largest case opens 10,000 connections.
func raiseFileLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
