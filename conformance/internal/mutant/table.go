package mutant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/internal/nodefixture"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// hurried is how long the cases wait: a mutant that swallows answers costs its
// cases their patience.
var hurried = probe.Timing{Patience: 1500 * time.Millisecond, Quiet: 200 * time.Millisecond}

// Features is what the Node fixture offers: a mutant is not asked, as it might
// not tell the truth.
var Features = []spec.Feature{
	spec.FeatHandshake, spec.FeatPolling, spec.FeatWebSocket, spec.FeatUpgrade, spec.FeatEcho, spec.FeatSockets,
	spec.FeatMirror, spec.FeatCustom, spec.FeatLimits, spec.FeatLongPing, spec.FeatOptions, spec.FeatCommands,
	spec.FeatEvents, spec.FeatRooms, spec.FeatNsps, spec.FeatRecovery, spec.FeatMsgpack, spec.FeatEIO3,
}

// Server is the Node fixture that the mutants stand before.
type Server struct {
	root   string // of the module
	target conformance.Target
	addr   string
}

// StartServer starts the fixture without a fault; root is the path of the
// conformance module.
func StartServer(ctx context.Context, root string) (*Server, error) {
	target, err := nodefixture.Target(root)
	if err != nil {
		return nil, err
	}
	where, err := target.Start(ctx)
	if err != nil {
		return nil, err
	}
	return &Server{root, target, where.Addr}, nil
}

// Stop ends the fixture.
func (s *Server) Stop() error { return s.target.Stop() }

// Killers runs cases against a mutant and returns the ids of those that fail.
// retries is that of [conformance.Options].
func (s *Server) Killers(ctx context.Context, m Mutant, cases []spec.Case, parallel, retries int) ([]string, error) {
	var target conformance.Target
	if m.Patch != "" {
		var err error
		if target, err = nodefixture.Target(s.root, "MUTANT="+m.Patch); err != nil {
			return nil, err
		}
	} else {
		proxy, err := Start(ctx, m, s.addr)
		if err != nil {
			return nil, err
		}
		defer proxy.Close()
		target = conformance.URL(proxy.URL())
	}
	report, err := conformance.Run(ctx, target, conformance.Options{Cases: cases, Features: Features, Timing: hurried, Parallel: parallel, Retries: retries})
	if err != nil {
		return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
	}
	var killers []string
	for _, res := range report.Results {
		if res.Verdict == conformance.Fail || res.Verdict == conformance.Died {
			killers = append(killers, res.Case.ID)
		}
	}
	return killers, nil
}

// Aimed returns the MUST and REF cases that a mutant is run with.
func Aimed(m Mutant) []spec.Case {
	cases, err := conformance.Choose(conformance.Cases(), conformance.Options{Patterns: m.Cases})
	if err != nil {
		panic(err) // the mutants' own list is wrong
	}
	return cases
}

// Binding returns the cases that have to kill a mutant each.
func Binding() []spec.Case {
	return slices.DeleteFunc(conformance.Cases(), func(c spec.Case) bool { return c.Level != spec.Must && c.Level != spec.Ref })
}

// Table maps each mutant's name to the ids of the cases that kill it.
type Table map[string][]string

// Markdown writes the table for people.
func (t Table) Markdown(mutants []Mutant) string {
	var b strings.Builder
	b.WriteString("# Which case notices which fault\n\nEach row is a server with one deliberate fault, and the MUST and REF cases of its chapters that fail on it.\nThe reference without a fault passes all of them. Written by `go test ./internal/mutant -run TestKillTable -update`.\n\n| mutant | fault | killed by |\n| --- | --- | --- |\n")
	for _, m := range mutants {
		killers := t[m.Name]
		shown := strings.Join(killers[:min(len(killers), 12)], " ")
		if len(killers) > 12 {
			shown += fmt.Sprintf(" … %d in all", len(killers))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Name, m.Fault, shown)
	}
	fmt.Fprintf(&b, "\n%d mutants.\n", len(mutants))
	return b.String()
}

// specific is how many cases a mutant may kill at most to count as aimed: a
// server that is broken everywhere says little about a single case.
const specific = 60

// Victims returns the aimed mutants that a case kills, first those that few other
// cases kill.
func (t Table) Victims(id string, mutants []Mutant) []Mutant {
	victims := slices.DeleteFunc(slices.Clone(mutants), func(m Mutant) bool {
		return len(t[m.Name]) > specific || !slices.Contains(t[m.Name], id)
	})
	slices.SortStableFunc(victims, func(a, b Mutant) int { return len(t[a.Name]) - len(t[b.Name]) })
	return victims
}

// Idle returns the cases that kill no mutant that is aimed.
func (t Table) Idle(cases []spec.Case, mutants []Mutant) []string {
	var idle []string
	for _, c := range cases {
		if len(t.Victims(c.ID, mutants)) == 0 {
			idle = append(idle, c.ID)
		}
	}
	return idle
}
