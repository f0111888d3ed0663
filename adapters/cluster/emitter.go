package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// EmitterConfig says how an [Emitter] reaches the servers of a cluster. Bus must
// be set; Codec and Prefix are those of the servers.
type EmitterConfig struct {
	// Bus carries the messages; the emitter only publishes.
	Bus Bus
	// Codec is the form of messages on the bus; nil means JSON.
	Codec Codec
	// LogCodec is their form in the log of a Bus that is a Log; nil means Codec.
	LogCodec Codec
	// Prefix begins every topic; empty means "socket.io".
	Prefix string
	// Values encodes arguments; nil means the defaults.
	Values *sioparser.Values
	// Timeout bounds how long a call waits for the bus. Zero means five seconds.
	Timeout time.Duration
}

// Emitter speaks to the sockets and the servers of a cluster from a process that
// has no sockets: a job, an HTTP backend. It is an immutable value: each method
// that narrows the selection returns another. Everyone in namespace "/" is
// selected at first. It is a socketio.Target and a socketio.ServerTarget, so
// event definitions take it.
//
// Each call that sends returns when the bus has the message, or with the error;
// nothing comes back from the servers. An Emitter may be used from any number of
// goroutines.
type Emitter struct {
	config    EmitterConfig
	namespace string
	sel       adapter.Selection
}

// NewEmitter returns an emitter for the namespace "/".
func NewEmitter(config EmitterConfig) (*Emitter, error) {
	if config.Bus == nil {
		return nil, errors.New("cluster: EmitterConfig.Bus is nil")
	}
	if config.Timeout < 0 {
		return nil, errors.New("cluster: negative timeout in EmitterConfig")
	}
	if config.Codec == nil {
		config.Codec = JSON
	}
	if config.LogCodec == nil {
		config.LogCodec = config.Codec
	}
	if config.Prefix == "" {
		config.Prefix = defaultPrefix
	}
	if config.Timeout == 0 {
		config.Timeout = defaultRequest
	}
	return &Emitter{config: config, namespace: "/"}, nil
}

func (e *Emitter) with(change func(*Emitter)) *Emitter {
	next := *e
	change(&next)
	return &next
}

// Of returns an emitter for everyone in another namespace. A missing "/" in front
// is added.
func (e *Emitter) Of(namespace string) *Emitter {
	if namespace == "" || namespace[0] != '/' {
		namespace = "/" + namespace
	}
	return &Emitter{config: e.config, namespace: namespace}
}

// To adds rooms; whoever is in at least one of them is selected.
func (e *Emitter) To(rooms ...string) *Emitter {
	return e.with(func(n *Emitter) { n.sel.Rooms = joined(e.sel.Rooms, rooms) })
}

// In is To.
func (e *Emitter) In(rooms ...string) *Emitter { return e.To(rooms...) }

// Except leaves out whoever is in one of these rooms.
func (e *Emitter) Except(rooms ...string) *Emitter {
	return e.with(func(n *Emitter) { n.sel.Except = joined(e.sel.Except, rooms) })
}

func joined(a, b []string) []string { return append(a[:len(a):len(a)], b...) }

// Volatile lets events be dropped for a client that they can't be sent to at once.
func (e *Emitter) Volatile() *Emitter {
	return e.with(func(n *Emitter) { n.sel.Flags |= adapter.Volatile })
}

// Compress says whether to compress, where the transport does at all.
func (e *Emitter) Compress(on bool) *Emitter {
	return e.with(func(n *Emitter) {
		n.sel.Flags |= adapter.NoCompress
		if on {
			n.sel.Flags &^= adapter.NoCompress
		}
	})
}

// Emit sends an event to the selected sockets.
func (e *Emitter) Emit(event string, args ...any) error {
	p, err := e.event(event, args)
	if err != nil {
		return err
	}
	if err := sioparser.Valid(p); err != nil {
		return err
	}
	return e.publish(&Message{Type: Broadcast, Selection: e.sel, Name: p.Name, Args: p.Args})
}

// ServerSideEmit sends an event to the handlers of all servers.
func (e *Emitter) ServerSideEmit(event string, args ...any) error {
	p, err := e.event(event, args)
	if err != nil {
		return err
	}
	return e.publish(&Message{Type: ServerSideEmit, Name: p.Name, Args: p.Args})
}

// SocketsJoin puts the selected sockets into rooms.
func (e *Emitter) SocketsJoin(rooms ...string) error {
	return e.publish(&Message{Type: SocketsJoin, Selection: e.sel, Rooms: rooms})
}

// SocketsLeave takes the selected sockets out of rooms.
func (e *Emitter) SocketsLeave(rooms ...string) error {
	return e.publish(&Message{Type: SocketsLeave, Selection: e.sel, Rooms: rooms})
}

// DisconnectSockets disconnects the selected sockets; with closeConnection, their
// connections too.
func (e *Emitter) DisconnectSockets(closeConnection bool) error {
	return e.publish(&Message{Type: DisconnectSockets, Selection: e.sel, Close: closeConnection})
}

func (e *Emitter) event(name string, args []any) (*sioparser.Packet, error) {
	encoded, err := e.config.Values.Append(sioparser.Args{}, args...)
	if err != nil {
		return nil, err
	}
	return &sioparser.Packet{Type: sioparser.Event, Namespace: e.namespace, Name: []byte(name), Args: encoded}, nil
}

func (e *Emitter) publish(m *Message) error {
	m.UID, m.Namespace = emitterUID, e.namespace
	topic := e.config.Prefix + "#" + e.namespace + "#"
	if r, ok := e.config.Bus.(Router); ok {
		topic = r.Route(topic, m)
	}
	log, ok := e.config.Bus.(Log)
	codec := e.config.Codec
	if ok = ok && m.logged(); ok {
		codec = e.config.LogCodec
	}
	data, err := codec.Append(nil, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.config.Timeout)
	defer cancel()
	if ok {
		_, err = log.Append(ctx, e.namespace, [][]byte{data})
		return err
	}
	return e.config.Bus.Publish(ctx, topic, data)
}
