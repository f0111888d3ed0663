package sioparser

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
)

var (
	errNotNumber  = errors.New("json.Number is not a number")
	errNotPointer = errors.New("target is not a non-nil pointer")
)

// reach tells, once a type, whether a value of it can have something inside
// that needs the marshalers or unmarshalers for bytes. Their look-up costs
// json/v2 time at every value, so types without do without.
type reach struct {
	opaque   reflect.Type   // a method that may call json/v2 with what it likes
	finished []reflect.Type // methods that make or take finished text
	known    sync.Map       // reflect.Type → bool
}

var (
	emits = reach{
		opaque:   reflect.TypeFor[json.MarshalerTo](),
		finished: []reflect.Type{reflect.TypeFor[json.Marshaler](), textMarshaler},
	}
	binds = reach{
		opaque:   reflect.TypeFor[json.UnmarshalerFrom](),
		finished: []reflect.Type{reflect.TypeFor[json.Unmarshaler](), textUnmarshaler},
	}
)

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

	bytesType  = reflect.TypeFor[[]byte]()
	binaryType = reflect.TypeFor[Binary]()
	numberType = reflect.TypeFor[stdjson.Number]()
)

// special reports whether a value of type t needs the marshalers.
func (r *reach) special(t reflect.Type) bool {
	if known, ok := r.known.Load(t); ok {
		return known.(bool)
	}
	found := r.search(t, map[reflect.Type]bool{})
	r.known.Store(t, found)
	return found
}

// search walks through t. seen keeps it from going round in recursive types.
func (r *reach) search(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == bytesType || t == binaryType || t == numberType || t.Kind() == reflect.Interface {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	pointer := reflect.PointerTo(t)
	if pointer.Implements(r.opaque) || t.Implements(r.opaque) {
		return true
	}
	for _, method := range r.finished {
		if pointer.Implements(method) || t.Implements(method) {
			return false
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return r.search(t.Elem(), seen)
	case reflect.Map:
		return r.search(t.Key(), seen) || r.search(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if r.search(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}
