package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"runtime/debug"
	"sync"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// Session is a connection to a server, whatever carries it. All methods may be
// called from any goroutine.
type Session struct {
	// Immutable once Dial has returned.
	cfg     Config
	base    *url.URL
	handler Handler
	hs      eioparser.Handshake
	ctx     context.Context
	cancel  context.CancelCauseFunc
	done    chan struct{}

	// calls is held while the handler runs.
	calls sync.Mutex

	telling sync.WaitGroup // what tells the server of the end
	running sync.WaitGroup // writer and upgrade; grows under mu only, and not after the end

	mu        sync.Mutex
	state     engineio.State
	transport Transport
	link      Link
	moving    chan struct{}           // closed when a move to another link is decided; nil: there is none
	left      chan struct{}           // closed when the link that was left has been read to its end
	stay      context.CancelCauseFunc // ends a move whose old link broke
	ended     *engineio.DisconnectError
	silence   *time.Timer        // ends the session if the server does not ping
	deadline  time.Time          // when that is
	patience  *time.Timer        // ends a graceful close
	untell    context.CancelFunc // ends what tells the server; nil if nothing does
	outbox
}

func newSession(ctx context.Context, base *url.URL, h Handler, cfg Config) *Session {
	s := &Session{cfg: cfg, base: base, handler: h, done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return s
}

// ID returns the session's id.
func (s *Session) ID() string { return s.hs.SID }

// Handshake returns what the server said when the session began. It must not be
// changed.
func (s *Session) Handshake() eioparser.Handshake { return s.hs }

// Transport returns the name of the transport that carries the session now.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transport.Name()
}

// State returns where the session is in its life.
func (s *Session) State() engineio.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Context carries the values of the context that Dial was given. It ends when
// the session does, with an *engineio.DisconnectError as its cause.
func (s *Session) Context() context.Context { return s.ctx }

// Done is closed when the session is over: Handler.Close has returned, and
// nothing of the session runs any more.
func (s *Session) Done() <-chan struct{} { return s.done }

// open tells the handler and starts what runs.
func (s *Session) open() {
	s.mu.Lock()
	s.state = engineio.Open
	wait := s.hs.PingInterval + s.hs.PingTimeout
	s.deadline = time.Now().Add(wait)
	s.silence = time.AfterFunc(wait, s.silent)
	s.mu.Unlock()
	s.call("Open", func() { s.handler.Open(s) })
	first := s.link // a move may be done before run has begun
	if list := s.offered(); len(list) > 0 {
		s.mu.Lock()
		s.start(func() { s.upgrade(list) })
		s.mu.Unlock()
	}
	go s.run(first)
}

// start runs f on a goroutine that the session waits for. The caller holds mu.
func (s *Session) start(f func()) bool {
	if s.state == engineio.Closed {
		return false
	}
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		f()
	}()
	return true
}

// call runs a method of the handler. A panic ends the session.
func (s *Session) call(method string, f func()) {
	s.calls.Lock()
	defer s.calls.Unlock()
	defer func() {
		if v := recover(); v != nil {
			s.cfg.Logger.Error("engineio: panic in Handler."+method, slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			s.end(engineio.TransportError, fmt.Errorf("engineio: panic in Handler.%s: %v", method, v))
		}
	}()
	f()
}

// Close begins the end and returns at once: what is queued leaves, then the
// server is told, and Handler.Close is called with ForcedClose. A server that
// does not take what is queued is given up after its ping timeout.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != engineio.Open {
		return
	}
	s.state = engineio.Closing
	s.patience = time.AfterFunc(s.hs.PingTimeout, func() {
		s.end(engineio.ForcedClose, errors.New("engineio: the server did not take what was left"))
	})
	s.queue = append(s.queue, eioparser.Packet{Type: eioparser.Close})
	s.pump()
}

// Discard ends the session at once, without sending what is queued.
func (s *Session) Discard() {
	s.end(engineio.ForcedClose, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.untell != nil {
		s.untell()
	}
}

// end ends the session, once. The reader tells the handler.
func (s *Session) end(why engineio.Reason, err error) {
	s.mu.Lock()
	if s.state == engineio.Closed {
		s.mu.Unlock()
		return
	}
	if s.state == engineio.Closing && s.parting {
		why, err = engineio.ForcedClose, nil // the end that was asked for
	}
	link := s.link
	forsaken, tell := link.(forsaker)
	var ctx context.Context
	if tell = tell && s.state == engineio.Open && (why == engineio.TransportError || why == engineio.PingTimeout); tell {
		s.telling.Add(1)
		ctx, s.untell = context.WithTimeout(context.Background(), tellTime)
	}
	s.state = engineio.Closed
	s.ended = &engineio.DisconnectError{Reason: why, Err: err}
	s.silence.Stop()
	if s.patience != nil {
		s.patience.Stop()
	}
	s.abandon()
	s.mu.Unlock()
	s.cancel(s.ended)
	if !tell {
		link.Close()
		return
	}
	go func() { // run waits
		defer s.telling.Done()
		defer s.untell()
		forsaken.part(ctx)
	}()
}

// tellTime is how long a server may take to hear that its session is over. Until
// then the session is not Done.
const tellTime = time.Second

// forsaker is a Link whose server does not see by itself that it was broken off.
type forsaker interface {
	// part tells the server, if ctx gives it the time, and ends the link.
	part(ctx context.Context)
}

// fail ends the session because its link did.
func (s *Session) fail(err error) {
	if errors.Is(err, io.EOF) {
		s.end(engineio.TransportClose, err)
	} else {
		s.end(engineio.TransportError, err)
	}
}

// over reports whether the session has ended.
func (s *Session) over() bool { return s.ctx.Err() != nil }
