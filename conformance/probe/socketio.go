package probe

import (
	"fmt"

	"github.com/siokit/siokit/conformance/internal/match"
)

// SocketIO opens an Engine.IO session at /socket.io/ over WebSocket and sends
// nothing yet.
func (t *T) SocketIO() *Socket { return t.WebSocket("/socket.io/") }

// Join opens a connection and joins the namespaces, the main one when none is
// named.
func (t *T) Join(namespaces ...string) *Socket {
	s := t.SocketIO()
	if len(namespaces) == 0 {
		namespaces = []string{"/"}
	}
	for _, name := range namespaces {
		s.Connect(name, "")
	}
	return s
}

// Prefix is how a packet type and a namespace stand at the head of a packet:
// "42" for the main namespace, "42/custom," for another.
func Prefix(packet, namespace string) string {
	if namespace == "/" || namespace == "" {
		return packet
	}
	return packet + namespace + ","
}

// Connect joins a namespace of the contract with an auth payload (JSON, or
// nothing) and returns the socket's id. The auth event of the contract is taken
// too.
func (s *Socket) Connect(namespace, auth string) string {
	s.Send(Prefix("40", namespace) + auth)
	return s.Connected(namespace, auth)
}

// Connected takes the answers to a CONNECT that was sent already.
func (s *Socket) Connected(namespace, auth string) string {
	if auth == "" {
		auth = "{}"
	}
	caps := s.Expect(
		Prefix("40", namespace)+`{"sid":"<sid>"}`,
		Prefix("42", namespace)+fmt.Sprintf(`["auth",%s]`, auth),
	)
	return caps["sid"]
}

// Event sends an event whose name and arguments are given as JSON elements.
func (s *Socket) Event(elements string) { s.Send("42[" + elements + "]") }

// Call sends an event with an acknowledgement id and returns the masks of the
// expected reply, whose arguments are given as JSON elements.
func (s *Socket) Call(id int, elements, reply string) match.Captures {
	s.Send(fmt.Sprintf("42%d[%s]", id, elements))
	return s.Expect(fmt.Sprintf("43%d[%s]", id, reply))
}

// Answers checks that the main namespace still answers and that nothing else
// was sent before.
func (s *Socket) Answers() {
	s.Event(`"message","alive"`)
	s.Expect(`42["message-back","alive"]`)
}
