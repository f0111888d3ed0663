package msgpack

import (
	"github.com/siokit/siokit/sioparser"
)

// ToArgs reads one MessagePack array, an event's or an acknowledgement's data
// from a message bus, as arguments: the canonical form of everything above the
// wire. Of an event's array the first element is the name. The attachments of
// the result are parts of data; its text is new memory.
//
// The limits are those of [Codec]. The error is a [*sioparser.Error].
func ToArgs(data []byte, l sioparser.Limits) (sioparser.Args, error) {
	if len(data) > maxMessage {
		return sioparser.Args{}, fail(sioparser.ErrTooLong, maxMessage)
	}
	l = withDefaults(l)
	var f frames
	s, err := f.scan(data, 0, l.Depth)
	switch {
	case err != nil:
		return sioparser.Args{}, err
	case s.end != len(data):
		return sioparser.Args{}, fail(ErrSyntax, s.end)
	case s.kind != arrayKind:
		return sioparser.Args{}, fail(sioparser.ErrPayload, 0)
	}
	if err := checkAttachments(s, len(data), l); err != nil {
		return sioparser.Args{}, err
	}
	args, _ := toArgs(nil, data, s, f, 0)
	return args, nil
}

// withDefaults resolves the limits at zero, except for Attachments.
func withDefaults(l sioparser.Limits) sioparser.Limits {
	if l.AttachmentBytes == 0 {
		l.AttachmentBytes = sioparser.DefaultAttachmentBytes
	}
	if l.Namespace == 0 {
		l.Namespace = sioparser.DefaultNamespace
	}
	if l.Depth <= 0 || l.Depth > sioparser.DefaultDepth {
		l.Depth = sioparser.DefaultDepth
	}
	return l
}

// toArgs writes the array that s is in data, from element first on, as JSON into
// the memory of dst if there is enough, and returns it as arguments and as text.
// The elements before first are not arrays or maps.
func toArgs(dst, data []byte, s summary, open frames, first int) (sioparser.Args, []byte) {
	w := writer{dst: room(dst, s.size), open: open, escapes: s.escapes, attach: true}
	if s.attached > 0 {
		w.attachments = make([][]byte, 0, s.attached)
		w.places = make([]sioparser.Placeholder, 0, s.attached)
	}
	array, _ := next(data, s.start)
	i := array.end
	for range first {
		skipped, _ := next(data, i)
		i = skipped.end
	}
	var buf [knownEnds]int
	ends := buf[:0]
	n := int(array.bits) - first
	for k := range n {
		if k > 0 {
			w.dst = append(w.dst, ',')
		}
		i = w.write(data, i)
		if k < knownEnds {
			ends = append(ends, len(w.dst))
		}
	}
	return sioparser.MakeArgs(w.dst, n, ends, w.attachments, w.places), w.dst
}

// knownEnds is how many boundaries between arguments MakeArgs makes use of.
const knownEnds = 4

// room returns dst, emptied, if it has room for n bytes, or new memory.
func room(dst []byte, n int) []byte {
	if cap(dst) >= n {
		return dst[:0]
	}
	return make([]byte, 0, n)
}

// tooLarge reports whether what becomes of s would leave a decoder's bound: eight
// times the message's length and 4 KiB. Only buffers of few bytes do. The allocator
// rounds sizes up by an eighth.
func tooLarge(s summary, length int) bool {
	return (s.size+s.attached*attachmentCost)/8*9 > 8*length+4096
}

func checkAttachments(s summary, length int, l sioparser.Limits) error {
	if s.attached == 0 {
		return nil
	}
	tooMany := l.Attachments > 0 && s.attached > l.Attachments
	if l.Attachments == 0 {
		tooMany = tooLarge(s, length)
	}
	if tooMany {
		return fail(sioparser.ErrTooManyAttachments, s.start)
	}
	if l.AttachmentBytes >= 0 && int64(s.bytes) > l.AttachmentBytes {
		return fail(sioparser.ErrAttachmentBytes, s.start)
	}
	return nil
}
