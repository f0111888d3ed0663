package engineio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siokit/siokit/eioparser"
)

// Session is one client's connection, whatever carries it. All methods may be
// called from any goroutine.
//
// A session has no goroutine of its own. Packets come in on the goroutine that
// reads its link (for long-polling: that of the POST request); they go out on
// the goroutine that made the outbox non-empty, or, if that would block, on a
// writer that lives until the outbox is empty; its times are an entry of the
// server's wheel.
type Session struct {
	srv    *Server
	id     string
	first  snapshot
	parent context.Context // what Context derives from: the first request's values
	data   any

	// receiving serialises what comes in: a session that is being upgraded has
	// two links.
	receiving sync.Mutex

	state     atomic.Int32  // State; written under mu
	heartbeat atomic.Uint32 // see heartbeat.go; written under mu
	busy      atomic.Int32  // what waits for calls of the handler in progress: who calls, and the session
	protocol  uint8
	upgraded  bool  // guarded by mu
	opened    bool  // Handler.Open has returned nil: Close is owed; guarded by mu
	alarm     alarm // the heartbeat's; has its own rule

	mu     sync.Mutex
	port   *Port      // the live one
	next   *candidate // the one that wants to be, during an upgrade
	ended  *DisconnectError
	why    Reason    // with which Close ends the session, set by whoever began it
	life   *lifetime // nil until somebody asks for the context
	topics map[string]struct{}
	due    time.Duration // of the alarm, since the wheel's start
	pinged time.Duration // when the last ping was sent, likewise
	rtt    time.Duration // smoothed
	rate   *bucket       // nil: no Limits.EventsPerSecond
	outbox
}

// ID returns the session's id.
func (s *Session) ID() string { return s.id }

// Protocol returns the Engine.IO revision that the client speaks: 4, or 3.
func (s *Session) Protocol() int { return int(s.protocol) }

// Transport returns the name of the transport that carries the session now.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port.transport.Name()
}

// State returns where the session is in its life.
func (s *Session) State() State { return State(s.state.Load()) }

// Handshake returns what is kept of the session's first request, the caller's
// own copy but for TLS. It is unpacked for each call.
func (s *Session) Handshake() *Handshake { return s.first.handshake() }

// SetData keeps v for the handler, which should call it in Open: Data is not
// synchronised.
func (s *Session) SetData(v any) { s.data = v }

// Data returns what SetData was given.
func (s *Session) Data() any { return s.data }

// sessionKey finds the session in its context.
type sessionKey struct{}

// Context carries the values of the first request's context, or of the one
// that Config.Connect returned. It ends when the session does, with a
// *DisconnectError as its cause.
func (s *Session) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		ctx := context.WithValue(context.WithoutCancel(s.parent), sessionKey{}, s)
		s.life = new(lifetime)
		s.life.ctx, s.life.end = context.WithCancelCause(ctx)
		if s.ended != nil {
			s.life.end(s.ended)
		}
	}
	return s.life.ctx
}

// lifetime is the context of a session.
type lifetime struct {
	ctx context.Context
	end context.CancelCauseFunc
}

// Send queues copies of the messages, which travel together, and writes them
// unless a cork holds them back. It never blocks. ErrClosed or ErrSlowClient.
func (s *Session) Send(msgs ...Message) error {
	p := copied(msgs)
	s.mu.Lock()
	err := s.push(p, 0)
	s.pump(false)
	return err
}

// Close begins the end and returns at once: what is queued leaves, then the
// client is told, and Handler.Close is called with ForcedClose. A client that
// does not take what is queued is given up after Config.PingTimeout.
func (s *Session) Close() { s.closeFor(ForcedClose, s.srv.cfg.PingTimeout) }

// Discard ends the session at once, without sending what is queued.
func (s *Session) Discard() { s.end(ForcedClose, nil) }

// closeFor begins a graceful end, which may take as long as patience.
func (s *Session) closeFor(why Reason, patience time.Duration) {
	s.mu.Lock()
	switch s.State() {
	case Opening:
		// Handler.Open is running: the handshake looks at why when it returned.
		if s.why == "" {
			s.why = why
		}
		s.mu.Unlock()
		return
	case Open:
		s.state.Store(int32(Closing))
		s.why = why
		s.due = s.srv.wheel.now() + patience
		if s.queue == nil && !s.owned {
			s.queueClose()
		} // else release does it: the end has an answer of its own
		s.srv.wheel.scheduleAt(&s.alarm, s.due)
	default:
		s.mu.Unlock()
		return
	}
	s.pump(false)
}

// fail ends the session because its live link, p, did. A client that has read the
// farewell may be gone before whoever wrote it knows that it is written.
func (s *Session) fail(p *Port, err error) {
	s.mu.Lock()
	parting, why := s.parting, s.why
	s.mu.Unlock()
	var bad eioparser.Error
	switch {
	case parting:
		s.endOn(p, why, nil)
	case errors.As(err, &bad):
		s.endOn(p, ParseError, err)
	case err == nil || errors.Is(err, io.EOF):
		s.endOn(p, TransportClose, err)
	default:
		s.endOn(p, TransportError, err)
	}
}

// end ends the session, once. It is the only way out of the registry, and it
// calls Handler.Close on the goroutine that it runs on: it must not be called
// with a lock held.
func (s *Session) end(why Reason, err error) { s.endOn(nil, why, err) }

// endOn is end for what befell p; nil: the session itself. What becomes of a link
// that the session has left in the meantime does not end it.
func (s *Session) endOn(p *Port, why Reason, err error) {
	s.mu.Lock()
	if s.State() == Closed || p != nil && p != s.port {
		s.mu.Unlock()
		return
	}
	s.state.Store(int32(Closed))
	s.ended = &DisconnectError{Reason: why, Err: err}
	if s.life != nil {
		s.life.end(s.ended)
	}
	opened := s.opened
	links := [...]*Port{s.port, nil, s.old}
	if s.next != nil {
		links[1] = s.next.port
		s.dropCandidate()
	}
	s.abandon()
	s.mu.Unlock()
	defer s.srv.group.end()

	s.srv.wheel.cancel(&s.alarm)
	s.srv.forget(s)
	for _, p := range links {
		if p != nil {
			p.close()
		}
	}
	if opened {
		s.busy.Add(1) // the session is counted until closed has returned
		defer s.busy.Add(-1)
		s.closed()
	}
}

// closed tells the handler of the end.
func (s *Session) closed() {
	s.busy.Add(1)
	defer s.busy.Add(-1)
	defer s.recovered("Handler.Close")
	s.srv.handler.Close(s, s.ended.Reason, s.ended.Err)
}

// endSoon ends the session on a goroutine of its own, for callers that hold
// locks or have others to serve.
func (s *Session) endSoon(why Reason, err error) {
	s.srv.group.run(func() { s.end(why, err) })
}

// recovered ends the session if the handler panicked. It is deferred around
// calls of the handler, so that one client's data ends no other client.
func (s *Session) recovered(where string) {
	if v := recover(); v != nil {
		s.endSoon(TransportError, s.srv.panicked(where, v))
	}
}

// panicked reports a panic of the handler and makes an error of it.
func (srv *Server) panicked(where string, v any) error {
	srv.log.Error("engineio: panic in "+where, slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	return fmt.Errorf("engineio: panic in %s: %v", where, v)
}

// receive handles a packet from the live link, or one that it replaced: what
// was on its way then still counts. The caller holds receiving.
func (s *Session) receive(p eioparser.Packet) error {
	if s.State() != Open {
		return ErrClosed
	}
	s.srv.cfg.Trace.received(s, p)
	if p.Type != eioparser.Pong {
		s.extendPing()
	}
	switch p.Type {
	case eioparser.Message:
		if s.rate != nil && !s.rate.take(s.srv.cfg.Limits.EventsPerSecond, s.srv.wheel.now()) {
			return errTooFast
		}
		s.message(Message{Binary: p.Binary, Data: p.Data})
	case eioparser.Ping:
		return s.onPing()
	case eioparser.Pong:
		return s.onPong()
	}
	// Open, Close, Upgrade and Noop have no meaning here; the reference ignores
	// them too. A transport for which a Close packet means something handles it.
	return nil
}

func (s *Session) message(m Message) {
	s.busy.Add(1)
	defer s.busy.Add(-1)
	defer s.recovered("Handler.Message")
	s.srv.handler.Message(s, m)
}

// expired is called by the wheel.
func (s *Session) expired(*alarm) {
	switch s.State() {
	case Closing:
		s.mu.Lock()
		// The alarm may have been the heartbeat's, and the end have begun since.
		late, why := s.srv.wheel.now() >= s.due, s.why
		s.mu.Unlock()
		if late {
			s.endSoon(why, errors.New("engineio: the client did not take what was left"))
		}
	case Open:
		s.beat()
	}
}
