package sioparser_test

import (
	"errors"
	"testing"

	"github.com/siokit/siokit/sioparser"
)

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// checkError wants an *Error whose sentinel has the given text.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	var e *sioparser.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want %q", err, want)
	}
	equal(t, "error", e.Err.Error(), want)
}

// checkSentinel wants an *Error around want, at the given offset.
func checkSentinel(t *testing.T, err, want error, offset int) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
	var e *sioparser.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T, want *Error", err)
	}
	equal(t, "offset", e.Offset, offset)
}

func text(s string) message   { return message{data: []byte(s)} }
func binary(s string) message { return message{binary: true, data: []byte(s)} }

// parse makes Args of an array that must be valid.
func parse(t *testing.T, array string, attachments ...string) sioparser.Args {
	t.Helper()
	var list [][]byte
	for _, s := range attachments {
		list = append(list, []byte(s))
	}
	a, err := sioparser.ParseArgs([]byte(array), list)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// event encodes an event "e" with the arguments; attachments follow the head.
func event(t *testing.T, a sioparser.Args) []string {
	t.Helper()
	head, _, attachments, err := sioparser.Text.AppendPacket(nil, &sioparser.Packet{
		Type: sioparser.Event, Name: []byte("e"), Args: a,
	})
	if err != nil {
		t.Fatal(err)
	}
	list := []string{string(head)}
	for _, b := range attachments {
		list = append(list, string(b))
	}
	return list
}

func equalLists[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: item %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

func raws(a sioparser.Args) []string {
	var list []string
	for raw := range a.All() {
		list = append(list, string(raw))
	}
	return list
}
