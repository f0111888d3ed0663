package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/siokit/siokit/conformance/internal/match"
	"github.com/siokit/siokit/conformance/wire"
)

// Server tells where the server under test is.
type Server struct {
	// Addr is host and port; TLS is set for https.
	Addr string
	TLS  *tls.Config
	// Host is the Host header; empty means Addr.
	Host string
	// EnginePath and SocketPath take the place of /engine.io/ and /socket.io/
	// where a case names those. Empty means as they are.
	EnginePath, SocketPath string
	// Header is added to every request.
	Header []wire.Field
}

// Timing is how long a case waits. Zero fields have the defaults of [Timing.WithDefaults].
type Timing struct {
	// Patience is the time for an answer that must come.
	Patience time.Duration
	// Quiet is the time in which nothing may come.
	Quiet time.Duration
	// Slack is what a timer of the server may be late by.
	Slack time.Duration
}

// WithDefaults fills the fields that are zero: 3 s, 250 ms, 400 ms.
func (t Timing) WithDefaults() Timing {
	if t.Patience == 0 {
		t.Patience = 3 * time.Second
	}
	if t.Quiet == 0 {
		t.Quiet = 250 * time.Millisecond
	}
	if t.Slack == 0 {
		t.Slack = 400 * time.Millisecond
	}
	return t
}

// Env is what the runner gives to a case.
type Env struct {
	Server   Server
	Timing   Timing
	Features map[string]bool
}

// Failure is why a case failed.
type Failure struct {
	Message string
	// Inconclusive means that the suite could not tell, mostly because it was
	// itself too late; the runner tries again.
	Inconclusive bool
	// Want and Got are shown beside each other when not both empty.
	Want, Got string
}

func (f *Failure) Error() string {
	if f.Want == "" && f.Got == "" {
		return f.Message
	}
	return fmt.Sprintf("%s\n  want: %s\n  got:  %s", f.Message, f.Want, f.Got)
}

// Outcome is how a case ended.
type Outcome struct {
	Failure  *Failure
	Trace    *wire.Trace
	Started  time.Time
	Duration time.Duration
}

// T is one run of one case. Its methods are for the goroutine of the case.
type T struct {
	Timing
	Trace *wire.Trace

	ctx    context.Context
	cancel context.CancelFunc
	env    Env
	dialer *wire.Dialer

	tasks    sync.WaitGroup // readers and background requests; finish waits
	mu       sync.Mutex
	cleanups []func()
}

// abort is what a failed check panics with; Run recovers it.
type abort struct{ failure *Failure }

// Run runs fn against the server and returns when everything it started has
// ended. A panic of fn is a failure too, with its stack.
func Run(ctx context.Context, env Env, fn func(*T)) (out Outcome) {
	ctx, cancel := context.WithCancel(ctx)
	trace := wire.NewTrace()
	t := &T{
		Timing: env.Timing.WithDefaults(),
		Trace:  trace,
		ctx:    ctx,
		cancel: cancel,
		env:    env,
		dialer: &wire.Dialer{Addr: env.Server.Addr, TLS: env.Server.TLS, Host: env.Server.Host, Trace: trace},
	}
	out = Outcome{Trace: trace, Started: time.Now()}
	defer func() {
		if r := recover(); r != nil {
			a, ok := r.(abort)
			if !ok {
				a.failure = &Failure{Message: fmt.Sprintf("the case itself panicked: %v\n%s", r, debug.Stack())}
			}
			out.Failure = a.failure
		}
		out.Duration = time.Since(out.Started)
		t.finish()
	}()
	fn(t)
	return out
}

// finish ends what the case left open, last first, and waits for its goroutines.
func (t *T) finish() {
	t.mu.Lock()
	cleanups := t.cleanups
	t.cleanups = nil
	t.mu.Unlock()
	for i := len(cleanups) - 1; i >= 0; i-- {
		cleanups[i]()
	}
	t.cancel()
	t.tasks.Wait()
}

// Cleanup registers what is called when the case is over, last first.
func (t *T) Cleanup(fn func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, fn)
}

// Has reports whether the server offers a feature.
func (t *T) Has(feature string) bool { return t.env.Features[feature] }

// Server returns where the server under test is.
func (t *T) Server() Server { return t.env.Server }

// Context ends when the case does.
func (t *T) Context() context.Context { return t.ctx }

// Fail ends the case.
func (t *T) Fail(f *Failure) { panic(abort{f}) }

// Failf ends the case with a message.
func (t *T) Failf(format string, args ...any) {
	t.Fail(&Failure{Message: fmt.Sprintf(format, args...)})
}

// Unclear ends the case without a verdict: what it needed to see did not come
// about, mostly because the suite was too late. The runner tries again.
func (t *T) Unclear(format string, args ...any) {
	t.Fail(&Failure{Message: fmt.Sprintf(format, args...), Inconclusive: true})
}

// Check ends the case unless ok.
func (t *T) Check(ok bool, format string, args ...any) {
	if !ok {
		t.Failf(format, args...)
	}
}

// Equal ends the case unless got is want.
func Equal[V comparable](t *T, what string, want, got V) {
	if want != got {
		t.Fail(&Failure{Message: what, Want: fmt.Sprint(want), Got: fmt.Sprint(got)})
	}
}

// Match ends the case unless the packet got looks like want.
func (t *T) Match(what, want, got string) match.Captures {
	caps, err := match.Packet(want, got)
	if err != nil {
		t.Fail(&Failure{Message: what + ": " + err.Error(), Want: show(want), Got: show(got)})
	}
	return caps
}

// OneOf ends the case unless got looks like one of the packets; it returns
// which.
func (t *T) OneOf(what, got string, want ...string) int {
	for i, w := range want {
		if _, err := match.Packet(w, got); err == nil {
			return i
		}
	}
	shown := make([]string, len(want))
	for i, w := range want {
		shown[i] = show(w)
	}
	t.Fail(&Failure{Message: what, Want: strings.Join(shown, "  or  "), Got: show(got)})
	return -1
}

// Note writes a remark into the trace.
func (t *T) Note(format string, args ...any) { t.Trace.Note("case", format, args...) }

// Wait lets time pass; it ends early when the case is cancelled. Use it only
// where time itself is what is tested.
func (t *T) Wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.ctx.Done():
		t.Failf("the case was cancelled: %v", context.Cause(t.ctx))
	}
}

// Between checks that something happened d after the server began to count,
// which it did between earliest and latest: not sooner, and at most Slack later.
// One that stood still may count from an earlier moment (Node's timers begin with
// the turn of its loop) or be late: whether it always is, the runner finds out.
func (t *T) Between(what string, d time.Duration, earliest, latest, at time.Time) {
	if soonest := at.Sub(earliest); soonest < d-time.Millisecond {
		t.Fail(&Failure{Message: what + " came too early", Want: fmt.Sprintf("after %v", d), Got: fmt.Sprintf("after %v at most", soonest.Round(time.Millisecond)), Inconclusive: true})
	}
	if passed := at.Sub(latest); passed > d+t.Slack {
		t.Fail(&Failure{Message: what + " came too late", Want: fmt.Sprintf("after %v", d), Got: fmt.Sprintf("after %v at least", passed.Round(time.Millisecond)), Inconclusive: true})
	}
}

// deadline is when patience ends.
func (t *T) deadline() time.Time { return time.Now().Add(t.Patience) }

func show(s string) string { return wire.Printable([]byte(s), len(s)) }
