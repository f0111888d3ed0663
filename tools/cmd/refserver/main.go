package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// shutdownTime is how long clients may take for what is still to be sent to
// them.
const shutdownTime = 5 * time.Second

func main() {
	s := parseSettings(flag.CommandLine, os.Args[1:])
	if s.quiet {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "refserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, s settings) error {
	fixture, err := newFixture(s)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return errors.Join(err, fixture.shutdown(ctx))
	}
	servers := []*http.Server{{Handler: fixture, ReadHeaderTimeout: 10 * time.Second}}
	served := make(chan error, 2) // one place for each server, so that none is left behind
	go func() { served <- servers[0].Serve(listener) }()
	if s.pprof != "" {
		profiles := &http.Server{Addr: s.pprof, Handler: profiling(), ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, profiles)
		go func() { served <- profiles.ListenAndServe() }()
	}
	fmt.Printf("refserver: listening on http://%s\n", listener.Addr())

	select {
	case err = <-served:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	// Sessions first: http.Server waits for requests that are pending and does
	// not see connections that have become WebSockets.
	err = errors.Join(err, fixture.shutdown(ctx))
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(ctx))
	}
	return err
}

func profiling() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
