package adaptertest

import (
	"slices"
	"sync"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Packet is a packet as a test compares it.
type Packet struct {
	Namespace   string
	Name        string
	Args        string // a JSON array
	Attachments [][]byte
	ID          uint64
	HasID       bool
	Flags       adapter.Flags
}

// PacketOf copies p.
func PacketOf(p *sioparser.Packet) Packet {
	args := p.Args.Clone()
	return Packet{
		Namespace:   p.Namespace,
		Name:        string(p.Name),
		Args:        string(args.AppendArray(nil)),
		Attachments: slices.Clone(args.Attachments()),
		ID:          p.ID,
		HasID:       p.HasID,
	}
}

// Socket is an [adapter.Socket] that keeps what it is sent. What was pushed on
// it counts as received when it has been flushed.
type Socket struct {
	id         string
	membership adapter.Membership

	mu       sync.Mutex
	gone     bool
	pushed   int
	queued   []*delivery
	received []Packet
	acks     map[uint64]adapter.ReplyFunc
	changed  chan struct{} // closed and replaced at each change
}

var _ adapter.Socket = (*Socket)(nil)

// NewSocket returns a connected socket, which no adapter knows yet.
func NewSocket(id string) *Socket {
	return &Socket{id: id, acks: make(map[uint64]adapter.ReplyFunc), changed: make(chan struct{})}
}

// ID implements [adapter.Socket].
func (s *Socket) ID() string { return s.id }

// Membership implements [adapter.Socket].
func (s *Socket) Membership() *adapter.Membership { return &s.membership }

// Push implements [adapter.Socket].
func (s *Socket) Push(d adapter.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dv := d.(*delivery)
	s.pushed++
	if s.gone {
		if dv.reply != nil {
			dv.reply(s, sioparser.Args{}, adapter.ErrGone)
		}
		return
	}
	if dv.reply != nil {
		s.acks[dv.packet.ID] = dv.reply
	}
	s.queued = append(s.queued, dv)
}

// Flush makes received what was pushed.
func (s *Socket) Flush() {
	s.change(func() {
		for _, d := range s.queued {
			s.received = append(s.received, d.packet)
		}
		s.queued = nil
	})
}

func (s *Socket) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Changed returns a channel that is closed when more has been received or an
// acknowledgement is no longer awaited.
func (s *Socket) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Received returns what was received so far.
func (s *Socket) Received() []Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Pushed returns how many packets were ever pushed on the socket.
func (s *Socket) Pushed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushed
}

// Awaited returns how many acknowledgements are awaited of this socket.
func (s *Socket) Awaited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acks)
}

// Reply acknowledges the packet with that id as a client does. It reports
// whether the acknowledgement was awaited.
func (s *Socket) Reply(id uint64, args sioparser.Args) bool {
	reply := s.take(id)
	if reply == nil {
		return false
	}
	reply(s, args, nil)
	return true
}

func (s *Socket) forget(id uint64) { s.take(id) }

func (s *Socket) take(id uint64) (reply adapter.ReplyFunc) {
	s.change(func() {
		reply = s.acks[id]
		delete(s.acks, id)
	})
	return reply
}

// Go ends the socket as a disconnect does, except that it stays in its rooms:
// the acknowledgements that are awaited fail and nothing more is taken.
func (s *Socket) Go() {
	s.change(func() {
		s.gone = true
		s.queued = nil
		for id, reply := range s.acks {
			delete(s.acks, id)
			reply(s, sioparser.Args{}, adapter.ErrGone)
		}
	})
}

func (s *Socket) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}
