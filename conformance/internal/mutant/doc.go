// Package mutant proves the suite: it puts deliberate faults into a server that
// has none, one at a time, and looks which cases notice.
//
// Most faults are put in from outside, by a proxy between the suite and the
// server that changes, drops, doubles, delays or invents what passes; a server
// that ignores an illegal packet, for example, is a proxy that does not hand it
// on. Faults that only the inside of a server can have are patches of the Node
// fixture (fixtures/node/mutants.js).
//
// The proxy without a fault must be invisible: the suite passes through it.
package mutant
