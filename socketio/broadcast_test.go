package socketio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/socketio"
)

func TestBroadcastIsAValue(t *testing.T) {
	srv := newServer(t, quiet())
	url := serve(t, srv)
	var kept socketio.Broadcast
	allocated := testing.AllocsPerRun(100, func() {
		kept = srv.To("a").To("b").Except("c").Volatile().Local().Compress(false).Timeout(time.Second)
	})
	if allocated != 0 {
		t.Errorf("a chain allocates %v times", allocated)
	}
	sockets := make(chan *socketio.Socket, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	dial(t, url).join("/")
	s := receive(t, sockets)
	allocated = testing.AllocsPerRun(100, func() { kept = s.To("a").Except("b").Volatile() })
	if allocated != 0 {
		t.Errorf("a socket's chain allocates %v times", allocated)
	}
	_ = kept
}

func TestChainsDoNotChangeTheirBeginning(t *testing.T) {
	srv := newServer(t, quiet())
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		_ = s.Join("b")
		_ = s.Emit("joined") // the client is welcomed after its CONNECT was answered
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.expect(`42["joined"]`)
	base := srv.To("a")
	loud, none := base.To("b"), base.To("b").Except("b")
	for _, b := range []socketio.Broadcast{base, none, loud} {
		if err := b.Emit("x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := loud.Emit("end"); err != nil {
		t.Fatal(err)
	}
	c.expect(`42["x"]`, `42["end"]`)
}

func TestBroadcastToMoreRoomsThanFit(t *testing.T) {
	srv := newServer(t, quiet())
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Join("d") })
	c := dial(t, serve(t, srv))
	c.join("/")
	srv.Of("/").On("go", func(_ context.Context, ev *socketio.Event) error {
		three := srv.To("a", "b").To("c")
		if err := three.To("d").Emit("four"); err != nil {
			return err
		}
		return three.To("e").Emit("none")
	})
	c.send(`42["go"]`)
	c.expect(`42["four"]`)
	srv.Of("/custom").OnConnection(greet)
	c.alive()
}

func TestSharedAttachmentIsNotCopied(t *testing.T) {
	srv := newServer(t, piped(quiet()))
	got := make(chan []byte, 2)
	sockets := make(chan *socketio.Socket, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	end := connectPipe(t, srv, func(_ *pipeEnd, p *eioparser.Packet) {
		if p.Binary {
			got <- p.Data
		}
	})
	end.send("0")
	s := receive(t, sockets)
	b := []byte{1, 2, 3}
	if err := s.Emit("x", b); err != nil {
		t.Fatal(err)
	}
	if err := s.Emit("x", socketio.Shared(b)); err != nil {
		t.Fatal(err)
	}
	copied, shared := receive(t, got), receive(t, got)
	if !bytes.Equal(copied, b) || &copied[0] == &b[0] {
		t.Error("Emit did not copy an attachment")
	}
	if &shared[0] != &b[0] {
		t.Error("Shared was copied")
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	<-end.served
}

// A megabyte to a thousand sockets is encoded once.
// TestLargeBroadcastIsEncodedOnce: 1 MB for 1,000 clients costs its arguments and
// its packet, and nothing of that size for each of them, down to the WebSocket.
func TestLargeBroadcastIsEncodedOnce(t *testing.T) {
	srv := newServer(t, quiet())
	address := strings.TrimPrefix(serve(t, srv), "http://")
	const n, size = 1000, 1_000_000
	joined := make(chan struct{}, n)
	srv.OnConnection(func(context.Context, *socketio.Socket) { joined <- struct{}{} })
	var received atomic.Int64
	for range n {
		listen(t, address, &received)
		receive(t, joined)
	}
	large := strings.Repeat("a", size)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if err := srv.Emit("x", large); err != nil {
		t.Fatal(err)
	}
	eventually(t, "delivery", func() bool { return received.Load() > n*size })
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 3_000_000 {
		t.Errorf("%d bytes allocated", allocated)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// listen joins the main namespace over a WebSocket and counts the bytes that
// come, without taking memory for them.
func listen(t *testing.T, address string, received *atomic.Int64) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+
		"\x81\x82\x00\x00\x00\x0040", address)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the connection; the test waits for it
		defer close(ended)
		buf := make([]byte, 32<<10)
		for {
			n, err := conn.Read(buf)
			received.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
}

func TestRemoteSockets(t *testing.T) {
	srv := fixture(t, quiet())
	url := serve(t, srv)
	a, b := dial(t, url), dial(t, url)
	ids := map[string]bool{a.idOf("/"): true, b.idOf("/"): true}
	a.next()
	b.next()
	var first *socketio.RemoteSocket
	for r, err := range srv.FetchSockets(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if !ids[r.ID()] || len(r.Rooms()) != 1 || !bytes.Contains(r.Handshake(), []byte(`"xdomain":false`)) {
			t.Error(r.ID(), r.Rooms(), string(r.Handshake()))
		}
		delete(ids, r.ID())
		first = r
	}
	if len(ids) > 0 {
		t.Error("not fetched:", ids)
	}
	if err := first.Join("picked"); err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.To("picked").Emit("x") }()
	c := b
	select {
	case f := <-a.frames:
		c = a
		if f != `42["x"]` {
			t.Error(f)
		}
	case f := <-b.frames:
		if f != `42["x"]` {
			t.Error(f)
		}
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	answers := make(chan error, 1)
	go func() {
		_, err := first.EmitWithAck(t.Context(), "q")
		answers <- err
	}()
	request := c.next()
	c.send("43" + strings.TrimSuffix(strings.TrimPrefix(request, "42"), `["q"]`) + "[]")
	if err := receive(t, answers); err != nil {
		t.Error(err)
	}
	if err := first.Disconnect(true); err != nil {
		t.Error(err)
	}
	c.expect("41", "CLOSE(1005)")
	if err := first.Emit("x"); err != nil {
		t.Error(err)
	}
	if _, err := first.EmitWithAck(t.Context(), "q"); err == nil {
		t.Error("an acknowledgement of a socket that is gone")
	}
}

func TestManySockets(t *testing.T) {
	srv := fixture(t, quiet())
	url := serve(t, srv)
	a, b := dial(t, url), dial(t, url)
	a.join("/")
	a.next()
	b.join("/")
	b.next()
	b.send(`420["join","r"]`)
	b.expect("430[2]")
	if err := srv.To("r").SocketsJoin("s"); err != nil {
		t.Fatal(err)
	}
	if err := srv.To("s").Emit("x"); err != nil {
		t.Fatal(err)
	}
	b.expect(`42["x"]`)
	if err := srv.SocketsLeave("r"); err != nil {
		t.Fatal(err)
	}
	if err := srv.To("r").Emit("y"); err != nil {
		t.Fatal(err)
	}
	if err := srv.To("s").DisconnectSockets(false); err != nil {
		t.Fatal(err)
	}
	b.expect("41")
	a.alive()
}

func TestParentNamespaceReachesItsChildren(t *testing.T) {
	srv := newServer(t, quiet())
	parent := srv.OfMatch(func(_ context.Context, name string, h *socketio.Handshake) bool {
		return strings.HasPrefix(name, "/tenant-") && string(h.Auth) == `{"key":1}`
	})
	parent.Use(func(_ context.Context, s *socketio.Socket) error { return s.Join("all") })
	c := dial(t, serve(t, srv))
	c.send(`40/tenant-1,{"key":1}`, `40/tenant-2,{"key":1}`)
	got := map[string]bool{c.next()[:13]: true, c.next()[:13]: true}
	if !got["40/tenant-1,{"] || !got["40/tenant-2,{"] {
		t.Error(got)
	}
	c.send(`40/tenant-3,{"key":2}`)
	c.expect(`44/tenant-3,{"message":"Invalid namespace"}`)
	if err := parent.To("all").Emit("x"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if f := c.next(); !matches(`42/tenant-<n>,["x"]`, f) {
			t.Error(f)
		}
	}
	if err := parent.Emit("y"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if f := c.next(); !matches(`42/tenant-<n>,["y"]`, f) {
			t.Error(f)
		}
	}
}

// What a parent namespace asks, all its children answer, and what is missing in
// any of them is one error.
func TestParentNamespaceAsksItsChildren(t *testing.T) {
	srv := newServer(t, quiet())
	parent := srv.OfPattern(regexp.MustCompile(`^/tenant-`))
	parent.On("in", func(_ context.Context, ev *socketio.Event) error { return ev.Socket().Join("r") })
	c := dial(t, serve(t, srv))
	ids := map[string]bool{c.idOf("/tenant-1"): true, c.idOf("/tenant-2"): true, c.idOf("/tenant-3"): true}
	for s, err := range parent.FetchSockets(t.Context()) {
		if err != nil || !ids[s.ID()] {
			t.Error(s, err)
		}
		delete(ids, s.ID())
	}
	if len(ids) != 0 {
		t.Error("not found:", ids)
	}
	for range parent.FetchSockets(t.Context()) {
		break // leaves nobody behind
	}

	c.send(`42/tenant-1,0["in"]`, `42/tenant-2,0["in"]`)
	eventually(t, "two in the room", func() bool {
		n := 0
		for range parent.To("r").FetchSockets(t.Context()) {
			n++
		}
		return n == 2
	})
	asked, done := make(chan int), make(chan struct{})
	go func() {
		defer close(done)
		n := 0
		for r, err := range parent.To("r").EmitWithAck(t.Context(), "q") {
			if err != nil || r.Value.Len() != 1 || r.Socket == "" {
				t.Error(r, err)
			}
			n++
			asked <- n
		}
	}()
	for i := range 2 {
		f := c.next()
		c.send("43" + strings.TrimSuffix(f[2:], `["q"]`) + "[1]")
		if n := receive(t, asked); n != i+1 { // as they arrive
			t.Error(n)
		}
	}
	receive(t, done)

	var partial *socketio.PartialError
	n := 0
	for _, err := range parent.Timeout(time.Millisecond).EmitWithAck(t.Context(), "q") {
		if n++; !errors.As(err, &partial) || len(partial.Sockets) != 3 || !errors.Is(err, socketio.ErrAckTimeout) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Error(n, "elements")
	}
	for _, err := range parent.EmitWithAck(t.Context(), "connect") {
		if n++; !errors.Is(err, socketio.ErrReserved) {
			t.Error(err)
		}
	}
	if n != 2 { // one error for all children
		t.Error(n, "elements")
	}
	if err := parent.SocketsJoin("all"); err != nil {
		t.Error(err)
	}
	if err := parent.SocketsLeave("all"); err != nil {
		t.Error(err)
	}
	if err := parent.DisconnectSockets(true); err != nil {
		t.Error(err)
	}
	eventually(t, "nobody", func() bool { return srv.Engine().Len() == 0 })
}
