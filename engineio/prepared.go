package engineio

import "github.com/siokit/siokit/eioparser"

// Prepared is one or more messages that travel together and may be pushed to
// any number of sessions. It is immutable and safe for concurrent use.
type Prepared struct {
	packets []eioparser.Packet
	size    int
	one     [1]eioparser.Packet // backs packets when there is one
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
