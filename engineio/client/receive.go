package client

import (
	"errors"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// run is the reader: the one goroutine of an open session. It reads one link
// after the other and tells the handler of the end.
func (s *Session) run(link Link) {
	defer close(s.done)
	for link != nil {
		err := s.read(link)
		link = s.following(link, err)
	}
	s.running.Wait()
	s.call("Close", func() { s.handler.Close(s, s.ended.Reason, s.ended.Err) })
	s.telling.Wait()
}

// read hands on what comes over a link until it ends.
func (s *Session) read(link Link) error {
	for {
		p, err := link.Receive()
		if err != nil {
			return err
		}
		if s.over() {
			return engineio.ErrClosed
		}
		switch p.Type {
		case eioparser.Ping:
			s.pinged()
		case eioparser.Message:
			s.call("Message", func() { s.handler.Message(s, engineio.Message{Binary: p.Binary, Data: p.Data}) })
		case eioparser.Close:
			return errClosed
		}
		// The others mean nothing here; the official client ignores them too.
	}
}

// pinged answers a ping.
func (s *Session) pinged() {
	s.mu.Lock()
	if s.state == engineio.Closed {
		s.mu.Unlock()
		return
	}
	wait := s.hs.PingInterval + s.hs.PingTimeout
	s.deadline = time.Now().Add(wait)
	s.silence.Reset(wait)
	s.queuePong()
	s.mu.Unlock()
	if h, ok := s.handler.(PingHandler); ok {
		s.call("Ping", func() { h.Ping(s) })
	}
}

// silent is called when the server has not pinged for too long. A ping may have come
// since.
func (s *Session) silent() {
	s.mu.Lock()
	late := !time.Now().Before(s.deadline)
	s.mu.Unlock()
	if late {
		s.end(engineio.PingTimeout, nil)
	}
}

// Overdue reports whether the server should have pinged before now, and ends the
// session if so. It goes by the wall clock, so it knows, as timers do not yet,
// that the machine was asleep in between: what is sent now would be lost.
func (s *Session) Overdue() bool {
	s.mu.Lock()
	overdue := s.state != engineio.Closed && time.Now().Round(0).After(s.deadline.Round(0))
	s.mu.Unlock()
	if overdue {
		s.end(engineio.PingTimeout, nil)
	}
	return overdue
}

// following returns the link that is to be read after one that returned err: the
// one that the session moved to, the same one if a move came to nothing, or nil
// at the end.
func (s *Session) following(link Link, err error) Link {
	s.mu.Lock()
	moving, stay := s.moving, s.stay
	s.mu.Unlock()
	if moving != nil {
		if !errors.Is(err, ErrLeft) {
			stay(err) // unless the move is done as far as the server is concerned
		}
		<-moving
	}
	if s.over() {
		return nil
	}
	s.mu.Lock()
	next := s.link
	s.mu.Unlock()
	switch {
	case next != link:
		link.Close()
		close(s.left)
		return next
	case errors.Is(err, ErrLeft):
		return link
	}
	s.fail(err)
	return nil
}
