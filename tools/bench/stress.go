package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// underStress builds a server of this project, starts it, and calls f.
func underStress(args []string, f func(p *process) error) error {
	if err := raiseFileLimit(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server := kind{name: "siokit", pkg: "../cmd/refserver", argv: func(bin string) ([]string, []string) {
		return append([]string{bin, "-addr", "127.0.0.1:0", "-quiet"}, args...), nil
	}}
	bin, err := server.build(dir)
	if err != nil {
		return err
	}
	p, err := server.start(bin, "")
	if err != nil {
		return err
	}
	defer p.stop()
	return f(p)
}

// state is what a server looks like from outside.
type state struct {
	goroutines, sessions int
	rss                  int64
}

func (s state) String() string {
	return fmt.Sprintf("%d sessions, %d goroutines, %.1f MiB", s.sessions, s.goroutines, float64(s.rss)/(1<<20))
}

func (p *process) state() (s state, err error) {
	var errs [2]error
	s.goroutines, errs[0] = p.count("goroutines")
	s.sessions, errs[1] = p.count("sessions")
	s.rss = p.rss()
	return s, errors.Join(errs[:]...)
}

// count asks the server for a number. The connection is not kept: it would
// count.
func (p *process) count(what string) (int, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Get("http://" + p.addr + "/debug/" + what)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(body)))
}

// settled waits until the server has no session left, at most for the time
// given, and returns its state then.
func (p *process) settled(patience time.Duration) (state, error) {
	deadline := time.Now().Add(patience)
	for {
		s, err := p.state()
		if err != nil || s.sessions == 0 || time.Now().After(deadline) {
			return s, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// quantile sorts, and returns the latency that a share of them does not exceed.
func quantile(latencies []time.Duration, q float64) time.Duration {
	if len(latencies) == 0 {
		return 0
	}
	slices.Sort(latencies)
	return latencies[min(len(latencies)-1, int(q*float64(len(latencies))))].Round(10 * time.Microsecond)
}

// percent is how much more b is than a.
func percent(a, b int64) float64 { return 100 * float64(b-a) / float64(a) }
