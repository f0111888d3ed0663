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

const (
	// headerTime is how long a client may take to send a request's header.
	headerTime = 10 * time.Second
	// shutdownTime is how long clients may take for what is still to be sent to
	// them.
	shutdownTime = 5 * time.Second
)

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

// run serves until ctx ends, or until it cannot go on.
func run(ctx context.Context, s settings) error {
	fixture, err := newFixture(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop, addr, err := serve(s.addr, fixture, cancel)
	stopProfiles := func(context.Context) error { return nil }
	if err == nil && s.pprof != "" {
		stopProfiles, _, err = serve(s.pprof, profiling(), cancel)
	}
	if err == nil {
		fmt.Printf("refserver: listening on http://%s\n", addr)
		<-ctx.Done()
		if err = context.Cause(ctx); errors.Is(err, context.Canceled) {
			err = nil // as asked
		}
	}

	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer end()
	// Sessions first: http.Server waits for requests that are pending and does
	// not see connections that have become WebSockets.
	return errors.Join(err, fixture.shutdown(ctx), stop(ctx), stopProfiles(ctx))
}

// serve answers requests to addr with h until stop is called, which waits for
// them. If it cannot go on before that, it calls failed.
func serve(addr string, h http.Handler, failed func(error)) (stop func(context.Context) error, at net.Addr, err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return func(context.Context) error { return nil }, nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTime}
	done := make(chan struct{})
	go func() { // ended and awaited by stop
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	}()
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			// Somebody has opened a connection and not sent a whole request; the
			// sessions have said by themselves whether they ended.
			err = server.Close()
		}
		<-done
		return err
	}, listener.Addr(), nil
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
