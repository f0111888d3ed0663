package sioparser

import "unicode/utf8"

// NewDecoder implements [Codec].
func (textCodec) NewDecoder(l Limits) Decoder {
	return &decoder{limits: l.withDefaults()}
}

// maxScratch is how much memory, in bytes, a decoder keeps between packets.
const maxScratch = 4096

// decoder reads text packets. Between packets it holds the namespaces it saw
// last and a little scratch memory.
type decoder struct {
	limits Limits
	packet Packet
	scan   scanner
	name   []byte // scratch: the event's name when it had escapes

	names [4]string // namespaces seen lately
	turn  uint8     // which of them goes next

	due         int      // attachments still to come
	head        []byte   // scratch: copy of the text that waits for them
	attachments [][]byte // those that came; the packet takes them over
	bytes       int64    // and their sum
}

// Decode implements [Decoder].
func (d *decoder) Decode(data []byte, binary bool) (*Packet, error) {
	if binary {
		return d.attach(data)
	}
	if d.due > 0 {
		d.drop()
		return nil, fail(ErrUnexpectedText, 0)
	}
	err := d.text(data)
	d.trim()
	if err != nil {
		d.drop()
		return nil, err
	}
	if d.due > 0 {
		return nil, nil
	}
	return &d.packet, nil
}

// attach takes one attachment.
func (d *decoder) attach(data []byte) (*Packet, error) {
	if d.due == 0 {
		return nil, fail(ErrUnexpectedBinary, 0)
	}
	if d.bytes += int64(len(data)); d.bytes > d.limits.AttachmentBytes {
		d.drop()
		return nil, fail(ErrAttachmentBytes, 0)
	}
	if data == nil {
		data = []byte{} // an empty attachment is not null
	}
	d.attachments = append(d.attachments, data)
	if d.due--; d.due > 0 {
		return nil, nil
	}
	d.packet.Args.attachments, d.attachments = d.attachments, nil
	return &d.packet, nil
}

// drop forgets what was pending.
func (d *decoder) drop() {
	d.due, d.bytes, d.attachments = 0, 0, nil
	d.packet = Packet{}
}

// trim gives up scratch memory that an unusual packet made large. What the
// packet needs of it, the packet holds.
func (d *decoder) trim() {
	if cap(d.head) > maxScratch {
		d.head = nil
	}
	if cap(d.name) > maxScratch {
		d.name = nil
	}
	if cap(d.scan.marks) > maxScratch/16 {
		d.scan.marks = nil
	}
	if cap(d.scan.frames) > maxScratch/16 {
		d.scan.frames = nil
	}
	if cap(d.scan.spill) > maxScratch/16 {
		d.scan.spill = nil
	}
}

// text reads a text message: type, attachment count, namespace, id, JSON.
func (d *decoder) text(data []byte) error {
	if len(data) == 0 {
		return fail(ErrEmpty, 0)
	}
	if len(data) > maxText {
		return fail(ErrTooLong, maxText)
	}
	t := PacketType(data[0] - '0')
	if t > BinaryAck {
		return fail(ErrPacketType, 0)
	}
	p := &d.packet
	p.Type, p.Name, p.Payload, p.Args = t, nil, nil, Args{}
	p.seen, p.rawName = nil, nil
	i, count := 1, 0
	var err error
	if t.isBinary() {
		if i, count, err = d.count(data); err != nil {
			return err
		}
	}
	if i < len(data) && data[i] == '/' {
		if i, err = d.namespace(data, i); err != nil {
			return err
		}
	} else {
		p.Namespace = "/"
	}
	if i, err = d.id(data, i); err != nil {
		return err
	}
	switch t {
	case Event, Ack:
		return d.arguments(data, i)
	case BinaryEvent, BinaryAck:
		d.head = append(d.head[:0], data...)
		return d.binaryArguments(i, count)
	}
	return d.payload(data, i)
}

// count reads a binary packet's number of attachments and the hyphen.
func (d *decoder) count(data []byte) (i, count int, err error) {
	i = 1
	n := int64(0) // an int of 32 bits would overflow before it is over the limit
	for ; i < len(data) && data[i]-'0' <= 9; i++ {
		if n = n*10 + int64(data[i]-'0'); n > int64(d.limits.Attachments) {
			return 0, 0, fail(ErrTooManyAttachments, i)
		}
	}
	if n == 0 || i == len(data) || data[i] != '-' {
		return 0, 0, fail(ErrAttachmentCount, i)
	}
	return i + 1, int(n), nil
}

// namespace reads from the slash at data[i] to the comma, which belongs to the
// name, or to the end.
func (d *decoder) namespace(data []byte, i int) (int, error) {
	end := i
	ascii := true
	for ; end < len(data) && data[end] != ','; end++ {
		if end-i >= d.limits.Namespace {
			return 0, fail(ErrNamespace, end)
		}
		ascii = ascii && data[end] < utf8.RuneSelf
	}
	name := data[i:end]
	if !ascii && !utf8.Valid(name) {
		return 0, fail(ErrUTF8, i)
	}
	if end < len(data) {
		end++
	}
	d.packet.Namespace = d.intern(name)
	return end, nil
}

// intern returns name as a string, one of those seen lately if possible.
func (d *decoder) intern(name []byte) string {
	if string(name) == "/" {
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

// id reads the acknowledgement id, if there is one.
func (d *decoder) id(data []byte, i int) (int, error) {
	p := &d.packet
	p.ID, p.HasID = 0, false
	for ; i < len(data) && data[i]-'0' <= 9; i++ {
		p.HasID = true
		if p.ID = p.ID*10 + uint64(data[i]-'0'); p.ID > MaxID {
			return 0, fail(ErrID, i)
		}
	}
	return i, nil
}

// arguments reads the JSON array of an event or an acknowledgement.
func (d *decoder) arguments(data []byte, i int) error {
	if i == len(data) && d.packet.Type.isAck() {
		return nil // the reference's answer without arguments
	}
	if err := d.scan.document(data, i, d.limits.Depth, asData); err != nil {
		return err
	}
	return d.take(data)
}

// binaryArguments reads the array of a packet that waits for attachments, from
// the decoder's own copy of the head.
func (d *decoder) binaryArguments(i, count int) error {
	if i < len(d.head) || d.packet.Type.isEvent() {
		if err := d.scan.document(d.head, i, d.limits.Depth, asAttachment); err != nil {
			return err
		}
		if err := checkMarks(d.scan.marks, count, d.limits.Attachments); err != nil {
			return err
		}
		if err := d.take(d.head); err != nil {
			return err
		}
	}
	d.due, d.bytes, d.attachments = count, 0, make([][]byte, 0, min(count, DefaultAttachments))
	return nil
}

// take moves the scanner's results into the packet; of an event's array the
// first element is the name.
func (d *decoder) take(text []byte) error {
	if !d.packet.Type.isEvent() {
		d.packet.Args = d.scan.args(text, 0)
		return nil
	}
	if err := d.eventName(text); err != nil {
		return err
	}
	d.packet.Args = d.scan.args(text, 1)
	return nil
}

// eventName reads the first element of an event's array.
func (d *decoder) eventName(text []byte) error {
	start, end := d.scan.first, d.scan.last
	if d.scan.n == 0 {
		return fail(ErrPayload, int(start))
	}
	if d.scan.n > 1 {
		end = d.scan.cuts[0]
		for isSpace(text[end-1]) {
			end--
		}
	}
	raw := text[start:end:end]
	switch c := raw[0]; {
	case c == '"':
		name := raw[1 : len(raw)-1 : len(raw)-1]
		if hasEscape(name) {
			d.name = appendUnescaped(d.name[:0], name)
			name = d.name
			d.packet.seen, d.packet.rawName = name, raw
		}
		if Reserved(string(name)) {
			return fail(ErrReserved, int(d.scan.first))
		}
		d.packet.Name = name
	case c == '-' || c-'0' <= 9:
		d.packet.Name, d.packet.seen, d.packet.rawName = raw, raw, raw
	default:
		return fail(ErrPayload, int(d.scan.first))
	}
	return nil
}

// payload reads what may follow in a packet without arguments.
func (d *decoder) payload(data []byte, i int) error {
	if i == len(data) {
		return nil
	}
	switch c := data[i]; {
	case d.packet.Type == Disconnect:
		return fail(ErrPayload, i)
	case c == '{':
	case c == '"' && d.packet.Type == ConnectError:
	default:
		return fail(ErrPayload, i)
	}
	if err := d.scan.value(data, i, d.limits.Depth); err != nil {
		return err
	}
	end := d.scan.end
	d.packet.Payload = data[i:end:end]
	return nil
}
