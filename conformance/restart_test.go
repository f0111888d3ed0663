package conformance

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

type mortal struct {
	addr string
	dead atomic.Bool
}

func (m *mortal) Start(context.Context) (probe.Server, error) { return probe.Server{Addr: m.addr}, nil }
func (m *mortal) Stop() error                                 { return nil }
func (m *mortal) Name() string                                { return "mortal" }
func (m *mortal) died(time.Duration) string {
	if m.dead.Load() {
		return "it died"
	}
	return ""
}
func (m *mortal) restart(ctx context.Context) (probe.Server, error) {
	m.dead.Store(false)
	return m.Start(ctx)
}

// A server without an Engine.IO path of its own is asked at its Socket.IO path, also
// after it was started again.
func TestPathAfterRestart(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/socket.io/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		_, _ = w.Write([]byte(`0{"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	}))
	defer srv.Close()
	m := &mortal{addr: srv.Listener.Addr().String()}
	mk := func(id string, run func(*probe.T)) spec.Case {
		return spec.Case{ID: id, Title: id, Requirement: id, Source: "test", Level: spec.Must, Profiles: []spec.Profile{spec.Engine}, Run: run, Alone: true}
	}
	asks := func(t *probe.T) { t.Get("/engine.io/?EIO=4&transport=polling").Status(200) }
	rep, err := Run(t.Context(), m, Options{Bare: true, Cases: []spec.Case{
		mk("T-01", asks), mk("T-02", func(*probe.T) { m.dead.Store(true) }), mk("T-03", asks),
	}, Timing: probe.Timing{Patience: time.Second, Quiet: 50 * time.Millisecond, Slack: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Verdict{Pass, Died, Pass} {
		if got := rep.Results[i].Verdict; got != want {
			t.Errorf("%s: %s, want %s", rep.Results[i].Case.ID, got, want)
		}
	}
}
