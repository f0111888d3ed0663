package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// upgrade tries to move the session, chapter "Upgrade" of the protocol, to the
// first transport of list that works. It runs on a goroutine of its own.
func (s *Session) upgrade(list []Transport) {
	for _, t := range list {
		ctx, cancel := context.WithTimeout(s.ctx, s.cfg.UpgradeTimeout)
		err := s.try(ctx, t)
		cancel()
		if s.over() {
			return
		}
		if h, ok := s.handler.(UpgradeHandler); ok {
			s.call("Upgraded", func() { h.Upgraded(s, t.Name(), err) })
		}
		if err == nil {
			return
		}
	}
}

// try probes a transport and moves the session to it.
func (s *Session) try(ctx context.Context, t Transport) error {
	link, err := t.Dial(ctx, s.target(t, s.hs.SID))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, link.Close)
	err = probe(link)
	var old Link
	if err == nil {
		old, err = s.move(ctx, t, link, stop)
	}
	stop()
	if err != nil {
		link.Close()
		return err
	}
	s.awaitLeft(old)
	return nil
}

// probe asks whether a link works, and answers.
func probe(link Link) error {
	if err := link.Send([]eioparser.Packet{{Type: eioparser.Ping, Data: []byte("probe")}}); err != nil {
		return err
	}
	p, err := link.Receive()
	if err != nil {
		return err
	}
	if p.Type != eioparser.Pong || string(p.Data) != "probe" {
		return fmt.Errorf("engineio: the answer to the probe is %v", p.Type)
	}
	return nil
}

// errStays: the session is ending, or its link cannot be left.
var errStays = errors.New("engineio: the session stays where it is")

// move leaves the old link and makes a probed one the session's. What is sent
// meanwhile waits in the outbox; what the server sent over the old link is read
// before what comes over the new one. So nothing is lost or overtaken.
//
// ctx ends the attempt until keep is called, which is before the server is told: from
// then on next may carry the session, and only the session's end closes it.
func (s *Session) move(ctx context.Context, t Transport, next Link, keep func() bool) (Link, error) {
	attempt := ctx
	ctx, stay := context.WithCancelCause(attempt)
	defer stay(nil)
	old, idle, err := s.hold(stay)
	if err != nil {
		return nil, err
	}
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err == nil {
		err = old.Leave(ctx)
	}
	if err == nil && !keep() {
		err = context.Cause(attempt)
	}
	if err == nil {
		defer context.AfterFunc(s.ctx, next.Close)()
		err = next.Send([]eioparser.Packet{{Type: eioparser.Upgrade}})
	}
	s.mu.Lock()
	if err == nil && s.state == engineio.Closed {
		err = errStays
	}
	if err == nil {
		s.transport, s.link = t, next
	}
	s.held = false
	close(s.moving)
	s.moving = nil
	s.pump()
	s.mu.Unlock()
	return old, err
}

// awaitLeft waits until the old link has been read to its end, where the server
// closes it, which it should soon. What is left of the upgrade's time may be too
// short for what is still on its way.
func (s *Session) awaitLeft(old Link) {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.UpgradeTimeout)
	defer cancel()
	select {
	case <-s.left:
	case <-ctx.Done():
		old.Close()
	}
}

// leavable is a link that can be left.
type leavable interface {
	Link
	Leaver
}

// hold keeps the writer from taking more, and returns what is closed when it has
// ended; nil: there is none.
func (s *Session) hold(stay context.CancelCauseFunc) (leavable, chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.link.(leavable)
	if !ok || s.state == engineio.Closed || s.parting {
		return nil, nil, errStays
	}
	s.held, s.moving, s.left, s.stay = true, make(chan struct{}), make(chan struct{}), stay
	if s.writing && s.idle == nil {
		s.idle = make(chan struct{})
	}
	return old, s.idle, nil
}
