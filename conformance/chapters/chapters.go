// Package chapters holds the cases, a file for each chapter of the protocol.
package chapters

import (
	"slices"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// All returns every case in the order of the chapters.
func All() []spec.Case {
	return slices.Concat(
		preflight(),
		handshake(),
		response(),
		polling(),
		webSocket(),
		heartbeat(),
		upgrade(),
		connect(),
		disconnect(),
		event(),
		ack(),
		binary(),
		rooms(),
		recovery(),
		messagePack(),
		revision3(),
		server(),
		robustParsers(),
		robustTransports(),
		robustSockets(),
	)
}

// The documents that cases cite.
const (
	engineDoc = "engine.io-protocol v4: "
	socketDoc = "socket.io-protocol v5: "
	rfc6455   = "RFC 6455, "
	reference = "ref engine.io 6.6.12, socket.io 4.8.4"
)

// field is a request header.
type field = wire.Field

// chapter collects cases; its other fields are the defaults of each.
type chapter struct {
	prefix   string
	source   string // of the MUST and ROBUST cases
	behind   string // source of the REF and QUIRK cases, when it is not the reference server
	profiles []spec.Profile
	needs    []spec.Feature
	// proof runs after each case: that something was refused says nothing about
	// a server that refuses everything.
	proof func(*probe.T)
	cases []spec.Case
}

// must, ref, quirk and robust add a case of that level. Its id is the chapter's
// prefix and the number.
func (c *chapter) must(number, title, requirement string, run func(*probe.T), change ...change) {
	c.add(spec.Must, c.source, number, title, requirement, run, change)
}

func (c *chapter) ref(number, title, requirement string, run func(*probe.T), change ...change) {
	c.add(spec.Ref, c.refSource(), number, title, requirement, run, change)
}

func (c *chapter) quirk(number, title, requirement string, run func(*probe.T), change ...change) {
	c.add(spec.Quirk, c.refSource(), number, title, requirement, run, change)
}

func (c *chapter) robust(number, title, requirement string, run func(*probe.T), change ...change) {
	c.add(spec.Robust, c.source, number, title, requirement, run, change)
}

func (c *chapter) add(level spec.Level, source, number, title, requirement string, run func(*probe.T), changes []change) {
	cs := spec.Case{
		ID:          c.prefix + "-" + number,
		Title:       title,
		Requirement: requirement,
		Source:      source,
		Level:       level,
		Profiles:    slices.Clone(c.profiles),
		Needs:       slices.Clone(c.needs),
		Run:         run,
	}
	for _, apply := range changes {
		apply(&cs)
	}
	if c.proof != nil {
		proven(c.proof)(&cs)
	}
	c.cases = append(c.cases, cs)
}

func (c *chapter) refSource() string {
	if c.behind != "" {
		return c.behind
	}
	return reference
}

// change departs from the chapter's defaults.
type change func(*spec.Case)

// needs adds features; only replaces them.
func needs(f ...spec.Feature) change {
	return func(c *spec.Case) { c.Needs = append(c.Needs, f...) }
}

func only(f ...spec.Feature) change {
	return func(c *spec.Case) { c.Needs = f }
}

// in replaces the profiles, also adds some.
func in(p ...spec.Profile) change {
	return func(c *spec.Case) { c.Profiles = p }
}

func also(p ...spec.Profile) change {
	return func(c *spec.Case) { c.Profiles = append(c.Profiles, p...) }
}

// from names another source than the chapter's.
func from(source string) change {
	return func(c *spec.Case) { c.Source = source }
}

// alone keeps other cases from running at the same time.
func alone(c *spec.Case) { c.Alone = true }

// proven runs a proof after the case.
func proven(proof func(*probe.T)) change {
	return func(c *spec.Case) {
		check := c.Run
		c.Run = func(t *probe.T) {
			check(t)
			proof(t)
		}
	}
}

// official marks what the public protocol suites check too.
func official(c *spec.Case) { c.Profiles = append(c.Profiles, spec.Official) }
