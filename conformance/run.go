package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/siokit/siokit/conformance/chapters"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// Options says what to run and how. The zero value runs every MUST and REF case
// that the server has the features for.
type Options struct {
	// Patterns chooses cases: ids, beginnings of ids (E-HS), patterns (E-*-01)
	// or profiles. Empty means all.
	Patterns []string
	// Profiles chooses cases by profile. Empty means all but robustness.
	Profiles []spec.Profile
	// Quirks runs the QUIRK cases too; they never make a run fail.
	Quirks bool
	// Strict makes a skip and a failing REF case a failure.
	Strict bool
	// Bare runs against a server without the fixture: only what needs no
	// fixture is run, the rest is skipped.
	Bare bool
	// Features declares what the server offers; nil means that it is asked.
	Features []spec.Feature
	// KnownFailing and KnownFlaky list cases by id or pattern. They run all the
	// same: a listed failure does not count, an unexpected pass does.
	KnownFailing, KnownFlaky []string
	// Repeat runs every case so many times; zero means once.
	Repeat int
	// Parallel is how many cases run at once; zero means 16.
	Parallel int
	// Timing is how long cases wait; see [probe.Timing].
	Timing probe.Timing
	// Retries is how often a case is tried again that could not tell, or that
	// failed while this process was starved of time; zero means 4, negative none.
	Retries int
	// CaseTimeout bounds one case; zero means 30 seconds.
	CaseTimeout time.Duration
	// Begin, when set, is called when it is known what the server offers, with the
	// number of cases that will be run and skipped: the first verdict.
	Begin func(features []FoundFeature, run, skipped int)
	// Progress, when set, is called after each case, never twice at once.
	Progress func(done, all int, r Result)
	// Cases replaces the suite's own cases; nil means [Cases].
	Cases []spec.Case
}

// Cases returns all cases of the suite, in the order of their chapters.
func Cases() []spec.Case { return chapters.All() }

// ErrNoFixture means that the server does not answer as the contract asks, so
// that no verdict would mean anything.
var ErrNoFixture = errors.New("conformance: the server does not offer the contract")

// Run runs the suite. The error is not about the server's conformance: it tells
// that nothing could be run (a wrong option, an unreachable server,
// [ErrNoFixture]).
func Run(ctx context.Context, target Target, opts Options) (*Report, error) {
	cases := opts.Cases
	if cases == nil {
		cases = Cases()
	}
	if err := spec.Validate(cases); err != nil {
		return nil, err
	}
	chosen, err := Choose(cases, opts)
	if err != nil {
		return nil, err
	}
	server, err := target.Start(ctx)
	if err != nil {
		target.Stop()
		return nil, err
	}
	defer target.Stop()

	r := &runner{
		target: target,
		opts:   opts,
		env:    probe.Env{Server: server, Timing: opts.Timing.WithDefaults()},
		report: &Report{Target: target.Name(), Started: time.Now(), Options: opts},
		clock:  startClock(),
	}
	defer r.clock.stop()
	if err := r.preflight(ctx); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("conformance: interrupted: %w", context.Cause(ctx)) // it says nothing about the server
		}
		return nil, err
	}
	r.run(ctx, chosen)
	r.report.Duration = time.Since(r.report.Started)
	r.report.Stale = r.stale(chosen)
	r.report.Interrupted = ctx.Err() != nil
	return r.report, context.Cause(ctx)
}

// runner is one run of the suite.
type runner struct {
	target Target
	opts   Options
	env    probe.Env
	report *Report

	// lacking lists what the server has announced to lack.
	lacking []spec.Feature

	// heartbeat is the longest silence after which the server under test has
	// forgotten a client that left without a word.
	heartbeat time.Duration

	clock *clock

	mu   sync.Mutex // guards done and gone
	done int
	gone string // why nothing can be run any more
}

func (r *runner) run(ctx context.Context, cases []spec.Case) {
	results := make([]Result, len(cases))
	var together, alone []int
	for i, c := range cases {
		results[i] = Result{Case: c}
		if missing := r.missing(c); missing != "" {
			results[i].Verdict, results[i].Reason = Skip, "the server does not offer "+missing
			r.finish(&results[i], len(cases))
			continue
		}
		if c.Alone {
			alone = append(alone, i)
		} else {
			together = append(together, i)
		}
	}
	if n := len(alone) + len(together); r.opts.Begin != nil {
		r.opts.Begin(r.report.Features, n, len(cases)-n)
	}
	r.parallel(ctx, results, together)
	for n, i := range alone {
		r.settle(ctx, n == 0)
		r.single(ctx, &results[i], len(cases))
	}
	r.report.Results = results
}

// parallel runs cases side by side. When the server dies, those that were
// running are run once more one by one, to see which of them it was.
func (r *runner) parallel(ctx context.Context, results []Result, indexes []int) {
	workers := r.opts.Parallel
	if workers <= 0 {
		workers = 16
	}
	for len(indexes) > 0 {
		queue := make(chan int)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var suspects []int
		for range workers {
			wg.Go(func() { // ends when the queue is closed; wg waits
				for i := range queue {
					r.attempt(ctx, &results[i])
					if r.death(ctx, &results[i]) == "" {
						r.finish(&results[i], len(results))
						continue
					}
					mu.Lock()
					suspects = append(suspects, i)
					mu.Unlock()
				}
			})
		}
		dead := func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(suspects) > 0
		}
		for len(indexes) > 0 && !dead() {
			queue <- indexes[0]
			indexes = indexes[1:]
		}
		close(queue)
		wg.Wait()
		if len(suspects) > 0 {
			r.convict(ctx, results, suspects)
		}
	}
}

// convict runs the cases during which the server died one by one.
func (r *runner) convict(ctx context.Context, results []Result, suspects []int) {
	how := r.death(ctx, &results[suspects[0]])
	r.restart(ctx)
	guilty := false
	for _, i := range suspects {
		first := results[i]
		results[i] = Result{Case: first.Case}
		if r.lost() != "" {
			results[i] = first
			results[i].Verdict, results[i].Counts, results[i].Reason = Died, true, how
			r.finish(&results[i], len(results))
			guilty = true
			continue
		}
		r.single(ctx, &results[i], len(results))
		guilty = guilty || results[i].Verdict == Died
	}
	if !guilty {
		r.report.Unexplained = append(r.report.Unexplained, how)
	}
}

// single runs one case while no other runs.
func (r *runner) single(ctx context.Context, res *Result, all int) {
	r.attempt(ctx, res)
	if how := r.death(ctx, res); how != "" {
		res.Verdict, res.Counts, res.Reason = Died, true, how
		r.restart(ctx)
	}
	r.finish(res, all)
}

// attempt runs one case as often as the options ask, until it fails.
func (r *runner) attempt(ctx context.Context, res *Result) {
	if reason := r.lost(); reason != "" {
		res.Verdict, res.Reason = Skip, reason
		return
	}
	for range max(1, r.opts.Repeat) {
		out, retries := r.once(ctx, res.Case)
		if out.Failure != nil && ctx.Err() != nil {
			res.Verdict, res.Reason = Skip, "the run was interrupted"
			return
		}
		res.Retries += retries
		if res.Started.IsZero() {
			res.Started = out.Started
		}
		res.Duration += out.Duration
		if out.Failure == nil {
			res.Passed++
			if res.Failure == nil {
				res.Trace = out.Trace
			}
			continue
		}
		res.Failed++
		if res.Failure == nil {
			res.Failure, res.Trace = out.Failure, out.Trace
		}
	}
	r.judge(res)
}

// once runs a case; again when it could not tell, or when it failed while this
// process was starved of time, which with heartbeats of a few hundred
// milliseconds says nothing about the server.
func (r *runner) once(ctx context.Context, c spec.Case) (out probe.Outcome, retries int) {
	limit := r.opts.CaseTimeout
	if limit == 0 {
		limit = 30 * time.Second
	}
	most := r.opts.Retries
	if most == 0 {
		most = 4
	}
	for {
		caseCtx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the case took longer than %v", limit))
		out = probe.Run(caseCtx, r.env, c.Run)
		cancel()
		if out.Failure == nil || retries >= most || ctx.Err() != nil {
			return out, retries
		}
		if starved := r.clock.lateness(out.Started) > starvation; !starved && !out.Failure.Inconclusive {
			return out, retries
		}
		retries++
		r.clock.calm(ctx)
	}
}

// judge turns passes and failures into a verdict.
func (r *runner) judge(res *Result) {
	failing := listed(r.opts.KnownFailing, res.Case)
	flaky := listed(r.opts.KnownFlaky, res.Case)
	switch {
	case res.Failed == 0 && failing && !flaky:
		res.Verdict, res.Counts = UnexpectedPass, true
		res.Reason = "listed as failing, but it passed: take it off the list"
	case res.Failed == 0:
		res.Verdict = Pass
	case failing:
		res.Verdict = KnownFailing
	case flaky:
		res.Verdict = KnownFlaky
	case res.Case.Level == spec.Quirk:
		res.Verdict = Differs
	default:
		res.Verdict = Fail
		res.Counts = res.Case.Level != spec.Ref || r.opts.Strict
	}
}

func listed(list []string, c spec.Case) bool {
	for _, p := range list {
		if matchID(p, c) {
			return true
		}
	}
	return false
}

// stale returns the entries of the known lists that match no case of the run.
func (r *runner) stale(cases []spec.Case) []string {
	var stale []string
	for _, p := range append(append([]string(nil), r.opts.KnownFailing...), r.opts.KnownFlaky...) {
		used := false
		for _, c := range cases {
			used = used || matchID(p, c)
		}
		if !used {
			stale = append(stale, p)
		}
	}
	return stale
}

func (r *runner) finish(res *Result, all int) {
	if res.Verdict == Skip && r.opts.Strict {
		res.Counts = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.opts.Progress != nil {
		r.opts.Progress(r.done, all, *res)
	}
}

// missing names the first feature that a case needs and the server lacks.
func (r *runner) missing(c spec.Case) string {
	for _, f := range c.Needs {
		if !r.env.Features[string(f)] {
			return string(f)
		}
	}
	return ""
}

// settle waits until the server has forgotten the clients of earlier cases, so
// that they do not take part in broadcasts: those of the cases that ran side by
// side may have left without a word.
func (r *runner) settle(ctx context.Context, first bool) {
	d := r.env.Timing.Quiet
	if first {
		d = min(r.heartbeat, 3*time.Second) + r.env.Timing.Slack
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
