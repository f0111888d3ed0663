package nats_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// comeBack resumes the session of a socket on a node.
func comeBack(t testing.TB, x *node, id, offset string) (*adaptertest.Socket, error) {
	t.Helper()
	session, err := x.store().Take(t.Context(), "private-"+id, offset)
	if err != nil {
		return nil, err
	}
	if string(session.Data) != `{"of":"`+id+`"}` {
		t.Errorf("data of the session: %s", session.Data)
	}
	s := adaptertest.NewSocket(session.SocketID)
	if err := x.store().Resume(t.Context(), s, session); err != nil {
		return nil, err
	}
	s.Flush()
	return s, nil
}

// cut disconnects a socket so that it can come back.
func cut(t testing.TB, x *node, s *adaptertest.Socket) {
	t.Helper()
	if _, err := x.store().Persist(s, adapter.Session{
		SocketID: s.ID(), PrivateID: "private-" + s.ID(), Data: []byte(`{"of":"` + s.ID() + `"}`),
	}); err != nil {
		t.Fatal(err)
	}
}

func visitor(t testing.TB, x *node, id string, rooms ...string) *adaptertest.Socket {
	t.Helper()
	s := adaptertest.NewSocket(id)
	if err := x.Join(s, append([]string{id}, rooms...)...); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRecoveryAcrossNodes has a client come back to another server.
func TestRecoveryAcrossNodes(t *testing.T) {
	a, b := pair(t, embed(t).ClientURL(), nats.Config{Recovery: &nats.Recovery{Memory: true}})
	s := visitor(t, a, "s", "red")
	a.emit(t, "seen", "red")
	until(t, "s has seen it", func() bool { return has(s, "seen") })
	seen := offset(t, s)
	cut(t, a, s)

	want := []string{}
	for i := range 100 {
		from, name := a, fmt.Sprint("missed", i)
		if i%2 == 0 {
			from = b
		}
		from.emit(t, name, "red")
		from.emit(t, "for others", "blue")
		mark := fmt.Sprint("mark", i)
		from.emit(t, mark, from.socket.ID()) // so that what the two send has one order
		until(t, "it is in the log", func() bool { return has(from.socket, mark) })
		want = append(want, name)
	}
	b.emit(t, "last")
	until(t, "the last one is there", func() bool { return has(b.socket, "last") })

	back, err := comeBack(t, b, "s", seen)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(want, "last"), names(back)); diff != "" {
		t.Errorf("what was replayed (-want +got):\n%s", diff)
	}
	if _, err := comeBack(t, a, "s", seen); !errors.Is(err, adapter.ErrUnrecoverable) {
		t.Errorf("a session that was taken: %v", err)
	}
	a.emit(t, "live", "red")
	until(t, "it is in its room again", func() bool { return has(back, "live") })
}

// TestRecoveryAcrossRestart has a client come back when all servers, that of NATS
// included, were killed meanwhile.
func TestRecoveryAcrossRestart(t *testing.T) {
	bus := start(t)
	config := nats.Config{Recovery: &nats.Recovery{}}
	a := join(t, bus.url, "a", 0, config)
	s := visitor(t, a, "s", "red")
	a.emit(t, "seen", "red")
	until(t, "s has seen it", func() bool { return has(s, "seen") })
	cut(t, a, s)
	a.emit(t, "missed", "red")
	a.emit(t, "mark", "a")
	until(t, "it is in the log", func() bool { return has(a.socket, "mark") })
	a.end() // which waits until the session is saved
	a.conn.Close()
	bus.kill()
	bus.run()

	b := join(t, bus.url, "b", 0, config)
	back, err := comeBack(t, b, "s", offset(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"missed"}, names(back)); diff != "" {
		t.Errorf("what was replayed (-want +got):\n%s", diff)
	}
}

// TestRecoveryBeyondTheLog has a client come back after the log has forgotten
// what it missed.
func TestRecoveryBeyondTheLog(t *testing.T) {
	a, b := pair(t, embed(t).ClientURL(), nats.Config{Recovery: &nats.Recovery{Memory: true, MaxBytes: 4 << 10}})
	s, quiet := visitor(t, a, "s", "red"), visitor(t, a, "quiet")
	a.emit(t, "seen")
	until(t, "they have seen it", func() bool { return has(s, "seen") && has(quiet, "seen") })
	cut(t, a, s)
	for range 200 {
		a.emit(t, "for others", "blue")
	}
	a.emit(t, "mark", "quiet")
	until(t, "the log is full", func() bool { return has(quiet, "mark") })
	if _, err := comeBack(t, b, "s", offset(t, s)); !errors.Is(err, adapter.ErrUnrecoverable) {
		t.Errorf("the log has lost something, and the session: %v", err)
	}
	// One that has seen everything can come back however old that is.
	for range 200 {
		a.emit(t, "for others", "blue")
	}
	a.emit(t, "mark", "a")
	until(t, "the log is full", func() bool { return has(a.socket, "mark") })
	cut(t, a, quiet)
	if _, err := comeBack(t, a, "quiet", offset(t, quiet)); err != nil {
		t.Errorf("a client that has missed nothing: %v", err)
	}
}

// TestTooLargeForTheServer has one server send what NATS can never take: the
// others don't get it, and get what follows.
func TestTooLargeForTheServer(t *testing.T) {
	s := embed(t)
	a, b := pair(t, s.ClientURL(), nats.Config{Recovery: &nats.Recovery{Memory: true}})
	args, err := sioparser.ParseArgs([]byte(`["`+strings.Repeat("x", int(a.conn.MaxPayload())+1)+`"]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	large := event(t, "large")
	large.Args = args
	if err := a.Broadcast(large, adapter.Selection{}); err != nil {
		t.Error(err)
	}
	a.emit(t, "after")
	until(t, "the other server has what follows", func() bool { return has(b.socket, "after") })
	if has(b.socket, "large") {
		t.Error("the other server has it")
	}
	until(t, "it was delivered here", func() bool { return has(a.socket, "large") && has(a.socket, "after") })
}
