package adaptertest

import (
	"slices"
	"sync"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Server is an [adapter.Local] whose sockets keep what they are sent. It may be
// used from any number of goroutines.
type Server struct {
	namespace string
	// OnEvent, if set before the first use, answers server-side events. Events are
	// noted in any case.
	OnEvent func(p *sioparser.Packet, reply func(sioparser.Args))
	// OnFlush, if set before the first use, is called by Flush.
	OnFlush func([]adapter.Socket)

	mu           sync.Mutex
	prepared     int
	lastID       uint64
	events       []Packet
	disconnected []Disconnection
	changed      chan struct{} // closed and replaced at each change
}

var _ adapter.Local = (*Server)(nil)

// Disconnection is a call of Disconnect.
type Disconnection struct {
	Socket    string
	CloseConn bool
}

// NewServer returns a server with one namespace.
func NewServer(namespace string) *Server {
	return &Server{namespace: namespace, changed: make(chan struct{})}
}

// Namespace implements [adapter.Local].
func (sv *Server) Namespace() string { return sv.namespace }

// delivery is what Prepare makes.
type delivery struct {
	packet Packet
	reply  adapter.ReplyFunc // nil if no acknowledgement is awaited
}

// Prepare implements [adapter.Local].
func (sv *Server) Prepare(p *sioparser.Packet, f adapter.Flags) (adapter.Delivery, error) {
	return sv.prepare(p, f, nil)
}

// PrepareAck implements [adapter.Local].
func (sv *Server) PrepareAck(p *sioparser.Packet, f adapter.Flags, reply adapter.ReplyFunc) (adapter.Delivery, func([]adapter.Socket), error) {
	d, err := sv.prepare(p, f, reply)
	if err != nil {
		return nil, nil, err
	}
	sv.mu.Lock()
	sv.lastID++
	d.packet.ID, d.packet.HasID = sv.lastID, true
	sv.mu.Unlock()
	return d, func(sockets []adapter.Socket) {
		for _, s := range sockets {
			s.(*Socket).forget(d.packet.ID)
		}
	}, nil
}

func (sv *Server) prepare(p *sioparser.Packet, f adapter.Flags, reply adapter.ReplyFunc) (*delivery, error) {
	if err := sioparser.Valid(p); err != nil {
		return nil, err
	}
	sv.mu.Lock()
	sv.prepared++
	sv.mu.Unlock()
	d := &delivery{packet: PacketOf(p), reply: reply}
	d.packet.Namespace = sv.namespace
	d.packet.Flags = f &^ adapter.LocalOnly
	return d, nil
}

// Prepared returns how many packets were encoded.
func (sv *Server) Prepared() int {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.prepared
}

// Flush implements [adapter.Local].
func (sv *Server) Flush(sockets []adapter.Socket) {
	if sv.OnFlush != nil {
		sv.OnFlush(sockets)
	}
	for _, s := range sockets {
		s.(*Socket).Flush()
	}
}

// Describe implements [adapter.Local].
func (sv *Server) Describe(s adapter.Socket) (handshake, data []byte, err error) {
	if s.(*Socket).isGone() {
		return nil, nil, adapter.ErrGone
	}
	return []byte(`{"query":{"of":"` + s.ID() + `"}}`), []byte(`{"name":"` + s.ID() + `"}`), nil
}

// Disconnect implements [adapter.Local]. The socket is as it was; Disconnected
// tells of the call.
func (sv *Server) Disconnect(s adapter.Socket, closeConn bool) {
	sv.change(func() { sv.disconnected = append(sv.disconnected, Disconnection{s.ID(), closeConn}) })
}

// Disconnected returns the calls of Disconnect, ordered by socket.
func (sv *Server) Disconnected() []Disconnection {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	list := slices.Clone(sv.disconnected)
	slices.SortFunc(list, func(a, b Disconnection) int {
		switch {
		case a.Socket < b.Socket:
			return -1
		case a.Socket > b.Socket:
			return 1
		}
		return 0
	})
	return list
}

// ServerEvent implements [adapter.Local].
func (sv *Server) ServerEvent(p *sioparser.Packet, reply func(sioparser.Args)) {
	event := PacketOf(p)
	event.HasID = reply != nil
	sv.change(func() { sv.events = append(sv.events, event) })
	if sv.OnEvent != nil {
		sv.OnEvent(p, reply)
	}
}

// Events returns the server-side events that arrived, with HasID set where an
// acknowledgement was asked for.
func (sv *Server) Events() []Packet {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return slices.Clone(sv.events)
}

func (sv *Server) change(f func()) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	f()
	close(sv.changed)
	sv.changed = make(chan struct{})
}

// Changed returns a channel that is closed when Events or Disconnected has more.
func (sv *Server) Changed() <-chan struct{} {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.changed
}
