package engineio

import (
	"bytes"
	"iter"
	"net/http"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/jsonp"
)

// fill puts the packets of batch into the answer to a poll, in the form that
// the client's revision and its abilities call for.
func (l *pollLink) fill(p *poll, batch []Outgoing) {
	n := 0
	binary := false
	for _, o := range batch {
		for _, pkt := range o.Packets() {
			n += pkt.TextLen() + 1
			binary = binary || pkt.Binary
		}
		p.compress = p.compress || !o.NoCompress
	}
	if l.port.Protocol() == 3 {
		var packets []eioparser.Packet
		for _, o := range batch {
			packets = append(packets, o.Packets()...)
		}
		if binary && !l.base64 && p.script < 0 {
			p.binary = true
			p.body = eio3.AppendBinaryPayload(nil, packets...)
			return
		}
		p.body = eio3.AppendPayload(nil, packets...)
	} else {
		p.body = appendPayload(make([]byte, 0, n), batch)
	}
	if p.script >= 0 {
		p.body = jsonp.Append(nil, p.script, p.body)
	}
}

// appendPayload appends a payload of revision 4.
func appendPayload(dst []byte, batch []Outgoing) []byte {
	for _, o := range batch {
		for _, pkt := range o.Packets() {
			if len(dst) > 0 {
				dst = append(dst, eioparser.Separator)
			}
			dst = eioparser.AppendPacket(dst, pkt)
		}
	}
	return dst
}

// script returns the index of the callback that a request wants to be called,
// or -1 if it is an ordinary one.
func (l *pollLink) script(r *http.Request) int {
	if !l.opts.JSONP {
		return -1
	}
	index, err := jsonp.ParseIndex(r.URL.Query().Get("j"))
	if err != nil {
		return -1
	}
	return index
}

// packets reads the packets of a POST request's body.
func (l *pollLink) packets(r *http.Request, body []byte, binary bool) iter.Seq2[eioparser.Packet, error] {
	if binary {
		return ownBytes(eio3.BinaryPayload(body))
	}
	if l.script(r) >= 0 {
		var err error
		if body, err = jsonp.DecodeBody(body); err != nil {
			return func(yield func(eioparser.Packet, error) bool) { yield(eioparser.Packet{}, err) }
		}
	}
	if l.port.Protocol() == 3 {
		return eio3.Payload(body)
	}
	return eioparser.Payload(body)
}

// ownBytes gives binary packets memory of their own: they are handed over, and
// body is used again. What comes from base64 has it already.
func ownBytes(packets iter.Seq2[eioparser.Packet, error]) iter.Seq2[eioparser.Packet, error] {
	return func(yield func(eioparser.Packet, error) bool) {
		for pkt, err := range packets {
			if pkt.Binary {
				pkt.Data = bytes.Clone(pkt.Data)
			}
			if !yield(pkt, err) {
				return
			}
		}
	}
}
