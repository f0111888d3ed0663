package probe

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/siokit/siokit/conformance/wire"
)

// Socket is a WebSocket connection under test, usually with an Engine.IO
// session on it. A goroutine of its own reads what the server sends and, unless
// told otherwise, answers pings, so that a case can take its time.
type Socket struct {
	Open
	// Asked is a moment just before the handshake was sent, Opened just after
	// the 101 came.
	Asked, Opened time.Time
	// Response is the server's 101.
	Response *wire.Response

	t  *T
	ws *wire.WebSocket

	// noops tells that noops are frames like others, and not left out.
	noops bool

	writing    sync.Mutex
	unfinished bool // a message whose last fragment is still to be sent
	owed       int  // pongs that wait for its end

	mu       sync.Mutex
	deaf     bool // pings are not answered
	proving  bool // see Prove
	proved   int  // how many pings' answers have been read for sure
	lastSent time.Time
	pings    []time.Time
	frames   []Frame
	end      *End
	changed  chan struct{} // closed and replaced when something came
}

// Frame is a message of the server in the notation of the cases: text as it is,
// binary as <bin 0102>, a WebSocket pong as <pong text>.
type Frame struct {
	Text string
	// Data is the payload of a binary frame.
	Data []byte
	At   time.Time
	// Compressed tells that it came deflated.
	Compressed bool
	Fragments  int
}

// End is how a connection ended.
type End struct {
	// Code is the close frame's status; 1005 for a close frame without one,
	// 1006 when the connection ended without a close frame (RFC 6455, 7.1.5).
	Code int
	At   time.Time
	// Err is set when the server broke the WebSocket protocol.
	Err error
}

// SocketOptions changes how a WebSocket connection is opened.
type SocketOptions struct {
	Header []wire.Field
	// Deaf leaves pings unanswered from the beginning.
	Deaf bool
}

// Raw opens a WebSocket connection to a target without expecting a packet.
func (t *T) Raw(target string, opts SocketOptions) *Socket {
	s, refusal := t.TryRaw(target, opts)
	if refusal != nil {
		t.Fail(&Failure{Message: "WebSocket handshake " + target, Want: "101 Switching Protocols", Got: summary(refusal.Response)})
	}
	return s
}

// TryRaw is [T.Raw] for a handshake that may be refused: then the answer is
// returned instead, nil when the server closed without one.
func (t *T) TryRaw(target string, opts SocketOptions) (*Socket, *Answer) {
	s := &Socket{t: t, noops: true, deaf: opts.Deaf, changed: make(chan struct{}), Asked: time.Now()}
	req := t.prepare(wire.UpgradeRequest(target, opts.Header...))
	conn, err := t.dialer.Dial(t.ctx, "ws")
	if err != nil {
		t.Failf("WebSocket handshake %s: %v", target, err)
	}
	t.Cleanup(func() { conn.Close() })
	ws, resp, err := conn.Upgrade(req, t.deadline())
	switch {
	case err != nil && resp == nil && errors.Is(err, wire.ErrClosed):
		return nil, &Answer{Response: &wire.Response{}, t: t, what: "WebSocket handshake " + target}
	case err != nil:
		t.Failf("WebSocket handshake %s: %s", target, reason(err, t.Patience))
	case ws == nil:
		return nil, &Answer{Response: resp, t: t, what: "WebSocket handshake " + target}
	}
	s.start(ws)
	return s, nil
}

// WebSocket opens an Engine.IO session over WebSocket. path may carry a query.
func (t *T) WebSocket(path string) *Socket { return t.WebSocketWith(path, SocketOptions{}) }

// WebSocketWith is [T.WebSocket] with options.
func (t *T) WebSocketWith(path string, opts SocketOptions) *Socket {
	s := t.Raw(withQuery(path, "EIO=4&transport=websocket"), opts)
	s.Open = t.parseOpen(s.Next().Text)
	return s
}

// Attach opens a WebSocket connection for the session of a polling client, the
// first step of an upgrade. A noop, which a server may mean for a poll that has
// gone, is left out of what comes there; see [Polling.AttachStrictly].
func (p *Polling) Attach() *Socket {
	s := p.AttachStrictly()
	s.noops = false
	return s
}

// AttachStrictly is [Polling.Attach] with noops as frames like others.
func (p *Polling) AttachStrictly() *Socket {
	s := p.t.Raw(p.attachTarget(), SocketOptions{Header: p.header})
	s.Open = p.Open
	return s
}

func (p *Polling) attachTarget() string {
	return strings.Replace(p.URL, "transport=polling", "transport=websocket", 1)
}

// TryAttach is [Polling.Attach] for a handshake that may be refused.
func (p *Polling) TryAttach() (*Socket, *Answer) {
	s, refusal := p.t.TryRaw(p.attachTarget(), SocketOptions{Header: p.header})
	if s != nil {
		s.Open, s.noops = p.Open, false
	}
	return s, refusal
}

// Upgrade takes the session over to WebSocket as the official clients do: probe,
// end of the pending poll, upgrade packet.
func (p *Polling) Upgrade() *Socket {
	poll := p.Poll()
	s := p.Attach()
	s.Send("2probe")
	s.Expect("3probe")
	p.queue = append(p.queue, poll.Answer().Status(200).Packets()...)
	s.Send("5")
	p.over = true
	return s
}

// Adopt writes bytes, which begin with a handshake request, to a raw connection
// and goes on with it as a WebSocket.
func (t *T) Adopt(conn *wire.Conn, request []byte) *Socket {
	s := &Socket{t: t, changed: make(chan struct{}), Asked: time.Now()}
	ws, resp, err := conn.UpgradeRaw(request, t.deadline())
	if err != nil {
		t.Failf("WebSocket handshake: %s", reason(err, t.Patience))
	}
	if ws == nil {
		t.Fail(&Failure{Message: "WebSocket handshake", Want: "101 Switching Protocols", Got: summary(resp)})
	}
	s.start(ws)
	return s
}

// start begins to read what the server sends.
func (s *Socket) start(ws *wire.WebSocket) {
	s.ws, s.Response, s.Opened = ws, ws.Response, time.Now()
	s.lastSent = s.Opened
	ws.SetReadDeadline(time.Time{})
	s.t.tasks.Go(s.read) // ends with the connection, which finish closes
}

func (s *Socket) read() {
	for {
		m, err := s.ws.Read()
		if err != nil {
			end := &End{Code: 1006, At: time.Now()}
			if errors.Is(err, wire.ErrFrame) {
				end.Err = err
			}
			s.finish(end)
			return
		}
		switch m.Op {
		case wire.Ping:
			s.ws.Send(wire.Pong, m.Payload)
		case wire.Pong:
			if s.proof(m.Payload) {
				continue
			}
			s.push(Frame{Text: fmt.Sprintf("<pong %s>", m.Payload), At: m.At})
		case wire.Close:
			s.ws.Send(wire.Close, m.Payload[:min(2, len(m.Payload))])
			s.finish(&End{Code: m.CloseCode(), At: m.At})
			s.ws.Close()
			return
		case wire.Text:
			if string(m.Payload) == "2" && s.ping(m.At) {
				continue
			}
			s.push(Frame{Text: string(m.Payload), At: m.At, Compressed: m.Compressed, Fragments: m.Fragments})
		case wire.Binary:
			s.push(Frame{Text: Bin(m.Payload...), Data: m.Payload, At: m.At, Compressed: m.Compressed, Fragments: m.Fragments})
		}
	}
}

// ping counts a ping and answers it; false means that the case wants to see it.
func (s *Socket) ping(at time.Time) bool {
	s.mu.Lock()
	s.pings = append(s.pings, at)
	deaf := s.deaf
	s.mu.Unlock()
	if deaf {
		return false
	}
	s.pong()
	return true
}

// pong answers a ping of Engine.IO, which must not go between the fragments of a
// message.
func (s *Socket) pong() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.unfinished {
		s.owed++
		return
	}
	s.ws.Send(wire.Text, []byte("3"))
	s.mu.Lock()
	n, proving := len(s.pings), s.proving
	s.mu.Unlock()
	if proving {
		s.ws.Send(wire.Ping, fmt.Appendf(nil, "read %d", n))
	}
}

func (s *Socket) push(f Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, f)
	s.wakeLocked()
}

func (s *Socket) finish(end *End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = end
	s.wakeLocked()
}

func (s *Socket) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Bin is the notation of a binary frame.
func Bin(data ...byte) string { return fmt.Sprintf("<bin %x>", data) }

// Send sends text messages, each as a frame and a write of its own.
func (s *Socket) Send(texts ...string) {
	for _, text := range texts {
		s.Frames(wire.Frame{Fin: true, Op: wire.Text, Masked: true, Payload: []byte(text)})
	}
}

// SendTogether sends text messages as frames in one write, so that they arrive
// in one segment.
func (s *Socket) SendTogether(texts ...string) {
	frames := make([]wire.Frame, len(texts))
	for i, text := range texts {
		frames[i] = wire.Frame{Fin: true, Op: wire.Text, Masked: true, Payload: []byte(text)}
	}
	s.Frames(frames...)
}

// SendBinary sends one binary message.
func (s *Socket) SendBinary(data ...byte) {
	s.Frames(wire.Frame{Fin: true, Op: wire.Binary, Masked: true, Payload: data})
}

// Frames sends frames as they are, in one write. A write that fails because the
// server has closed already is no failure: what follows tells.
func (s *Socket) Frames(frames ...wire.Frame) {
	s.sending()
	s.writing.Lock()
	defer s.writing.Unlock()
	s.ws.WriteFrames(frames...)
	for _, f := range frames {
		if f.Op == wire.Text || f.Op == wire.Binary || f.Op == wire.Continuation {
			s.unfinished = !f.Fin
		}
	}
	for ; s.owed > 0 && !s.unfinished; s.owed-- {
		s.ws.Send(wire.Text, []byte("3"))
	}
}

// SendRaw sends bytes as they are.
func (s *Socket) SendRaw(data []byte) {
	s.sending()
	s.ws.WriteRaw(data)
}

func (s *Socket) sending() {
	s.mu.Lock()
	s.lastSent = time.Now()
	s.mu.Unlock()
}

// Deafen leaves pings unanswered from now on; they are then frames like others.
func (s *Socket) Deafen() {
	s.mu.Lock()
	s.deaf = true
	s.mu.Unlock()
}

// Prove has the server say from now on, by a pong of WebSocket, that it has read
// each answer to its pings. An end after that is no ping timeout.
func (s *Socket) Prove() {
	s.mu.Lock()
	s.proving = true
	s.mu.Unlock()
}

// proof takes such a pong.
func (s *Socket) proof(payload []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := fmt.Sscanf(string(payload), "read %d", &s.proved)
	return s.proving && n == 1 && err == nil
}

// Hang ends the TCP connection without a close frame.
func (s *Socket) Hang() {
	s.t.Trace.Note(s.ws.Label, "we end the connection without a close frame")
	s.ws.Close()
}

// Reset ends the connection with a TCP reset.
func (s *Socket) Reset() { s.ws.Reset() }

// CloseWith sends a close frame; code 0 sends one without a status.
func (s *Socket) CloseWith(code int) {
	var payload []byte
	if code != 0 {
		payload = wire.ClosePayload(code, "")
	}
	s.Frames(wire.Frame{Fin: true, Op: wire.Close, Masked: true, Payload: payload})
}

// Pings returns when pings came so far.
func (s *Socket) Pings() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.pings...)
}
