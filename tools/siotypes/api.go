// Package siotypes describes the events that a Go program defines with
// [github.com/siokit/siokit/socketio.DefineEvent] and DefineCall, for those who
// are at the other end: as TypeScript interfaces for the official client, as
// JSON Schema, and as an AsyncAPI document.
//
// It reads the source with the compiler's own type checker and runs nothing of
// the program. What it knows of a type is what sioparser's json/v2 rules make
// of it on the wire.
package siotypes

import "slices"

// API is what the read packages define, in an order that does not depend on
// anything but their source.
type API struct {
	ToServer []Event // what clients send, by name
	ToClient []Event // what the server sends, by name
	Types    []*Type // the named types that the events' arguments use, by name
}

// Event is one definition, as it goes in one direction.
type Event struct {
	Name string // on the wire
	Doc  string // comment of the Go variable, without the markers; may be empty
	Args Args
	Call bool // DefineCall: an acknowledgement with Reply is expected
	// Reply holds the arguments of a call's acknowledgement. If the call fails,
	// the only argument is {"error":{"message":…,"data":…}} instead.
	Reply Args
}

// Args are positional arguments.
type Args struct {
	Fixed []*Shape
	Rest  *Shape // of any number of further ones; nil if there are none
}

// Kind is the form of a value on the wire.
type Kind int

// The kinds of [Shape].
const (
	Any     Kind = iota // anything that JSON can express
	Bool                // true or false
	Integer             // number without fraction
	Number              // any number
	String              // string
	Binary              // attachment
	Array               // array of Elem
	Map                 // object with any keys, each value an Elem
	Object              // object with Fields
	Named               // what Type says
)

// Shape is the form of values of one Go type.
type Shape struct {
	Kind     Kind
	Nullable bool   // null, too
	Elem     *Shape // of Array and Map
	Len      int    // of Array: number of elements if it is fixed, else -1
	Fields   []Field
	Format   string // of String, as JSON Schema names it: date-time or empty
	Type     *Type  // of Named
}

// Type is a type with a name of its own.
type Type struct {
	Name   string // unique within the API
	Doc    string
	Shape  *Shape // never Named
	Values []any  // of enumerations: the constants of the type, strings or int64s; the shape says which
}

// Field is a member of an object.
type Field struct {
	Name     string
	Doc      string
	Optional bool // may be absent
	Shape    *Shape
}

// uses tells whether any value of the API is of that kind.
func (a *API) uses(kind Kind) bool {
	var in func(s *Shape) bool
	in = func(s *Shape) bool {
		return s != nil && (s.Kind == kind || in(s.Elem) || slices.ContainsFunc(s.Fields, func(f Field) bool { return in(f.Shape) }))
	}
	inArgs := func(args Args) bool { return in(args.Rest) || slices.ContainsFunc(args.Fixed, in) }
	return slices.ContainsFunc(a.Types, func(t *Type) bool { return in(t.Shape) }) ||
		slices.ContainsFunc(slices.Concat(a.ToServer, a.ToClient), func(ev Event) bool { return inArgs(ev.Args) || inArgs(ev.Reply) })
}

// calls tells whether any event is a call.
func (a *API) calls() bool {
	return slices.ContainsFunc(slices.Concat(a.ToServer, a.ToClient), func(ev Event) bool { return ev.Call })
}
