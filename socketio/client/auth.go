package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siokit/siokit/sioparser"
)

// introduce sends CONNECT, with what Auth returns, and watches over the answer.
// It runs on a goroutine of its own, as long as the answer is waited for.
func (s *Socket) introduce(a *attempt) {
	ctx := a.conn.session.Context() // ends with the connection
	payload, ok := s.payload(ctx, a)
	if !ok {
		return
	}
	c := s.client
	c.mu.Lock()
	if s.attempt == a {
		a.asked = true
		if err := a.conn.control(&sioparser.Packet{Type: sioparser.Connect, Namespace: s.namespace, Payload: payload}); err != nil {
			s.withdraw(fmt.Errorf("socketio: CONNECT: %w", err))
		}
	}
	c.mu.Unlock()
	if c.config.Timeout < 0 {
		return
	}
	t := time.NewTimer(c.config.Timeout)
	defer t.Stop()
	select {
	case <-a.answered: // also when the connection has ended
	case <-t.C:
		c.mu.Lock()
		defer c.mu.Unlock()
		if s.attempt != a || s.joined {
			return // it was answered at the same moment
		}
		if s.wanted {
			s.refused(ErrTimeout)
		}
		a.conn.unanswered()
	}
}

// payload asks Auth until it has an answer. It is false if that isn't needed
// any more.
func (s *Socket) payload(ctx context.Context, a *attempt) ([]byte, bool) {
	delays := backoff{config: &s.client.config}
	for {
		payload, err := s.authenticate(ctx)
		if err == nil {
			return payload, true
		}
		c := s.client
		c.mu.Lock()
		current := s.attempt == a
		if current && (c.config.NoReconnection || delays.spent()) {
			s.withdraw(fmt.Errorf("socketio: auth: %w", err))
			current = false
		} else if current {
			s.refused(fmt.Errorf("socketio: auth: %w", err))
		}
		c.mu.Unlock()
		if !current {
			return nil, false
		}
		t := time.NewTimer(delays.next())
		select {
		case <-t.C:
		case <-a.answered:
			t.Stop()
			return nil, false
		}
	}
}

// authenticate makes the payload of a CONNECT: what Auth returns, an object, and
// what a server needs to recover the session.
func (s *Socket) authenticate(ctx context.Context) (payload []byte, err error) {
	c := s.client
	if c.config.Auth != nil {
		if payload, err = s.askAuth(ctx); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	pid, offset := s.pid, s.offset
	c.mu.Unlock()
	if pid == "" {
		return payload, nil
	}
	recovery := struct {
		PID    string `json:"pid"`
		Offset string `json:"offset,omitempty"`
	}{pid, offset}
	head, err := c.config.Values.AppendJSON(nil, recovery)
	if err != nil || len(payload) <= len("{}") {
		return head, err
	}
	// Members of the application's come last, so that they win.
	head[len(head)-1] = ','
	return append(head, payload[1:]...), nil
}

var errNoObject = errors.New("it returned neither a struct nor a map")

// askAuth calls Auth and encodes what it returns.
func (s *Socket) askAuth(ctx context.Context) (payload []byte, err error) {
	defer recovered(&err)
	value, err := s.client.config.Auth(ctx, s.namespace)
	if err != nil || value == nil {
		return nil, err
	}
	payload, err = s.client.config.Values.AppendJSON(nil, value)
	if err != nil {
		return nil, err
	}
	payload = bytes.TrimSpace(payload)
	if bytes.Equal(payload, []byte("null")) {
		return nil, nil
	}
	if payload[0] != '{' {
		return nil, errNoObject
	}
	return payload, nil
}
