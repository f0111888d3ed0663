package conformance_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// An interrupted run says nothing about the server: nobody died, and nothing conforms.
func TestInterruptIsNoDeath(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	report, err := conformance.Run(ctx, conformance.Handler(h), bare(fake("T-01", spec.Must, func(t *probe.T) { t.Get("/") })))
	if !errors.Is(err, context.Canceled) || report == nil {
		t.Fatal(report, err)
	}
	if v := report.Results[0].Verdict; v != conformance.Skip {
		t.Error(v)
	}
	if code := report.ExitCode(); code != conformance.ExitFailures || !report.Interrupted {
		t.Error(code, report.Interrupted)
	}
}

// Nor does one that ends while the server is asked what it offers.
func TestInterruptOfPreflight(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := conformance.Run(ctx, conformance.Handler(h), conformance.Options{})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "does not offer") {
		t.Error(err)
	}
}

// A run that skipped everything conforms to nothing.
func TestNothingRun(t *testing.T) {
	c := fake("T-01", spec.Must, passes)
	c.Needs = []spec.Feature{spec.FeatRooms}
	if code := run(t, bare(c)).ExitCode(); code != conformance.ExitUsage {
		t.Error(code)
	}
}

func TestNegativeParallel(t *testing.T) {
	opts := bare(fake("T-01", spec.Must, passes))
	opts.Parallel = -1
	if report, err := conformance.Run(t.Context(), conformance.Handler(always(200)), opts); err != nil || report.ExitCode() != conformance.ExitOK {
		t.Error(report, err)
	}
}

// A server that talks another language is told from one that is silent.
func TestServerOfAnotherProtocol(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with l
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, "220 mail.example ESMTP\r\n")
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	_, err = conformance.Run(t.Context(), conformance.URL("http://"+l.Addr().String()), conformance.Options{Cases: []spec.Case{fake("T-01", spec.Must, passes)}})
	if err == nil || strings.Contains(err.Error(), "neither an answer") {
		t.Error(err)
	}
}
