package mutant

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/siokit/siokit/conformance/wire"
)

// Mutant is one fault. The hooks that are nil change nothing.
type Mutant struct {
	// Name is frozen: the kill table refers to it.
	Name string
	// Fault says what is wrong with the server.
	Fault string
	// Cases are the ids, or beginnings of ids, of the cases that are about it.
	Cases []string
	// Patch names the Node fixture's own fault; then there are no hooks.
	Patch string

	// Request may change a request before it goes to the server.
	Request func(*http.Request)
	// Answer may answer a request instead of the server.
	Answer func(*http.Request) *Answer
	// Response may change the server's answer.
	Response func(*http.Request, *Answer)
	// In and Out see every packet that passes, from and to the client, over
	// WebSocket and polling alike, and return what passes instead.
	In, Out func(*Session, Packet) []Packet
	// FramesIn and FramesOut see every WebSocket frame instead, whole messages or
	// not.
	FramesIn, FramesOut func(*Session, wire.Frame) []wire.Frame
}

// Answer is an HTTP response.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Packet is an Engine.IO packet, or whatever a client sends for one.
type Packet struct {
	// Text is the packet as a text frame, when it is no binary message.
	Text   string
	Binary bool
	Data   []byte
}

// text makes packets of texts.
func text(packets ...string) []Packet {
	var list []Packet
	for _, p := range packets {
		list = append(list, Packet{Text: p})
	}
	return list
}

// Session is what the proxy knows of one client: a WebSocket connection, or a
// polling session.
type Session struct {
	// Path is that of the request, up to the query.
	Path string
	// WebSocket tells how the client is connected.
	WebSocket bool
	// Upgraded tells that the connection belongs to a session that began over
	// polling.
	Upgraded bool
	// Seen is the fault's own memory.
	Seen map[string]string
	// toClient and toServer send a packet of the proxy's own, over WebSocket.
	toClient, toServer func(Packet)
	// close ends the WebSocket connection with a close frame to the client.
	close func(code int)
}

// engine reports whether the session belongs to an Engine.IO echo, not to a
// Socket.IO server.
func (s *Session) engine() bool {
	return strings.HasPrefix(s.Path, "/engine.io/") || strings.HasPrefix(s.Path, "/eio-")
}

// payload cuts a polling body into packets and back.
func payload(body string) []Packet {
	var list []Packet
	for part := range strings.SplitSeq(body, "\x1e") {
		if data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(part, "b")); err == nil && strings.HasPrefix(part, "b") {
			list = append(list, Packet{Binary: true, Data: data})
		} else {
			list = append(list, Packet{Text: part})
		}
	}
	return list
}

func join(packets []Packet) string {
	parts := make([]string, len(packets))
	for i, p := range packets {
		parts[i] = p.Text
		if p.Binary {
			parts[i] = "b" + base64.StdEncoding.EncodeToString(p.Data)
		}
	}
	return strings.Join(parts, "\x1e")
}
