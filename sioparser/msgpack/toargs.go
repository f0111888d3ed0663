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
	args, _, err := toArgs(nil, data, s, f, l)
	return args, err
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

// toArgs writes the array that s is in data as JSON, into the memory of dst if
// there is enough, and returns it as arguments and as text.
func toArgs(dst, data []byte, s summary, open frames, l sioparser.Limits) (sioparser.Args, []byte, error) {
	if err := checkAttachments(s, len(data), l); err != nil {
		return sioparser.Args{}, dst, err
	}
	w := writer{dst: room(dst, s.size), open: open, attach: true}
	if s.attached > 0 {
		w.attachments = make([][]byte, 0, s.attached)
	}
	w.write(data, s.start)
	args, err := sioparser.ParseArgs(w.dst, w.attachments)
	return args, w.dst, err
}

// room returns dst, emptied, if it has room for n bytes, or new memory.
func room(dst []byte, n int) []byte {
	if cap(dst) >= n {
		return dst[:0]
	}
	return make([]byte, 0, n)
}

func checkAttachments(s summary, length int, l sioparser.Limits) error {
	if s.attached == 0 {
		return nil
	}
	if s.lookalike {
		// Once in JSON it could not be told from a real one.
		return fail(sioparser.ErrPlaceholder, s.start)
	}
	tooMany := l.Attachments > 0 && s.attached > l.Attachments
	if l.Attachments == 0 {
		// The allocator rounds sizes up by an eighth.
		tooMany = s.size+s.size/8+s.attached*attachmentCost > 8*length+4096
	}
	if tooMany {
		return fail(sioparser.ErrTooManyAttachments, s.start)
	}
	if l.AttachmentBytes >= 0 && int64(s.bytes) > l.AttachmentBytes {
		return fail(sioparser.ErrAttachmentBytes, s.start)
	}
	return nil
}
