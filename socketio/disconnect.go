package socketio

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// end takes the socket out of its namespace, at once, on the goroutine that
// saw the reason; who comes second finds nothing to do. With farewell the
// client is told. The hooks follow on the dispatcher.
func (s *Socket) end(reason Reason, err error, farewell bool) {
	why := &DisconnectError{Reason: reason, Err: err}

	s.mu.Lock()
	before := s.state()
	if before == gone {
		s.mu.Unlock()
		return
	}
	if before == joined && farewell {
		s.sayGoodbye()
	}
	nsp, entered := s.depart(why)
	s.mu.Unlock()

	s.conn.remove(s, farewell)
	if entered {
		rooms := s.leaveAll(nsp, before, why)
		if before == joined || s.recovered {
			nsp.remove(s)
			s.noteLeft(rooms)
		}
		if before == joined {
			s.conclude(why)
		}
		nsp.leave()
	}
	if farewell {
		s.conn.session.Wake()
	}
}

// ending reports whether the socket is gone, or goes at this moment: its client may
// have read the goodbye while end still holds the lock.
func (s *Socket) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state() == gone
}

// noteLeft notes that the socket is out of its namespace, and which rooms it was
// in.
func (s *Socket) noteLeft(rooms []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms, s.left = rooms, true
	if s.leaving != nil {
		close(s.leaving)
	}
}

// awaitLeft waits until a socket that is ending is out of its namespace.
func (s *Socket) awaitLeft(ctx context.Context) error {
	s.mu.Lock()
	if s.left {
		s.mu.Unlock()
		return nil
	}
	if s.leaving == nil {
		s.leaving = make(chan struct{})
	}
	leaving := s.leaving
	s.mu.Unlock()
	select {
	case <-leaving:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// depart marks the socket as gone and frees what waits for it. s.mu is held.
// It returns the namespace and whether the socket is counted there.
func (s *Socket) depart(why *DisconnectError) (nsp *Namespace, entered bool) {
	s.cancel(why)
	s.life.Store(uint32(gone))
	for _, waiting := range s.acks {
		waiting.answered(s, sioparser.Args{}, why)
	}
	s.acks, s.early, s.told = nil, nil, nil
	entered = s.entered
	s.entered = false
	return s.nsp, entered
}

// sayGoodbye queues a DISCONNECT packet, which is built once for a namespace.
func (s *Socket) sayGoodbye() {
	if p, err := s.nsp.goodbye(); err == nil {
		_ = s.conn.session.Push(p, 0) // a session that ended needs no goodbye
	}
}

// leaveAll takes the socket out of the adapter and returns the rooms that it
// was in; its session is stored where it may come back. One that was recovered has
// it to lose also before its return was answered.
func (s *Socket) leaveAll(nsp *Namespace, before state, why *DisconnectError) []string {
	if (before == joined || s.recovered) && s.privateID != "" && recoverable(why.Reason) {
		data, value := s.data.persist()
		rooms, err := nsp.store.Persist(s, adapter.Session{
			SocketID: s.id, PrivateID: s.privateID, Data: data, Value: value,
		})
		if err != nil { // it is out of its rooms all the same, or was before
			rooms = append(rooms, nsp.adapter.Remove(s)...)
		}
		return rooms
	}
	return nsp.adapter.Remove(s)
}

// A conclusion is the last thing that happens to a socket: its hooks, once.
type conclusion struct {
	begun atomic.Bool // by the dispatcher or by the timer; the other one does not wait
	timer *time.Timer // for the dispatcher; nil if that was idle
}

// conclude has the hooks called behind the events that wait, or beside a
// handler that holds them up for too long.
func (s *Socket) conclude(why *DisconnectError) {
	if !s.mourned() && s.queue.close() { // who is at work may still register some
		s.logEnd(why)
		return
	}
	c := new(conclusion)
	last := &task{step: func() {
		if c.timer != nil {
			c.timer.Stop()
		}
		s.runConclusion(c, why)
	}}
	if grace := s.conn.server.config.DisconnectGrace; grace > 0 && s.queue.busy() {
		c.timer = time.AfterFunc(grace, func() {
			s.conn.server.crew.enter()
			defer s.conn.server.crew.leave()
			s.runConclusion(c, why)
		})
	}
	if s.queue.pushLast(last) {
		s.startDispatcher()
	}
}

// mourned reports whether there is any hook to call.
func (s *Socket) mourned() bool {
	for _, l := range s.listeners() {
		if !l.disconnecting.empty() || !l.disconnect.empty() || !l.errors.empty() {
			return true
		}
	}
	return false
}

func (s *Socket) runConclusion(c *conclusion, why *DisconnectError) {
	if c.begun.Swap(true) {
		return
	}
	if why.Err != nil && !reported(why.Err) {
		s.reportEnd(why)
	}
	ctx := context.WithoutCancel(s.ctx)
	for _, l := range s.listeners() {
		for _, h := range l.disconnecting.all() {
			s.report(s.runHook(func() { (*h)(ctx, s, why) }))
		}
	}
	s.mu.Lock()
	s.rooms = nil
	s.mu.Unlock()
	for _, l := range s.listeners() {
		for _, h := range l.disconnect.all() {
			s.report(s.runHook(func() { (*h)(ctx, s, why) }))
		}
	}
}

// reported holds for causes that OnError has had already.
func reported(err error) bool {
	var panicked *PanicError
	return errors.As(err, &panicked)
}

// reportEnd hands the cause of an end to OnError.
func (s *Socket) reportEnd(why *DisconnectError) {
	for _, l := range s.listeners() {
		if !l.errors.empty() {
			s.report(why.Err)
			return
		}
	}
	s.logEnd(why)
}

// logEnd logs what nobody wants to hear of: a warning where the client misused
// the protocol or a limit was hit. A connection that broke is daily life.
func (s *Socket) logEnd(why *DisconnectError) {
	if why.Err == nil || reported(why.Err) {
		return
	}
	switch why.Reason {
	case engineio.TransportClose, engineio.PingTimeout:
		s.conn.server.config.Logger.Debug("socketio: connection ended", "namespace", s.name, "socket", s.id, "error", why)
	default:
		s.log("connection ended", why)
	}
}

func (s *Socket) log(what string, err error) {
	attributes := []any{"namespace", s.name}
	if !s.conn.legacy { // whose ids contain the session's, which is a secret
		attributes = append(attributes, "socket", s.id)
	}
	s.conn.server.config.warn(what, err, attributes...)
}
