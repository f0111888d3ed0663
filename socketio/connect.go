package socketio

import (
	"context"
	"errors"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// connectAtOnce answers a CONNECT that nobody has to be asked about, on the
// goroutine that reads; only the connection hooks need a dispatcher.
func (s *Socket) connectAtOnce() {
	welcome := len(s.nsp.connectionHooks()) > 0
	if welcome { // before anybody can end it: the end's hooks come behind
		s.queue.push(&task{step: s.welcome})
	}
	if err := s.join(); err != nil {
		s.refused(err)
		return
	}
	s.conn.session.Wake()
	if welcome {
		s.startDispatcher()
	} else if !s.queue.rest() {
		s.startDispatcher() // it has ended already, and left its last task
	}
}

// welcome calls the connection hooks.
func (s *Socket) welcome() {
	for _, h := range s.nsp.connectionHooks() {
		s.report(s.runHook(func() { (*h)(s.ctx, s) }))
	}
}

// connect is the work of a CONNECT as the first task of a socket's dispatcher:
// find the namespace, restore or begin, pass the middlewares, answer, call the
// connection hooks. Events that arrive meanwhile wait behind it.
func (s *Socket) connect() {
	defer s.conn.settled(s)
	defer s.refused(errAbandoned) // if it neither joined nor was refused: a middleware ended its goroutine
	ctx, cancel := s.ctx, context.CancelFunc(func() {})
	if d := s.conn.server.config.ConnectTimeout; d > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, d, ErrConnectTimeout)
	}
	defer cancel()
	// A middleware that ignores its context keeps this goroutine, but not the
	// client waiting.
	stop := context.AfterFunc(ctx, func() {
		if context.Cause(ctx) == ErrConnectTimeout {
			s.refused(&MiddlewareError{Err: ErrConnectTimeout})
		}
	})
	err := s.prepare(ctx)
	stop()
	if err == nil {
		err = s.join()
	}
	if err != nil {
		s.refused(err)
		return
	}
	s.welcome()
}

// prepare does everything before the answer.
func (s *Socket) prepare(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	if s.nsp.store != nil && !s.conn.legacy {
		passed, err := s.recover(ctx)
		if err != nil {
			return err
		}
		if passed && !s.conn.server.config.Recovery.RunMiddlewares {
			return nil
		}
	}
	for _, m := range s.nsp.middlewares() {
		if err := s.runMiddleware(ctx, *m); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// errInvalidNamespace refuses a CONNECT to a namespace that does not exist and
// that no parent lets come into being.
var errInvalidNamespace = errors.New("socketio: invalid namespace")

// errAbandoned stands for what a middleware or an inline handler would have
// returned that called runtime.Goexit instead, as testing's FailNow does.
var errAbandoned = errors.New("socketio: a handler ended its goroutine")

// enter finds the socket's namespace, or has it made, and counts the socket in
// so that it is not cleaned up.
func (s *Socket) enter(ctx context.Context) error {
	for {
		s.mu.Lock()
		nsp, entered, over := s.nsp, s.entered, s.state() == gone
		s.mu.Unlock()
		if over {
			return s.goneError()
		}
		if entered {
			return nil
		}
		if nsp == nil {
			var err error
			if nsp, err = s.conn.server.resolve(ctx, s); err != nil {
				return err
			}
		}
		select {
		case <-nsp.ready:
		case <-ctx.Done():
			if nsp.enter() { // it may have been made for this socket alone
				nsp.leave()
			}
			return context.Cause(ctx)
		}
		if nsp.enter() {
			if s.settleIn(nsp) {
				return nil
			}
			nsp.leave()
			return s.goneError()
		}
		// It was cleaned up at this moment.
		s.settleIn(nil)
	}
}

// settleIn notes the namespace that the socket is counted in; nil if that has
// to be found again. It reports false for a socket that is gone.
func (s *Socket) settleIn(nsp *Namespace) bool {
	return s.settle(func() { s.nsp, s.entered = nsp, nsp != nil })
}

// settle has the CONNECT's work write what the socket is. It does not, and reports
// false, for a socket that is gone, which does not change any more: those who report
// its end read it without a lock.
func (s *Socket) settle(write func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state() == gone {
		return false
	}
	write()
	return true
}

func (s *Socket) runMiddleware(ctx context.Context, m Middleware) (err error) {
	defer recovered(&err)
	if err := m(ctx, s); err != nil {
		return &MiddlewareError{Err: err}
	}
	return nil
}

// join answers the CONNECT, and makes the socket one of its namespace. What was
// sent to it until now follows the answer; but what a recovered socket missed
// goes before, as in the reference.
func (s *Socket) join() error {
	answer, err := s.greeting()
	if err != nil {
		return err
	}
	if err := s.nsp.adapter.Join(s, s.id); err != nil {
		if errors.Is(err, adapter.ErrRemoved) {
			return s.goneError()
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state() == gone:
		return s.goneError()
	case s.flooded:
		return engineio.ErrSlowClient
	case !s.conn.mayJoin():
		return ErrConnectTimeout
	}
	if !s.recovered {
		_ = s.conn.session.Push(answer, 0) // an ended session is noticed by its Close
	}
	for _, early := range s.early {
		_ = s.conn.session.Push(early, 0)
	}
	if s.recovered {
		_ = s.conn.session.Push(answer, 0)
	}
	s.early = nil
	s.served = true
	s.nsp.add(s)
	s.life.Store(uint32(joined))
	return nil
}

// greeting is the answer to the CONNECT.
func (s *Socket) greeting() (*engineio.Prepared, error) {
	if s.conn.legacy {
		return encode(s.conn.server.config.Codec, &sioparser.Packet{Type: sioparser.Connect, Namespace: s.name})
	}
	payload := make([]byte, 0, len(s.id)+len(s.privateID)+len(`{"sid":"","pid":""}`))
	payload = quoted(append(payload, `{"sid":`...), s.id)
	if s.privateID != "" {
		payload = quoted(append(payload, `,"pid":`...), s.privateID)
	}
	return encode(s.conn.server.config.Codec, &sioparser.Packet{
		Type: sioparser.Connect, Namespace: s.name, Payload: append(payload, '}'),
	})
}

// refused ends a socket that has not joined, and tells the client why.
func (s *Socket) refused(err error) {
	s.mu.Lock()
	if s.state() != waiting {
		s.mu.Unlock()
		return // it has joined, or the client has gone already
	}
	nsp, entered := s.depart(&DisconnectError{Reason: ServerNamespaceDisconnect, Err: err})
	s.mu.Unlock()

	s.conn.remove(s, true)
	if entered {
		nsp.adapter.Remove(s)
		if s.recovered {
			nsp.remove(s)
			s.noteLeft(nil)
		}
		nsp.leave()
	}
	s.report(err)
	if errors.Is(err, engineio.ErrSlowClient) {
		s.conn.fail(engineio.TransportError, err)
		return
	}
	told := wireError{Message: internalErrorText}
	s.report(s.runHook(func() { told = refusal(err) })) // it calls methods of the application's error
	s.conn.refuse(s.name, told)
}

// refusal is what the client is told. The text of a middleware's error is meant
// for it, as in the reference; that of other errors is not.
func refusal(err error) wireError {
	var public *PublicError
	var refused *MiddlewareError
	switch {
	case errors.As(err, &public):
		return wireError{public.Message, public.Data}
	case errors.Is(err, errInvalidNamespace):
		return wireError{Message: invalidNamespaceText}
	case errors.Is(err, ErrConnectTimeout):
		return wireError{Message: connectTimeoutText}
	case errors.As(err, &refused):
		return wireError{Message: refused.Err.Error()}
	}
	return wireError{Message: internalErrorText}
}
