package socketio

import (
	"sync"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// local is the side of a namespace that its adapter sees.
type local struct{ nsp *Namespace }

var (
	_ adapter.Local         = local{}
	_ adapter.PanicReporter = local{}
)

// A delivery is a packet made ready for any number of sockets. It is immutable.
type delivery struct {
	messages *engineio.Prepared
	flags    engineio.Flags

	// For acknowledged packets.
	id    uint64
	reply adapter.ReplyFunc

	// For OnAnyOutgoing: the event, if somebody listened when it was made.
	event string
	args  sioparser.Args
}

func (l local) Namespace() string { return l.nsp.name }

func (l local) Prepare(p *sioparser.Packet, f adapter.Flags) (adapter.Delivery, error) {
	own := *p
	own.Namespace = l.nsp.name
	messages, err := encode(l.nsp.server.config.Codec, &own)
	if err != nil {
		return nil, err
	}
	d := &delivery{messages: messages, flags: engineFlags(f)}
	if l.nsp.overheard() && (p.Type == sioparser.Event || p.Type == sioparser.BinaryEvent) {
		d.event, d.args = string(p.Name), p.Args.Clone()
	}
	return d, nil
}

func (l local) PrepareAck(p *sioparser.Packet, f adapter.Flags, reply adapter.ReplyFunc) (adapter.Delivery, func([]adapter.Socket), error) {
	own := *p
	own.ID, own.HasID = l.nsp.nextAckID(), true
	prepared, err := l.Prepare(&own, f)
	if err != nil {
		return nil, nil, err
	}
	d := prepared.(*delivery)
	d.id, d.reply = own.ID, reply
	forget := func(sockets []adapter.Socket) {
		for _, s := range sockets {
			s.(*Socket).forget(d.id)
		}
	}
	return d, forget, nil
}

// answered implements pending for packets that many sockets acknowledge.
func (d *delivery) answered(s *Socket, args sioparser.Args, err error) {
	if err != nil {
		err = adapter.ErrGone
	}
	d.reply(s, args, err)
}

// deliver queues a broadcast, under the adapter's locks.
func (s *Socket) deliver(d *delivery) {
	if d.reply != nil {
		if err := s.await(d.id, d); err != nil {
			d.reply(s, sioparser.Args{}, adapter.ErrGone)
			return
		}
	}
	if err := s.push(d.messages, d.flags); err != nil {
		if d.reply != nil && s.forget(d.id) {
			d.reply(s, sioparser.Args{}, adapter.ErrGone)
		}
		return
	}
	if d.event != "" {
		s.mu.Lock()
		s.told = append(s.told, d)
		s.mu.Unlock()
	}
}

var sessionLists = sync.Pool{New: func() any { return new([]*engineio.Session) }}

func (l local) Flush(sockets []adapter.Socket) {
	list := sessionLists.Get().(*[]*engineio.Session)
	for _, s := range sockets {
		*list = append(*list, s.(*Socket).conn.session)
	}
	l.nsp.server.engine.Uncork(*list)
	clear(*list)
	*list = (*list)[:0]
	sessionLists.Put(list)
	if l.nsp.overheard() {
		for _, s := range sockets {
			s.(*Socket).tellBroadcasts()
		}
	}
}

// tellBroadcasts tells OnAnyOutgoing of the broadcasts that were queued while
// the adapter held its locks.
func (s *Socket) tellBroadcasts() {
	s.mu.Lock()
	told := s.told
	s.told = nil
	s.mu.Unlock()
	for _, d := range told {
		s.tellOutgoing(d.event, d.args)
	}
}

func (l local) Describe(a adapter.Socket) (handshake, data []byte, err error) {
	s := a.(*Socket)
	if s.state() != joined {
		return nil, nil, ErrDisconnected
	}
	if handshake, err = s.Handshake().MarshalJSON(); err != nil {
		return nil, nil, err
	}
	return handshake, s.data.appendJSON(nil), nil
}

func (l local) Disconnect(s adapter.Socket, closeConnection bool) {
	s.(*Socket).Disconnect(closeConnection)
}

// HookPanicked implements adapter.PanicReporter.
func (l local) HookPanicked(value any, stack []byte) {
	l.nsp.server.config.warn("hook of rooms", &PanicError{Value: value, Stack: stack}, "namespace", l.nsp.name)
}

func (l local) ServerEvent(p *sioparser.Packet, reply func(sioparser.Args)) {
	l.nsp.receiveServerEvent(p, reply)
}
