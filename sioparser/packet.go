package sioparser

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Protocol is the revision of the Socket.IO protocol that this package speaks.
const Protocol = 5

// MaxID is the greatest acknowledgement id: 2^53-1, the last integer that a
// JavaScript peer can send back with the same digits.
const MaxID = 1<<53 - 1

// PacketType is the first digit of a packet.
type PacketType uint8

// The packet types, as on the wire.
const (
	Connect PacketType = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

var typeNames = [...]string{
	"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK",
}

// String is the name of the type in the protocol document.
func (t PacketType) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "PacketType(" + strconv.Itoa(int(t)) + ")"
}

// isEvent holds for both wire forms of an event.
func (t PacketType) isEvent() bool { return t == Event || t == BinaryEvent }

// isAck holds for both wire forms of an acknowledgement.
func (t PacketType) isAck() bool { return t == Ack || t == BinaryAck }

// isBinary holds for the types that announce attachments.
func (t PacketType) isBinary() bool { return t == BinaryEvent || t == BinaryAck }

// Packet is one Socket.IO packet.
//
// A packet that a [Decoder] returned is valid until its next Decode, and its
// bytes alias the message that was decoded: [Packet.Clone] or [Args.Clone] is
// what to keep.
type Packet struct {
	// Type is what stood on the wire. When encoding, Event and BinaryEvent are
	// the same, and so are Ack and BinaryAck: Args decides which goes out.
	Type PacketType

	// Namespace begins with "/". Empty means "/" when encoding; the decoder
	// always fills it in.
	Namespace string

	// ID is the acknowledgement id, 0 to [MaxID], when HasID is set.
	ID    uint64
	HasID bool

	// Name is an event's name, unescaped UTF-8. A numeric name (the reference
	// allows one) is its digits as they stood. A name that the decoder of [Text]
	// put here and nobody replaced goes out by Text as it came, as a number or
	// with its escapes; other codecs see a string.
	Name []byte

	// Args are an event's arguments, without its name, or those of an
	// acknowledgement.
	Args Args

	// Payload is the raw JSON of a Connect (an object) or a ConnectError (an
	// object or a string); nil when absent.
	Payload []byte

	// seen is the Name that the decoder found if rawName, its JSON, is not what
	// the encoder would make of it.
	seen, rawName []byte
}

// relaysName reports whether the name goes out as it came. Name is compared by
// identity: whoever sets another one means that one.
func (p *Packet) relaysName() bool {
	return p.rawName != nil && len(p.Name) == len(p.seen) && (len(p.Name) == 0 || &p.Name[0] == &p.seen[0])
}

// Clone returns a copy that shares no text with p: what to keep of a packet that
// a decoder returned. The attachments' buffers are shared.
func (p *Packet) Clone() *Packet {
	c := *p
	c.Name, c.Payload = bytes.Clone(p.Name), bytes.Clone(p.Payload)
	c.Args = p.Args.Clone()
	c.seen, c.rawName = nil, nil
	if p.relaysName() {
		c.seen, c.rawName = c.Name, bytes.Clone(p.rawName)
	}
	return &c
}

// Reserved reports whether name has a meaning of its own on either side, so
// that no packet may use it as an event's name.
//
// Source: socket.io-parser 4.2.7, RESERVED_EVENTS.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}

// Valid reports whether p can be sent: the type exists, the namespace begins
// with a slash and can be framed, the id is in range, the event's name is not
// reserved, and the payload of a Connect or ConnectError is JSON of the shape
// that the type asks for; a Disconnect has none. The error is one of this
// package's sentinels, wrapped in an [*Error].
//
// Args are valid by construction and not looked at, and neither are fields that
// the type has no use for. Codecs call Valid themselves.
//
// Source: socket.io-parser 4.2.7, isPacketValid; stricter where that one would
// let a packet out that no decoder takes.
func Valid(p *Packet) error {
	switch p.Type {
	case Event, BinaryEvent:
		if Reserved(string(p.Name)) {
			return fail(ErrReserved, 0)
		}
	case Ack, BinaryAck:
	case Connect:
		if p.Payload != nil {
			if err := validPayload(p.Payload, "{"); err != nil {
				return err
			}
		}
	case ConnectError:
		if err := validPayload(p.Payload, `{"`); err != nil {
			return err
		}
	case Disconnect:
		if p.Payload != nil {
			return fail(ErrPayload, 0)
		}
	default:
		return fail(ErrPacketType, 0)
	}
	if p.HasID && p.ID > MaxID {
		return fail(ErrID, 0)
	}
	if p.Namespace != "" && p.Namespace != "/" {
		return validNamespace(p.Namespace)
	}
	return nil
}

// validNamespace refuses a name that would be read back as something else.
func validNamespace(name string) error {
	if name[0] != '/' {
		return fail(ErrNamespace, 0)
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == ',':
			return fail(ErrNamespace, i)
		case c >= utf8.RuneSelf:
			if !utf8.ValidString(name) {
				return fail(ErrUTF8, i)
			}
		}
	}
	return nil
}

// validPayload checks that text is one JSON value that begins with one of the
// bytes in first.
func validPayload(text []byte, first string) error {
	if len(text) == 0 {
		return fail(ErrPayload, 0)
	}
	for i := range len(first) {
		if text[0] == first[i] {
			var s scanner
			return s.value(text, 0, DefaultDepth)
		}
	}
	return fail(ErrPayload, 0)
}
