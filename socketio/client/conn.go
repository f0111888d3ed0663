package client

import (
	"context"
	"errors"
	"time"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// A conn is one connection, from one Engine.IO handshake to its end.
type conn struct {
	client  *Client
	ctx     context.Context // ends when nobody wants it
	attempt int             // which one led to it; 0: the first

	// Set by Open, before anybody else has it.
	session *engine.Session

	decoder sioparser.Decoder // owned by the goroutine that reads

	// Guarded by the client's mu.
	flushing bool             // a goroutine waits for room in the outbox
	leaving  bool             // nobody wants it any more
	left     bool             // a DISCONNECT was sent
	why      *DisconnectError // why it ended, once it is known
}

var (
	_ engine.Handler        = (*conn)(nil)
	_ engine.UpgradeHandler = (*conn)(nil)
)

// Open implements engine.Handler.
func (k *conn) Open(session *engine.Session) {
	k.session = session
	c := k.client
	if k.attempt > 0 {
		c.announce(&c.returned, k.attempt)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = k
	k.leaving = k.ctx.Err() != nil // unwant knew nothing of it yet
	for _, s := range c.sockets {
		if s.wanted && !k.leaving {
			s.join(k)
		}
	}
}

// Message implements engine.Handler: on the goroutine that reads, where no user
// code runs.
func (k *conn) Message(_ *engine.Session, m engineio.Message) {
	p, err := k.decoder.Decode(m.Data, m.Binary)
	switch {
	case err != nil:
		k.fail(&DisconnectError{Reason: engineio.ParseError, Err: err})
	case p != nil:
		k.receive(p)
	}
}

// Close implements engine.Handler.
func (k *conn) Close(_ *engine.Session, reason engineio.Reason, err error) {
	c := k.client
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	if k.why == nil {
		k.why = &DisconnectError{Reason: reason, Err: err}
	}
	for _, s := range c.sockets {
		s.lost(k.why)
	}
}

// Upgraded implements engine.UpgradeHandler.
func (k *conn) Upgraded(_ *engine.Session, transport string, err error) {
	c := k.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.upgraded.all {
		c.events.add(task{run: func() { c.call(func() { (*h)(c.ctx, transport, err) }) }})
	}
}

// fail ends the connection for a reason of ours.
func (k *conn) fail(why *DisconnectError) {
	k.client.mu.Lock()
	if k.why == nil {
		k.why = why
	}
	k.client.mu.Unlock()
	k.session.Discard()
}

// control sends a packet that is no event, behind what is queued, however much
// that is. It fails if the packet can't be one. The caller holds mu.
func (k *conn) control(p *sioparser.Packet) error {
	k.left = k.left || p.Type == sioparser.Disconnect
	prepared, err := encode(k.client.config.Codec, p)
	if err == nil {
		err = k.session.Push(prepared, engineio.Overflow)
	}
	if errors.Is(err, engineio.ErrClosed) {
		return nil // Close follows
	}
	return err
}

// unanswered gives the connection up if nothing has come of it: a CONNECT was
// not answered in time, and no namespace is joined. The caller holds mu.
func (k *conn) unanswered() {
	for _, s := range k.client.sockets {
		if s.joined {
			return
		}
	}
	if k.why == nil {
		k.why = &DisconnectError{Reason: engineio.ForcedClose, Err: ErrTimeout}
	}
	k.session.Discard()
}

// farewellTime is the time between a DISCONNECT and the end of the connection.
// npm's server handles an end at once, and packets that came with it afterwards:
// it would not see that the client has left on purpose.
const farewellTime = 10 * time.Millisecond

// part ends the connection when what is queued has left, or is not waited for
// any longer, and returns when it has ended.
func (k *conn) part() {
	cut := k.client.cut
	for empty := !k.farewell(); !empty && cut.Err() == nil && k.session.Context().Err() == nil; {
		empty = k.session.BufferedBytes() == 0
		sleep(cut, farewellTime)
	}
	k.session.Close()
	select {
	case <-k.session.Done():
	case <-cut.Done():
		k.session.Discard()
		<-k.session.Done()
	}
}

// farewell reports whether a DISCONNECT was sent.
func (k *conn) farewell() bool {
	k.client.mu.Lock()
	defer k.client.mu.Unlock()
	return k.left
}

// encode turns a packet into the messages that carry it.
func encode(codec sioparser.Codec, p *sioparser.Packet) (*engineio.Prepared, error) {
	size := len(p.Namespace) + len(p.Name) + len(p.Args.Raw()) + len(p.Payload) + 32
	head, binary, attachments, err := codec.AppendPacket(make([]byte, 0, size), p)
	if err != nil {
		return nil, &socketio.ArgumentError{Event: string(p.Name), Err: err}
	}
	messages := make([]engineio.Message, 1, 1+len(attachments))
	messages[0] = engineio.Message{Binary: binary, Data: head}
	for _, b := range attachments {
		messages = append(messages, engineio.Binary(b))
	}
	return engineio.Prepare(messages...), nil
}
