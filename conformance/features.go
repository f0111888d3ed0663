package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siokit/siokit/conformance/chapters"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// FoundFeature is a feature of the server under test and how it is known.
type FoundFeature struct {
	Feature spec.Feature
	// By is "declared" (by an option), "announced" (by the event features) or
	// "found" (by trying).
	By string
}

// announceTime is how long a server has to announce its features; one that
// does not is tried feature by feature.
const announceTime = 300 * time.Millisecond

// probeTime bounds each wait of the search for features: a first verdict on an
// unknown server should not take long.
const probeTime = 1500 * time.Millisecond

// preflight finds out what the server offers. Without the contract's basis it
// fails with [ErrNoFixture], unless the run is bare.
func (r *runner) preflight(ctx context.Context) error {
	if !r.reachable(ctx) {
		return fmt.Errorf("conformance: nothing listens on %s", r.env.Server.Addr)
	}
	found := map[spec.Feature]string{}
	if r.opts.Features != nil {
		// Who declares what the server offers answers for it.
		for _, f := range r.opts.Features {
			found[f] = "declared"
		}
		r.note(found)
		r.measureHeartbeat(ctx)
		return nil
	}
	if err := r.warmUp(ctx); err != nil {
		return err
	}
	failures := r.try(ctx, chapters.Basis, found)
	if found[spec.FeatHandshake] == "" && (r.opts.Bare || found[spec.FeatMirror] != "") {
		// A server without an Engine.IO path of its own: its Socket.IO endpoint
		// serves for everything that needs no echo.
		r.env.Server.EnginePath = r.socketPath()
		failures = r.try(ctx, chapters.Basis, found)
		delete(found, spec.FeatEcho)
	}
	if err := r.basis(found, failures); err != nil {
		return err
	}
	if found[spec.FeatMirror] != "" || found[spec.FeatSockets] != "" {
		announced := r.announced(ctx)
		for _, f := range announced {
			if lacking, ok := strings.CutPrefix(string(f), "-"); ok {
				r.lacking = append(r.lacking, spec.Feature(lacking))
			} else {
				found[f] = "announced"
			}
		}
		left := chapters.Extras
		if announced != nil {
			left = slices.DeleteFunc(slices.Clone(left), func(e chapters.Extra) bool { return !e.Unannounced })
		}
		r.try(ctx, left, found)
	} else {
		r.try(ctx, chapters.Extras, found)
	}
	r.note(found)
	r.measureHeartbeat(ctx)
	return nil
}

// warmUp waits for the first answer, whatever it is: a virtual machine may have
// to load its classes for it. Who has none by then has none for other requests
// either, and is not asked them.
func (r *runner) warmUp(ctx context.Context) error {
	env := r.env
	env.Timing.Patience += env.Timing.Patience / 2
	silent := false
	out := probe.Run(ctx, env, func(t *probe.T) {
		pending := t.Start(wire.Request{Target: "/socket.io/?EIO=4&transport=polling"})
		silent = true
		pending.AnswerOrEnd()
		silent = false
	})
	if silent {
		return fmt.Errorf("%w: %s accepts connections but does not speak HTTP on them: %w", ErrNoFixture, r.env.Server.Addr, out.Failure)
	}
	return nil
}

// note keeps what was found, for the cases and for the report.
func (r *runner) note(found map[spec.Feature]string) {
	for f, with := range spec.Implied {
		if found[f] == "" && !slices.Contains(r.lacking, f) {
			found[f] = found[with]
		}
	}
	r.env.Features = map[string]bool{}
	for _, f := range spec.Features {
		if by := found[f]; by != "" {
			r.env.Features[string(f)] = true
			r.report.Features = append(r.report.Features, FoundFeature{f, by})
		}
	}
}

// try runs the probes side by side and notes the features whose probe succeeds.
func (r *runner) try(ctx context.Context, probes []chapters.Extra, found map[spec.Feature]string) map[spec.Feature]*probe.Failure {
	failures := map[spec.Feature]*probe.Failure{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, p := range probes {
		wg.Go(func() { // bounded by the patience of the probe; wg waits
			env := r.env
			env.Timing.Patience = min(env.Timing.Patience, probeTime)
			out := probe.Run(ctx, env, p.Probe)
			if out.Failure != nil { // a server that has just been started may be slow
				out = probe.Run(ctx, env, p.Probe)
			}
			mu.Lock()
			defer mu.Unlock()
			if out.Failure == nil {
				found[p.Feature] = "found"
			} else {
				failures[p.Feature] = out.Failure
			}
		})
	}
	wg.Wait()
	return failures
}

func (r *runner) socketPath() string { return cmpOr(r.env.Server.SocketPath, "/socket.io/") }

// basis decides whether the server offers enough of the contract to be tested.
func (r *runner) basis(found map[spec.Feature]string, failures map[spec.Feature]*probe.Failure) error {
	var wanted []spec.Feature
	if r.opts.Bare {
		wanted = []spec.Feature{spec.FeatHandshake}
	} else {
		wanted = []spec.Feature{spec.FeatHandshake, spec.FeatSockets, spec.FeatMirror}
		if r.env.Server.EnginePath != r.socketPath() {
			wanted = append(wanted, spec.FeatEcho)
		}
	}
	var problems []error
	for _, f := range wanted {
		if found[f] == "" {
			problems = append(problems, fmt.Errorf("%s: %w", chapters.Describe(f), failures[f]))
		}
	}
	if problems == nil {
		return nil
	}
	hint := "The suite talks to a small program on the server, an echo and a few events: fixtures/CONTRACT.md describes it, SERVERS.md has one for many servers."
	if !r.opts.Bare {
		hint += " Of an application without it a bare run (--bare) checks what needs none: the handshake and what is refused."
	}
	return fmt.Errorf("%w:\n%w\n%s", ErrNoFixture, errors.Join(problems...), hint)
}

// announced asks the server for its features; nil means that it did not answer.
func (r *runner) announced(ctx context.Context) []spec.Feature {
	var list []spec.Feature
	probe.Run(ctx, r.env, func(t *probe.T) {
		s := t.Join()
		s.Send(`420["features"]`)
		f := s.Take(announceTime)
		if f == nil || !strings.HasPrefix(f.Text, "430[") {
			return
		}
		var reply [][]spec.Feature
		if json.Unmarshal([]byte(f.Text[3:]), &reply) != nil || len(reply) != 1 {
			return
		}
		for _, name := range reply[0] {
			if slices.Contains(spec.Features, spec.Feature(strings.TrimPrefix(string(name), "-"))) {
				list = append(list, name)
			}
		}
		if list == nil {
			list = []spec.Feature{} // it announced that it has none
		}
	})
	return list
}

// measureHeartbeat notes after which silence the Socket.IO server forgets a client.
func (r *runner) measureHeartbeat(ctx context.Context) {
	probe.Run(ctx, r.env, func(t *probe.T) {
		if t.Has(string(spec.FeatSockets)) {
			r.heartbeat = t.SocketIO().Heartbeat()
		}
	})
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
