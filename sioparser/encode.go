package sioparser

import (
	"strconv"
)

// AppendPacket implements [Codec]. Raw arguments are copied, never parsed; no
// memory is allocated but for dst, and for the list of attachments when it is
// not that of p.Args.
func (textCodec) AppendPacket(dst []byte, p *Packet) (head []byte, binary bool, attachments [][]byte, err error) {
	if err := Valid(p); err != nil {
		return dst, false, nil, err
	}
	t := p.Type
	switch t {
	case Event, BinaryEvent:
		t = Event
	case Ack, BinaryAck:
		t = Ack
	default:
		dst = append(dst, '0'+byte(t))
		dst = appendRoute(dst, p)
		return append(dst, p.Payload...), false, nil, nil
	}

	splice := false
	head = dst
	if p.Args.HasAttachments() {
		if attachments, splice, err = p.Args.outgoing(); err != nil {
			return dst, false, nil, err
		}
		head = append(head, '0'+byte(t+BinaryEvent-Event))
		head = strconv.AppendInt(head, int64(len(attachments)), 10)
		head = append(head, '-')
	} else {
		head = append(head, '0'+byte(t))
	}
	head = appendRoute(head, p)
	head = append(head, '[')
	if t == Event {
		if p.relaysName() {
			head = append(head, p.rawName...)
		} else {
			head = appendQuoted(head, p.Name)
		}
		if p.Args.n > 0 {
			head = append(head, ',')
		}
	}
	if splice {
		head = p.Args.appendSpliced(head)
	} else {
		head = append(head, p.Args.raw...)
	}
	return append(head, ']'), false, attachments, nil
}

// appendRoute appends namespace and id. A name that is not the main
// namespace's is closed by a comma, even when nothing follows.
func appendRoute(dst []byte, p *Packet) []byte {
	dst = appendNamespace(dst, p.Namespace)
	if p.HasID {
		dst = strconv.AppendUint(dst, p.ID, 10)
	}
	return dst
}

func appendNamespace(dst []byte, name string) []byte {
	if name != "" && name != "/" {
		dst = append(dst, name...)
		dst = append(dst, ',')
	}
	return dst
}

// AppendEventHead appends the constant beginning of an event's text packets
// without acknowledgement id and attachments, `2/nsp,["name"`, to dst. Behind
// it come a comma and [Args.Raw] if there are arguments, and a closing
// bracket. Whoever sends one event often keeps it.
//
// namespace and name must be ones that [Valid] accepts.
func AppendEventHead(dst []byte, namespace, name string) []byte {
	dst = append(dst, '0'+byte(Event))
	dst = appendNamespace(dst, namespace)
	dst = append(dst, '[')
	return appendQuoted(dst, name)
}
