package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

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

// Connected takes the answers to a CONNECT that was sent already, in whatever
// order: the cases about CONNECT ask for the right one.
func (s *Socket) Connected(namespace, auth string) string {
	if auth == "" {
		auth = "{}"
	}
	answer := Prefix("40", namespace) + `{"sid":"<sid>"}`
	greeting := Prefix("42", namespace) + fmt.Sprintf(`["auth",%s]`, auth)
	first := s.Next().Text
	if _, err := match.Packet(greeting, first); err == nil {
		return s.Expect(answer)["sid"]
	}
	caps := s.t.Match(s.ws.Label+": the answer to CONNECT", answer, first)
	s.Expect(greeting)
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

// Reply takes an acknowledgement and returns its arguments as JSON texts.
func (s *Socket) Reply(id int) []json.RawMessage {
	text := s.Next().Text
	prefix := fmt.Sprintf("43%d[", id)
	if !strings.HasPrefix(text, prefix) {
		s.t.Fail(&Failure{Message: "the acknowledgement", Want: prefix + "…]", Got: show(text)})
	}
	var args []json.RawMessage
	if err := json.Unmarshal([]byte(text[len(prefix)-1:]), &args); err != nil {
		s.t.Failf("the acknowledgement %s cannot be read: %v", show(text), err)
	}
	return args
}

// Fields checks that a JSON object has exactly these names.
func (t *T) Fields(what string, object json.RawMessage, names ...string) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Failf("%s is no JSON object: %s", what, show(string(object)))
	}
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(members)); !slices.Equal(got, names) {
		t.Fail(&Failure{Message: what + ": other names", Want: strings.Join(names, " "), Got: strings.Join(got, " ")})
	}
}

// Member checks a value inside a JSON object.
func (t *T) Member(what, want string, object json.RawMessage, path ...string) {
	for _, name := range path {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(object, &members); err != nil {
			t.Failf("%s: no object at %v", what, path)
		}
		object = members[name]
	}
	if _, err := match.JSON(want, string(object)); err != nil {
		t.Fail(&Failure{Message: what + ": " + err.Error(), Want: want, Got: show(string(object))})
	}
}
