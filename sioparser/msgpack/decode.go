package msgpack

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
)

// How much memory, in bytes, a decoder keeps between packets: as little as
// maxScratch always, up to maxText as long as a quarter of it was needed last.
const (
	maxScratch = 4096
	maxText    = 64 << 10
)

// decoder reads packets. Between packets it holds the namespaces it saw last and
// a little scratch memory.
type decoder struct {
	limits sioparser.Limits
	packet sioparser.Packet
	frames frames
	text   []byte // scratch: the JSON of what the packet holds

	names [4]string // namespaces seen lately
	turn  uint8     // which of them goes next
}

// fields are the places of a packet's parts in its message.
type fields struct {
	kind, nsp, id token // of kind invalid if absent
	data          summary
	hasData       bool
}

// Decode implements [sioparser.Decoder]. A packet is always complete after one
// message. Its name and attachments are parts of data, which is handed over; the
// rest is the decoder's memory.
func (d *decoder) Decode(data []byte, isBinary bool) (*sioparser.Packet, error) {
	if !isBinary {
		return nil, fail(ErrText, 0)
	}
	if cap(d.text) > max(maxScratch, 4*len(d.text)) {
		d.text = nil
	}
	if cap(d.frames) > maxScratch/4 {
		d.frames = nil
	}
	d.packet = sioparser.Packet{}
	if err := d.decode(data); err != nil {
		d.packet = sioparser.Packet{}
		return nil, err
	}
	if cap(d.text) > maxText {
		d.text = nil // the packet has it
	}
	return &d.packet, nil
}

func (d *decoder) decode(data []byte) error {
	if len(data) == 0 {
		return fail(sioparser.ErrEmpty, 0)
	}
	if len(data) > maxMessage {
		return fail(sioparser.ErrTooLong, maxMessage)
	}
	f, err := d.fields(data)
	if err != nil {
		return err
	}
	kind, ok := integer(f.kind, uint64(sioparser.ConnectError))
	if !ok {
		return fail(sioparser.ErrPacketType, 0)
	}
	d.packet.Type = sioparser.PacketType(kind)
	if err := d.namespace(data, f.nsp); err != nil {
		return err
	}
	if f.id.kind != invalid && f.id.kind != undefinedKind {
		if d.packet.ID, ok = integer(f.id, sioparser.MaxID); !ok {
			return fail(sioparser.ErrID, f.id.end)
		}
		d.packet.HasID = true
	}
	switch d.packet.Type {
	case sioparser.Event, sioparser.Ack:
		return d.arguments(data, f)
	}
	return d.payload(data, f)
}

// fields finds the parts of the packet, which is one map. Of equal keys the last
// one counts, as in JavaScript; other keys are skipped: the official client adds
// "options".
func (d *decoder) fields(data []byte) (fields, error) {
	var f fields
	top, err := next(data, 0)
	if err != nil {
		return f, err
	}
	if top.kind != mapKind {
		return f, fail(sioparser.ErrPacketType, 0)
	}
	i := top.end
	for range top.bits {
		key, err := next(data, i)
		if err != nil {
			return f, err
		}
		if key.kind != strKind {
			return f, fail(ErrKey, i)
		}
		if !utf8.Valid(data[key.start:key.end]) {
			return f, fail(sioparser.ErrUTF8, i)
		}
		value, err := d.frames.scan(data, key.end, d.limits.Depth)
		if err != nil {
			return f, err
		}
		i = value.end
		switch string(data[key.start:key.end]) {
		case "type":
			f.kind, _ = next(data, value.start)
		case "nsp":
			f.nsp, _ = next(data, value.start)
		case "id":
			f.id, _ = next(data, value.start)
		case "data":
			f.data, f.hasData = value, value.kind != undefinedKind
		}
	}
	if i != len(data) {
		return f, fail(ErrSyntax, i)
	}
	return f, nil
}

// integer returns the value of a number that is a whole one up to limit. Like
// the reference it takes a float that is whole.
func integer(t token, limit uint64) (uint64, bool) {
	switch t.kind {
	case uintKind:
		return t.bits, t.bits <= limit
	case floatKind:
		f := math.Float64frombits(t.bits)
		if f == math.Trunc(f) && f >= 0 && f <= float64(limit) {
			return uint64(f), true
		}
	}
	return 0, false
}

func (d *decoder) namespace(data []byte, t token) error {
	if t.kind != strKind {
		return fail(sioparser.ErrNamespace, 0)
	}
	name := data[t.start:t.end]
	tooLong := d.limits.Namespace >= 0 && len(name) > d.limits.Namespace
	if tooLong || len(name) == 0 || name[0] != '/' || bytes.IndexByte(name, ',') >= 0 {
		return fail(sioparser.ErrNamespace, t.start)
	}
	d.packet.Namespace = d.intern(name)
	return nil
}

// intern returns name as a string, one of those seen lately if possible.
func (d *decoder) intern(name []byte) string {
	if len(name) == 1 {
		return "/"
	}
	for _, known := range d.names {
		if string(name) == known {
			return known
		}
	}
	fresh := string(name)
	d.names[d.turn] = fresh
	d.turn = (d.turn + 1) % uint8(len(d.names))
	return fresh
}

// arguments reads the array of an event or an acknowledgement.
func (d *decoder) arguments(data []byte, f fields) error {
	if !f.hasData || f.data.kind != arrayKind {
		return fail(sioparser.ErrPayload, f.data.start)
	}
	p := &d.packet
	if p.Type == sioparser.Event {
		if err := d.eventName(data, f.data.start); err != nil {
			return err
		}
	}
	if err := checkAttachments(f.data, len(data), d.limits); err != nil {
		return err
	}
	first := 0
	if p.Type == sioparser.Event {
		first = 1 // the name
	}
	p.Args, d.text = toArgs(d.text, data, f.data, d.frames, first)
	return nil
}

// eventName reads the first element of the array at data[i].
func (d *decoder) eventName(data []byte, i int) error {
	array, _ := next(data, i)
	if array.bits == 0 {
		return fail(sioparser.ErrPayload, i)
	}
	switch t, _ := next(data, array.end); t.kind {
	case strKind:
		name := data[t.start:t.end:t.end]
		if sioparser.Reserved(string(name)) {
			return fail(sioparser.ErrReserved, t.start)
		}
		d.packet.Name = name
	case uintKind, intKind, floatKind:
		d.packet.Name = appendKey(nil, t)
	default:
		return fail(sioparser.ErrPayload, array.end)
	}
	return nil
}

// payload reads what a packet without arguments may hold.
func (d *decoder) payload(data []byte, f fields) error {
	allowed := false
	switch d.packet.Type {
	case sioparser.Connect:
		allowed = !f.hasData || f.data.kind == mapKind
	case sioparser.Disconnect:
		allowed = !f.hasData
	case sioparser.ConnectError:
		allowed = f.hasData && (f.data.kind == mapKind || f.data.kind == strKind)
	}
	if !allowed {
		return fail(sioparser.ErrPayload, f.data.start)
	}
	if f.hasData {
		if d.limits.Attachments >= 0 && tooLarge(f.data, len(data)) {
			return fail(sioparser.ErrTooManyAttachments, f.data.start)
		}
		w := writer{dst: room(d.text, f.data.size), open: d.frames, escapes: f.data.escapes}
		w.write(data, f.data.start)
		d.text, d.packet.Payload = w.dst, w.dst
	}
	return nil
}
