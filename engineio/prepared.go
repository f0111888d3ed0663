package engineio

import (
	"sync"
	"sync/atomic"

	"github.com/siokit/siokit/eioparser"
)

// Prepared is one or more messages that travel together and may be pushed to
// any number of sessions. It is immutable and safe for concurrent use, and
// keeps what transports made of it, so that a broadcast is framed, and
// compressed, once.
type Prepared struct {
	packets []eioparser.Packet
	size    int // what it counts in an outbox
	one     [1]eioparser.Packet
	pushed  atomic.Int32
	frames  atomic.Pointer[framed]
}

// packetCost is what a packet counts in an outbox beside its bytes.
const packetCost = 64

// Prepare returns the messages in the form in which they are queued. It copies
// nothing: the bytes must not change from now on.
func Prepare(msgs ...Message) *Prepared {
	p := new(Prepared)
	if len(msgs) == 1 {
		p.packets = p.one[:]
	} else {
		p.packets = make([]eioparser.Packet, len(msgs))
	}
	for i, m := range msgs {
		p.packets[i] = eioparser.Packet{Type: eioparser.Message, Binary: m.Binary, Data: m.Data}
		p.size += packetCost + len(m.Data)
	}
	return p
}

// control returns a packet of the protocol itself. One that carries nothing of
// a session is made once and shared by all.
func control(t eioparser.PacketType, data string) *Prepared {
	p := &Prepared{size: packetCost + len(data)}
	p.packets = p.one[:]
	p.one[0] = eioparser.Packet{Type: t, Data: []byte(data)}
	return p
}

var (
	pingPacket      = control(eioparser.Ping, "")
	pongPacket      = control(eioparser.Pong, "")
	pongProbePacket = control(eioparser.Pong, "probe")
	closePacket     = control(eioparser.Close, "")
	noopPacket      = control(eioparser.Noop, "")
)

// Packets returns the packets, for transports: read them, don't change them.
func (p *Prepared) Packets() []eioparser.Packet { return p.packets }

// Shared reports whether p was pushed to more than one session, so that a
// transport gains by Frame.
func (p *Prepared) Shared() bool { return p.pushed.Load() > 1 }

// Framing is one way of turning packets into bytes: a variable of a transport,
// compared by its address.
type Framing struct {
	// Append appends the wire form of the packets to dst. It must depend on
	// nothing but the packets.
	Append func(dst []byte, packets []eioparser.Packet) []byte
}

// framed is what a Framing made of a Prepared: a node of a list that only grows.
type framed struct {
	by   *Framing
	next *framed
	once sync.Once
	data []byte
}

// Frame returns the wire form of p by f. It is made by the first call and kept
// as long as p is; the bytes are shared and must not be changed.
func (p *Prepared) Frame(f *Framing) []byte {
	for {
		head := p.frames.Load()
		n := head
		for n != nil && n.by != f {
			n = n.next
		}
		if n == nil {
			n = &framed{by: f, next: head}
			if !p.frames.CompareAndSwap(head, n) {
				continue
			}
		}
		n.once.Do(func() { n.data = f.Append(nil, p.packets) })
		return n.data
	}
}
