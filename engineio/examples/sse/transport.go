package sse

import (
	"net/http"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// Transport is the entry for engineio.Config.Transports. Requests come through
// the server's ServeHTTP with transport=sse in their query.
type Transport struct{}

// Name returns "sse".
func (Transport) Name() string { return "sse" }

// Accept makes the link. It takes nothing yet: the request that it is made for,
// which its ServeHTTP gets next, is the one that carries the events.
func (Transport) Accept(_ http.ResponseWriter, _ *http.Request, p *engineio.Port) (engineio.Link, error) {
	p.SetReady(false)
	return &link{port: p, over: make(chan struct{})}, nil
}

// framing is how packets become events. It is a variable, so that a message to
// many is framed once for all of them.
var framing = &engineio.Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
	for _, p := range packets {
		dst = append(dst, "data: "...)
		dst = appendString(dst, p)
		dst = append(dst, "\n\n"...)
	}
	return dst
}}

// appendString appends the text form of a packet as a JSON string.
func appendString(dst []byte, p eioparser.Packet) []byte {
	dst = append(dst, '"')
	for _, c := range eioparser.AppendPacket(nil, p) {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			const hex = "0123456789abcdef"
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
