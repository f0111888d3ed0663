package conformance_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// hasty waits no longer than needed to see that nothing comes.
var hasty = probe.Timing{Patience: 150 * time.Millisecond, Quiet: 50 * time.Millisecond, Slack: 50 * time.Millisecond}

func TestAServerWithoutTheContractIsNotTested(t *testing.T) {
	targets := map[string]conformance.Target{
		"plain web server": conformance.Handler(http.NotFoundHandler()),
		"always 400":       conformance.Handler(always(400)),
		"always 200":       conformance.Handler(always(200)),
		"hangs up":         hangsUp(t),
	}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			report, err := conformance.Run(t.Context(), target, conformance.Options{Timing: hasty})
			if !errors.Is(err, conformance.ErrNoFixture) {
				t.Fatalf("report %v, error %v; want ErrNoFixture", report, err)
			}
			for _, words := range []string{"no Engine.IO handshake", "no Socket.IO server"} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error does not say %q: %v", words, err)
				}
			}
		})
	}
}

// A server that never says anything is not waited for time and again.
func TestABlackHoleIsNotTested(t *testing.T) {
	for _, bare := range []bool{false, true} {
		patient := hasty
		patient.Patience = time.Second
		start := time.Now()
		report, err := conformance.Run(t.Context(), blackHole(t), conformance.Options{Timing: patient, Bare: bare})
		if !errors.Is(err, conformance.ErrNoFixture) || !strings.Contains(err.Error(), "does not speak HTTP") {
			t.Errorf("bare %v: report %v, error %v; want ErrNoFixture", bare, report, err)
		}
		if took := time.Since(start); took > 3*patient.Patience {
			t.Errorf("bare %v: the first verdict took %v", bare, took)
		}
	}
}

func TestADeadPortIsNotTested(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	report, err := conformance.Run(t.Context(), conformance.URL("http://"+l.Addr().String()), conformance.Options{})
	if err == nil || !strings.Contains(err.Error(), "nothing listens") {
		t.Fatalf("report %v, error %v; want one that says that nothing listens", report, err)
	}
}

// Even when the preflight is left out, because the features are declared,
// servers that are no Engine.IO servers pass nothing.
func TestNothingPassesWithoutAServer(t *testing.T) {
	targets := map[string]conformance.Target{
		"plain web server": conformance.Handler(http.NotFoundHandler()),
		"always 400":       conformance.Handler(always(400)),
		"always 200":       conformance.Handler(always(200)),
		"always code 0":    conformance.Handler(errorAnswer(400, `{"code":0,"message":"Transport unknown"}`)),
		"always code 1":    conformance.Handler(errorAnswer(400, `{"code":1,"message":"Session ID unknown"}`)),
		"always code 3":    conformance.Handler(errorAnswer(400, `{"code":3,"message":"Bad request"}`)),
		"black hole":       blackHole(t),
		"hangs up":         hangsUp(t),
	}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			report, err := conformance.Run(t.Context(), target, conformance.Options{
				Profiles: spec.Profiles, Quirks: true, Features: spec.Features, Timing: hasty, Parallel: 64,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, res := range report.Results {
				if res.Verdict == conformance.Pass || res.Verdict == conformance.Skip {
					t.Errorf("%s (%s): %s", res.Case.ID, res.Case.Title, res.Verdict)
				}
			}
		})
	}
}

func always(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
}

func errorAnswer(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// blackHole accepts connections, reads, and never says anything.
func blackHole(t *testing.T) conformance.Target {
	return listener(t, func(c net.Conn) { io.Copy(io.Discard, c) })
}

// hangsUp closes every connection at once.
func hangsUp(t *testing.T) conformance.Target {
	return listener(t, func(net.Conn) {})
}

func listener(t *testing.T, serve func(net.Conn)) conformance.Target {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // ends when the listener is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { // ends with the connection, which the suite closes
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return conformance.URL("http://" + l.Addr().String())
}
