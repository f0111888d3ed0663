package client_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// recorder is a Handler that passes on what it is told.
type recorder struct {
	onOpen   func(*client.Session)
	messages chan engineio.Message // text copied
	pings    chan struct{}
	upgrades chan upgraded
	closes   chan ending
}

type upgraded struct {
	transport string
	err       error
}

type ending struct {
	why engineio.Reason
	err error
}

func newRecorder() *recorder {
	return &recorder{
		messages: make(chan engineio.Message, 10_000), pings: make(chan struct{}, 1000),
		upgrades: make(chan upgraded, 10), closes: make(chan ending, 10),
	}
}

func (r *recorder) Open(s *client.Session) {
	if r.onOpen != nil {
		r.onOpen(s)
	}
}

func (r *recorder) Message(_ *client.Session, m engineio.Message) {
	m.Data = bytes.Clone(m.Data)
	r.messages <- m
}

func (r *recorder) Ping(*client.Session) { r.pings <- struct{}{} }

func (r *recorder) Upgraded(_ *client.Session, transport string, err error) {
	r.upgrades <- upgraded{transport, err}
}

func (r *recorder) Close(_ *client.Session, why engineio.Reason, err error) {
	r.closes <- ending{why, err}
}

// mode is a way to reach a server.
type mode struct {
	name string
	cfg  client.Config
}

// modes are the ways that every feature has to work over.
func modes() []mode {
	return []mode{
		{"polling", client.Config{Transports: []client.Transport{client.Polling{}}}},
		{"websocket", client.Config{Transports: []client.Transport{client.WebSocket{}}}},
		{"compressed", client.Config{Transports: []client.Transport{client.WebSocket{Compression: true}}}},
		{"upgrade", client.Config{}},
	}
}

// connect begins a session that ends with the test. Where there is an upgrade it
// waits for it.
func (m mode) connect(t testing.TB, url string, r *recorder) *client.Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eiotest.Patience)
	defer cancel()
	s, err := client.Dial(ctx, url, r, m.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Discard()
		eiotest.Wait(t, s.Done())
	})
	if m.name == "upgrade" {
		if u := eiotest.Wait(t, r.upgrades); u.err != nil || u.transport != "websocket" || s.Transport() != "websocket" {
			t.Fatalf("upgrade: %+v", u)
		}
	}
	return s
}

// contents are messages of every kind.
func contents() []engineio.Message {
	return []engineio.Message{
		engineio.Text(""), engineio.Text("hello"), engineio.Text("é€😀\u2028\n\x00\""), engineio.Text("bAQID"),
		engineio.Binary([]byte{}), engineio.Binary([]byte{0, 1, 0x1e, 0xff}), engineio.Binary(bytes.Repeat([]byte{0xfe}, 70_000)),
		engineio.Text(string(bytes.Repeat([]byte("é"), 40_000))), engineio.Text("6"),
	}
}

// send sends, and fails the test if that fails.
func send(t testing.TB, s *client.Session, msgs ...engineio.Message) {
	t.Helper()
	if err := s.Send(msgs...); err != nil {
		t.Fatal(err)
	}
}

// expect reads one message.
func (r *recorder) expect(t testing.TB, want engineio.Message) {
	t.Helper()
	if got := eiotest.Wait(t, r.messages); got.Binary != want.Binary || !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("got %s, want %s", show(got), show(want))
	}
}

func show(m engineio.Message) string {
	return fmt.Sprintf("binary %v, %d bytes, %.40q", m.Binary, len(m.Data), m.Data)
}

// expectEnd reads how the session ended.
func (r *recorder) expectEnd(t testing.TB, want engineio.Reason) {
	t.Helper()
	if got := eiotest.Wait(t, r.closes); got.why != want {
		t.Errorf("ended with %q, %v; want %q", got.why, got.err, want)
	}
}
