package msgpack

import "github.com/siokit/siokit/sioparser"

// Codec sends each packet as one MessagePack value in one binary message, like
// the npm package socket.io-msgpack-parser. Both sides of a connection must use
// it. It is safe for concurrent use.
//
// A message holds its attachments within, so no count is announced and none is
// awaited. [sioparser.Limits] therefore mean this: Attachments at zero allows as
// many as keep the decoder within eight times the message's length and 4 KiB,
// which a few dozen never leave; a positive value is that number, and a negative
// one no limit. Buffers in a payload are bounded by the length of the message
// alone, and not at all if the limit is negative. Depth is at most
// [sioparser.DefaultDepth]. The others are as with [sioparser.Text].
var Codec sioparser.Codec = codec{}

type codec struct{}

// NewDecoder implements [sioparser.Codec].
func (codec) NewDecoder(l sioparser.Limits) sioparser.Decoder {
	return &decoder{limits: withDefaults(l)}
}

// AppendPacket implements [sioparser.Codec]. There are no attachments beside the
// message, and the message is always binary. Its bytes are those that the
// reference makes of the same packet, down to the order of the keys.
func (codec) AppendPacket(dst []byte, p *sioparser.Packet) (head []byte, isBinary bool, attachments [][]byte, err error) {
	if err := sioparser.Valid(p); err != nil {
		return dst, true, nil, err
	}
	e := encoders.Get().(*encoder)
	e.dst = dst
	e.packet(p)
	head = e.dst
	e.release()
	return head, true, nil, nil
}

// packet appends the map that a packet is. The reference builds its packets in
// different places, so the order of keys differs.
func (e *encoder) packet(p *sioparser.Packet) {
	pairs := 3
	if p.HasID {
		pairs++
	}
	switch p.Type {
	case sioparser.Event, sioparser.BinaryEvent:
		e.mapLen(pairs)
		e.kind(sioparser.Event)
		e.key("data")
		e.arrayLen(1 + p.Args.Len())
		e.name(p.Name)
		e.args(p.Args)
		e.id(p)
		e.nsp(p)
	case sioparser.Ack, sioparser.BinaryAck:
		e.mapLen(pairs)
		e.id(p)
		e.kind(sioparser.Ack)
		e.key("data")
		e.arrayLen(p.Args.Len())
		e.args(p.Args)
		e.nsp(p)
	case sioparser.ConnectError:
		e.mapLen(pairs)
		e.kind(p.Type)
		e.nsp(p)
		e.key("data")
		e.json(p.Payload)
		e.id(p)
	default: // Connect, Disconnect
		if p.Payload == nil {
			e.mapLen(pairs - 1)
			e.kind(p.Type)
		} else {
			e.mapLen(pairs)
			e.kind(p.Type)
			e.key("data")
			e.json(p.Payload)
		}
		e.id(p)
		e.nsp(p)
	}
}

func (e *encoder) kind(t sioparser.PacketType) {
	e.key("type")
	e.dst = append(e.dst, byte(t))
}

func (e *encoder) id(p *sioparser.Packet) {
	if p.HasID {
		e.key("id")
		e.uint(p.ID)
	}
}

func (e *encoder) nsp(p *sioparser.Packet) {
	e.key("nsp")
	if p.Namespace == "" {
		e.key("/")
	} else {
		e.key(p.Namespace)
	}
}
