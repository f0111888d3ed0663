package socketio

import (
	"errors"
	"sync"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/internal/arguments"
)

// sendFlags say how a packet leaves.
type sendFlags = adapter.Flags

// An outgoing is a packet on its way out: what Emit builds before a codec
// turns it into bytes. It is pooled with the memory of its arguments; nothing
// that was encoded refers to it.
type outgoing struct {
	packet sioparser.Packet
	name   []byte
}

var outgoings = sync.Pool{New: func() any { return new(outgoing) }}

// maxPooledArgs is the size of arguments whose memory is not worth keeping.
const maxPooledArgs = 64 << 10

func (o *outgoing) release() {
	args := o.packet.Args
	o.packet = sioparser.Packet{}
	if cap(args.Raw()) <= maxPooledArgs {
		o.packet.Args = args.Reset()
	}
	outgoings.Put(o)
}

// newEvent encodes an event's arguments. Attachments that the caller may still
// change are copied, once for all receivers.
func newEvent(values *sioparser.Values, event string, id *uint64, args []any) (*outgoing, error) {
	if err := checkName(event); err != nil {
		return nil, err
	}
	o := outgoings.Get().(*outgoing)
	encoded, err := arguments.Append(values, o.packet.Args, args)
	o.packet.Args = encoded
	if err != nil {
		o.release()
		return nil, &ArgumentError{Event: event, Err: err}
	}
	o.packet.Type = sioparser.Event
	o.name = append(o.name[:0], event...)
	o.packet.Name = o.name
	if id != nil {
		o.packet.ID, o.packet.HasID = *id, true
	}
	return o, nil
}

// newAck encodes an acknowledgement.
func newAck(values *sioparser.Values, id uint64, args []any) (*outgoing, error) {
	o := outgoings.Get().(*outgoing)
	encoded, err := arguments.Append(values, o.packet.Args, args)
	o.packet.Args = encoded
	if err != nil {
		o.release()
		return nil, &ArgumentError{Err: err}
	}
	o.packet.Type = sioparser.Ack
	o.packet.ID, o.packet.HasID = id, true
	return o, nil
}

// Shared returns b as an argument for Emit that is sent without being copied.
// It is the caller's promise never to change b again.
func Shared(b []byte) sioparser.Args {
	args, err := sioparser.ParseArgs([]byte(`[{"_placeholder":true,"num":0}]`), [][]byte{b})
	if err != nil {
		panic(err) // the text is a constant
	}
	return args
}

// encode turns a packet into the messages that carry it, in memory that is
// theirs.
func encode(codec sioparser.Codec, p *sioparser.Packet) (*engineio.Prepared, error) {
	size := len(p.Namespace) + len(p.Name) + len(p.Args.Raw()) + len(p.Payload) + 32
	head, binary, attachments, err := codec.AppendPacket(make([]byte, 0, size), p)
	if err != nil {
		return nil, &ArgumentError{Event: string(p.Name), Err: err}
	}
	first := engineio.Message{Binary: binary, Data: head}
	if len(attachments) == 0 {
		return engineio.Prepare(first), nil
	}
	messages := make([]engineio.Message, 1, 1+len(attachments))
	messages[0] = first
	for _, b := range attachments {
		messages = append(messages, engineio.Binary(b))
	}
	return engineio.Prepare(messages...), nil
}

// engineFlags are the flags that matter below.
func engineFlags(f sendFlags) engineio.Flags {
	var e engineio.Flags
	if f&adapter.Volatile != 0 {
		e |= engineio.Volatile
	}
	if f&adapter.NoCompress != 0 {
		e |= engineio.NoCompress
	}
	return e
}

// emit sends an event to this socket; with id, one that asks for an
// acknowledgement.
func (s *Socket) emit(event string, flags sendFlags, id *uint64, args []any) error {
	if s.state() == gone {
		return s.goneError()
	}
	o, err := newEvent(s.conn.server.config.Values, event, id, args)
	if err != nil {
		return err
	}
	defer o.release()
	o.packet.Namespace = s.nsp.name
	if store := s.nsp.store; store != nil {
		// The packet gets its offset and its place in the log there.
		if err := store.Send(s, &o.packet, flags); err != nil {
			return err
		}
		s.conn.session.Wake()
		s.tellBroadcasts()
		return nil
	}
	s.tellOutgoing(event, o.packet.Args)
	return s.send(&o.packet, flags)
}

// encodeAck makes the acknowledgement of an event of the client's.
func (s *Socket) encodeAck(id uint64, args []any) (*engineio.Prepared, error) {
	if s.state() == gone {
		return nil, s.goneError()
	}
	o, err := newAck(s.conn.server.config.Values, id, args)
	if err != nil {
		return nil, err
	}
	defer o.release()
	o.packet.Namespace = s.nsp.name
	return encode(s.conn.server.config.Codec, &o.packet)
}

// send encodes a packet for this socket alone and sends it.
func (s *Socket) send(p *sioparser.Packet, flags sendFlags) error {
	prepared, err := encode(s.conn.server.config.Codec, p)
	if err != nil {
		return err
	}
	return s.transmit(prepared, flags)
}

// transmit queues messages for this socket alone, and writes them unless a
// dispatcher holds writes back.
func (s *Socket) transmit(p *engineio.Prepared, flags sendFlags) error {
	if err := s.push(p, engineFlags(flags)); err != nil {
		return err
	}
	s.conn.session.Wake()
	return nil
}

// push queues messages. Before the CONNECT is answered they wait here, so that
// the answer is the first thing that the client gets. The lock keeps them from
// coming behind a goodbye, where the client may have joined anew.
func (s *Socket) push(p *engineio.Prepared, f engineio.Flags) error {
	s.mu.Lock()
	if s.state() == joined {
		err := s.conn.session.Push(p, f)
		s.mu.Unlock()
		return s.pushed(err)
	}
	defer s.mu.Unlock()
	if s.state() == gone {
		return s.goneError()
	}
	if f&engineio.Volatile != 0 {
		return nil // it could not leave at once
	}
	if s.replaying {
		s.spare++
	} else if len(s.early)-s.spare >= maxEarly {
		s.flooded = true
		return engineio.ErrSlowClient
	}
	s.early = append(s.early, p)
	return nil
}

// pushed translates the error of a session that has ended.
func (s *Socket) pushed(err error) error {
	if errors.Is(err, engineio.ErrClosed) {
		return s.goneError()
	}
	return err
}

// tellOutgoing calls the catch-all hooks for what is sent. It is not called
// under a lock.
func (s *Socket) tellOutgoing(event string, args sioparser.Args) {
	for _, l := range s.listeners() {
		for _, h := range l.outgoing.all() {
			s.report(s.runHook(func() { (*h)(s, event, args) }))
		}
	}
}
