package probe_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var timing = probe.Timing{Patience: 2 * time.Second, Quiet: 30 * time.Millisecond, Slack: 150 * time.Millisecond}

// try runs a case against a handler and returns its failure.
func try(t *testing.T, h http.Handler, run func(*probe.T)) *probe.Failure {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	return probe.Run(t.Context(), probe.Env{Server: probe.Server{Addr: server.Listener.Addr().String()}, Timing: timing}, run).Failure
}

// script is a server that opens a WebSocket session with intervals of 200 and
// 100 ms and then does what it is told.
func script(play func(*serverConn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: im8JfbsItfD8ZPx3JbOXzNYSGg8=\r\n\r\n")
		s := &serverConn{c, rw.Reader}
		s.text(`0{"sid":"abc","upgrades":[],"pingInterval":200,"pingTimeout":100,"maxPayload":1000}`)
		play(s)
	})
}

type serverConn struct {
	net.Conn
	r *bufio.Reader
}

func (s *serverConn) text(text string) {
	s.Write(wire.Frame{Fin: true, Op: wire.Text, Payload: []byte(text)}.Append(nil))
}

func (s *serverConn) close(code int) {
	s.Write(wire.Frame{Fin: true, Op: wire.Close, Payload: wire.ClosePayload(code, "")}.Append(nil))
}

// receive reads one short masked frame of the client.
func (s *serverConn) receive() {
	head := make([]byte, 6)
	if _, err := io.ReadFull(s.r, head); err != nil {
		return
	}
	io.CopyN(io.Discard, s.r, int64(head[1]&0x7f))
}

func offend(t *probe.T) {
	s := t.WebSocket("/")
	s.Send("4bad")
	s.Closed()
}

func TestClosedNeedsEvidence(t *testing.T) {
	tests := map[string]struct {
		play func(*serverConn)
		want string // part of the failure's message; empty for none
	}{
		"closed at once": {func(s *serverConn) { s.receive(); s.close(1000) }, ""},
		"cut off":        {func(s *serverConn) { s.receive() }, ""},
		"closed by a ping timeout": {func(s *serverConn) {
			s.receive()
			s.text("2")
			<-time.After(110 * time.Millisecond)
		}, "no evidence"},
		"closed by a ping timeout while we stood still": {func(s *serverConn) {
			s.receive()
			<-time.After(110 * time.Millisecond)
			s.text("2")
		}, "no evidence"},
		"closed soon after a ping": {func(s *serverConn) {
			s.receive()
			s.text("2")
			s.receive()
			s.close(1000)
		}, ""},
		"answered instead": {func(s *serverConn) {
			s.receive()
			s.text("4bad")
			s.receive()
		}, "must close"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { expect(t, try(t, script(tt.play), offend), tt.want) })
	}
}

// TestProvenAnswersAreEvidence: who says that it has read the answer to its ping
// closes for something else.
func TestProvenAnswersAreEvidence(t *testing.T) {
	closing := func(pong string) http.Handler {
		return script(func(s *serverConn) {
			s.receive()
			s.text("2")
			s.receive() // the answer
			s.receive() // the WebSocket ping behind it
			s.Write(wire.Frame{Fin: true, Op: wire.Pong, Payload: []byte(pong)}.Append(nil))
			<-time.After(110 * time.Millisecond)
		})
	}
	wait := func(t *probe.T) {
		s := t.WebSocket("/")
		s.Prove()
		s.Send("4go")
		s.Closed()
	}
	expect(t, try(t, closing("read 1"), wait), "")
	expect(t, try(t, closing("read 0"), wait), "no evidence")
}

// expect checks the message of a failure; an empty one means none.
func expect(t *testing.T, f *probe.Failure, want string) {
	t.Helper()
	switch {
	case want == "" && f != nil:
		t.Errorf("failed: %v", f)
	case want != "" && (f == nil || !strings.Contains(f.Error(), want)):
		t.Errorf("failure %v, want one about %q", f, want)
	}
}

func TestCloseCodes(t *testing.T) {
	closing := func(code int) http.Handler { return script(func(s *serverConn) { s.receive(); s.close(code) }) }
	wants := func(codes ...int) func(*probe.T) {
		return func(t *probe.T) {
			s := t.WebSocket("/")
			s.Send("4x")
			s.Closed(codes...)
		}
	}
	expect(t, try(t, closing(1009), wants(1009)), "")
	expect(t, try(t, closing(1000), wants(1005, 1000)), "")
	expect(t, try(t, closing(1000), wants(1009)), "CLOSE [1000]")
	// A connection that ends without a close frame carries no code to be wrong.
	expect(t, try(t, script(func(s *serverConn) { s.receive() }), wants(1009)), "")
}

func TestPongsWaitForTheEndOfAMessage(t *testing.T) {
	var got []byte
	play := func(s *serverConn) {
		for range 3 {
			head, _ := s.r.Peek(1)
			got = append(got, head...)
			s.receive()
			if len(got) == 1 {
				s.text("2")
				s.text("4pinged")
			}
		}
		s.text("4done")
		s.receive() // the end
	}
	expect(t, try(t, script(play), func(t *probe.T) {
		s := t.WebSocket("/")
		s.Frames(wire.Frame{Op: wire.Text, Masked: true, Payload: []byte("4a")})
		s.Expect("4pinged")
		s.Frames(wire.Frame{Fin: true, Op: wire.Continuation, Masked: true, Payload: []byte("b")})
		s.Expect("4done")
	}), "")
	if want := []byte{0x01, 0x80, 0x81}; !bytes.Equal(got, want) {
		t.Errorf("the frames begin with % x, want % x", got, want)
	}
}

func TestPingsAreAnsweredUnlessDeaf(t *testing.T) {
	answered := make(chan bool, 2)
	play := func(s *serverConn) {
		s.text("2")
		s.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := s.r.Peek(1)
		answered <- err == nil
		s.text("4done")
		s.SetReadDeadline(time.Time{})
		s.receive()
	}
	expect(t, try(t, script(play), func(t *probe.T) { t.WebSocket("/").Expect("4done") }), "")
	expect(t, try(t, script(play), func(t *probe.T) {
		t.WebSocketWith("/", probe.SocketOptions{Deaf: true}).Expect("2", "4done")
	}), "")
	if first, second := <-answered, <-answered; !first || second {
		t.Errorf("the ping was answered: %v, %v; want true, then false", first, second)
	}
}

func TestExpectations(t *testing.T) {
	says := func(texts ...string) http.Handler {
		return script(func(s *serverConn) {
			for _, text := range texts {
				s.text(text)
			}
			s.receive()
		})
	}
	tests := map[string]struct {
		server http.Handler
		run    func(*probe.Socket)
		want   string
	}{
		"in order":           {says("4a", "4b"), func(s *probe.Socket) { s.Expect("4a", "4b") }, ""},
		"out of order":       {says("4b", "4a"), func(s *probe.Socket) { s.Expect("4a", "4b") }, "frame 1 of 2"},
		"any order":          {says("4b", "4a"), func(s *probe.Socket) { s.ExpectAnyOrder("4a", "4b") }, ""},
		"any order, wrong":   {says("4b", "4c"), func(s *probe.Socket) { s.ExpectAnyOrder("4a", "4b") }, "unexpected frame"},
		"same bytes":         {says(`4[1, 2]`), func(s *probe.Socket) { s.Exactly(`4[1,2]`) }, "not the same bytes"},
		"same meaning":       {says(`4[1, 2]`), func(s *probe.Socket) { s.Expect(`4[1,2]`) }, ""},
		"silence":            {says(), func(s *probe.Socket) { s.Silent() }, ""},
		"no silence":         {says("4x"), func(s *probe.Socket) { s.Silent() }, "nothing may come"},
		"silence of the end": {script(func(*serverConn) {}), func(s *probe.Socket) { s.Silent() }, "must stay"},
		"a broken frame":     {script(func(s *serverConn) { s.Write([]byte{0x83, 0}) }), func(s *probe.Socket) { s.Ended() }, "broke the WebSocket protocol"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			expect(t, try(t, tt.server, func(t *probe.T) { tt.run(t.WebSocket("/")) }), tt.want)
		})
	}
}

func TestBetween(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d * time.Millisecond) }
	tests := map[string]struct {
		earliest, latest, at time.Time
		want                 string
	}{
		"in time":           {at(0), at(5), at(310), ""},
		"late but in slack": {at(0), at(5), at(440), ""},
		"too late":          {at(0), at(5), at(500), "too late"},
		"too early":         {at(0), at(5), at(290), "too early"},
		// The server may have begun to count just before the late answer.
		"early for the answer": {at(0), at(100), at(301), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := probe.Run(t.Context(), probe.Env{Timing: timing}, func(t *probe.T) {
				t.Between("it", 300*time.Millisecond, tt.earliest, tt.latest, tt.at)
			})
			expect(t, out.Failure, tt.want)
			if out.Failure != nil && !out.Failure.Inconclusive {
				t.Error("a server that stood still once is not tried again")
			}
		})
	}
}

// poller is a polling server that plays one body an answer.
func poller(bodies ...string) http.Handler {
	next := make(chan string, len(bodies))
	for _, b := range bodies {
		next <- b
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			io.WriteString(w, "ok")
		case r.URL.Query().Get("sid") == "":
			io.WriteString(w, `0{"sid":"abc","upgrades":[],"pingInterval":200,"pingTimeout":100,"maxPayload":1000}`)
		default:
			body := <-next
			if strings.HasPrefix(body, "{") {
				w.WriteHeader(http.StatusBadRequest)
			}
			io.WriteString(w, body)
		}
	})
}

func TestPolling(t *testing.T) {
	const unknown = `{"code":1,"message":"Session ID unknown"}`
	tests := map[string]struct {
		bodies []string
		run    func(*probe.Polling)
		want   string
	}{
		"packets over several polls": {[]string{"4a\x1e4b", "2", "4c"}, func(p *probe.Polling) { p.Expect("4a", "4b", "4c") }, ""},
		"a packet too early":         {[]string{"4b\x1e4a"}, func(p *probe.Polling) { p.Expect("4a") }, "packet 1 of 1"},
		"gone":                       {[]string{unknown}, func(p *probe.Polling) { p.Gone() }, ""},
		"gone after a farewell":      {[]string{"6\x1e1", unknown}, func(p *probe.Polling) { p.Gone() }, ""},
		"not gone":                   {[]string{"4x"}, func(p *probe.Polling) { p.Gone() }, "400"},
		"noops before":               {[]string{"6", "6\x1e4x"}, func(p *probe.Polling) { p.ExpectAfterNoops("4x") }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			expect(t, try(t, poller(tt.bodies...), func(t *probe.T) { tt.run(t.Polling("/")) }), tt.want)
		})
	}
}

func TestGoneTooLateIsNoEvidence(t *testing.T) {
	f := try(t, poller(`{"code":1,"message":"Session ID unknown"}`), func(t *probe.T) {
		p := t.Polling("/")
		t.Wait(310 * time.Millisecond) // the heartbeat of the session has ended
		p.Gone()
	})
	if f == nil || !f.Inconclusive {
		t.Errorf("failure %v, want one that could not tell", f)
	}
}

func TestARefusalTooLateIsNoEvidence(t *testing.T) {
	lose := func(wait time.Duration) *probe.Failure {
		return try(t, poller(`{"code":1,"message":"Session ID unknown"}`), func(t *probe.T) {
			p := t.Polling("/")
			t.Wait(wait)
			p.Expect("4x")
		})
	}
	if f := lose(310 * time.Millisecond); f == nil || !f.Inconclusive {
		t.Errorf("after the session's heartbeat: failure %v, want one that could not tell", f)
	}
	if f := lose(0); f == nil || f.Inconclusive {
		t.Errorf("at once: failure %v, want one that tells", f)
	}
}

// TestARefusedPongIsNoSignOfLife: the server had given the session up before.
func TestARefusedPongIsNoSignOfLife(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("sid") {
			http.Error(w, `{"code":1,"message":"Session ID unknown"}`, http.StatusBadRequest)
			return
		}
		io.WriteString(w, `0{"sid":"abc","upgrades":[],"pingInterval":200,"pingTimeout":100,"maxPayload":1000}`)
	})
	f := try(t, h, func(t *probe.T) {
		p := t.Polling("/")
		t.Wait(200 * time.Millisecond)
		p.Post("3")
		t.Wait(110 * time.Millisecond)
		p.Expect("4x")
	})
	if f == nil || !f.Inconclusive {
		t.Errorf("failure %v, want one that could not tell", f)
	}
}

func TestAnEndAfterAPingIsNoEvidence(t *testing.T) {
	lose := func(texts ...string) *probe.Failure {
		return try(t, script(func(s *serverConn) {
			for _, text := range texts {
				s.text(text)
			}
		}), func(t *probe.T) { t.WebSocket("/").Expect("4x") })
	}
	if f := lose("2"); f == nil || !f.Inconclusive {
		t.Errorf("after a ping: failure %v, want one that could not tell", f)
	}
	if f := lose(); f == nil || f.Inconclusive {
		t.Errorf("without one: failure %v, want one that tells", f)
	}
}

func TestPendingRequests(t *testing.T) {
	release := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "late")
	})
	expect(t, try(t, h, func(t *probe.T) {
		p := t.Start(wire.Request{Target: "/"})
		p.Silent(20 * time.Millisecond)
		close(release)
		p.Answer().Is(200, "late")
	}), "")
	expect(t, try(t, h, func(t *probe.T) {
		t.Start(wire.Request{Target: "/"}).Silent(time.Second)
	}), "answered too early")
}
