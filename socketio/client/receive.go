package client

import (
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// eventCost is what an event counts in a buffer beside its bytes.
const eventCost = 256

// receive routes a packet, on the goroutine that reads. What is out of place is
// ignored, as the official client does: it may belong to a namespace that the
// client has just left.
func (k *conn) receive(p *sioparser.Packet) {
	c := k.client
	c.mu.Lock()
	s := c.sockets[p.Namespace]
	if s == nil || s.attempt == nil || s.attempt.conn != k {
		c.mu.Unlock()
		return
	}
	var err error
	switch p.Type {
	case sioparser.Connect:
		if s.attempt.asked {
			s.welcomed(p.Payload)
		}
	case sioparser.ConnectError:
		if s.attempt.asked {
			s.withdraw(s.refusal(p.Payload))
		}
	case sioparser.Disconnect:
		s.kicked()
	case sioparser.Ack, sioparser.BinaryAck:
		s.resolve(p)
	default:
		err = s.receiveEvent(p)
	}
	c.mu.Unlock()
	if err != nil {
		k.fail(&DisconnectError{Reason: engineio.TransportError, Err: err})
	}
}

// welcomed takes the answer to CONNECT. The caller holds mu.
func (s *Socket) welcomed(payload []byte) {
	var welcome struct {
		SID string `json:"sid"`
		PID string `json:"pid"`
	}
	if len(payload) == 0 || s.client.config.Values.BindJSON(payload, &welcome) != nil || welcome.SID == "" {
		s.withdraw(ErrVersion)
		return
	}
	s.connected(welcome.SID, welcome.PID)
}

// refusal is the error that CONNECT was answered with.
func (s *Socket) refusal(payload []byte) error {
	e := &ConnectError{Namespace: s.namespace}
	var said struct {
		Message string           `json:"message"`
		Data    sioparser.RawArg `json:"data"`
	}
	values := s.client.config.Values
	if values.BindJSON(payload, &said) == nil {
		e.Message, e.Data = said.Message, said.Data
	} else if values.BindJSON(payload, &e.Message) != nil { // servers of revision 4 send a text
		e.Message = string(payload)
	}
	return e
}

// receiveEvent queues an event for its handlers. The caller holds mu.
func (s *Socket) receiveEvent(p *sioparser.Packet) error {
	size := int64(eventCost + len(p.Args.Raw()) + len(p.Name))
	for _, b := range p.Args.Attachments() {
		size += int64(len(b))
	}
	if s.held+size > s.client.config.Inbox && s.held > 0 {
		return socketio.ErrInboxFull
	}
	args := p.Args.Clone()
	if !s.joined && len(s.early) == 0 {
		s.handled = s.offset
	}
	s.remember(args)
	var reply func([]any) error
	if p.HasID {
		a, id := s.attempt, p.ID
		reply = func(values []any) error { return s.acknowledge(a, id, values) }
	}
	ev := socketio.NewIncoming(string(p.Name), args, s.client.config.Values, reply)
	t := task{size: size, run: func() { s.handle(ev) }}
	if s.joined {
		s.add(t)
	} else {
		s.early = append(s.early, t)
		s.held += size
	}
	return nil
}

// remember keeps the offset that a server with recovery appends to its events:
// the last argument, if it is a string. The caller holds mu.
func (s *Socket) remember(args sioparser.Args) {
	n := args.Len()
	if s.pid == "" || n == 0 {
		return
	}
	last := args.Slice(n-1, n)
	if raw := last.Raw(); raw[0] != '"' {
		return
	}
	var offset string
	if s.client.config.Values.Bind(last, &offset) == nil {
		s.offset = offset
	}
}
