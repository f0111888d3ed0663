package socketio_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The cases with an id are recordings of the reference (socket.io 4.8.4). Where
// a QUIRK is not followed, its case says what we do instead.

type exchange struct {
	id   string
	what string
	send []string // after the connection is open; "" waits for one frame
	want []string // the frames that follow, in order
	more bool     // the connection must live on
}

const joinMain = `40{"sid":"<sid>"}`

var exchanges = []exchange{
	{"S-CN-01", "CONNECT", []string{"40"}, []string{joinMain, `42["auth",{}]`}, true},
	{"S-CN-02", "CONNECT with an empty object", []string{"40{}"}, []string{joinMain, `42["auth",{}]`}, true},
	{"S-CN-03", "explicit main namespace", []string{"40/,"}, []string{joinMain, `42["auth",{}]`}, true},
	{"S-CN-04", "no comma", []string{"40/custom"}, []string{`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`}, false},
	{"S-CN-05", "another namespace only", []string{"40/custom,"}, []string{`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`}, false},
	{"S-CN-06", "unknown namespace", []string{"40/random,"}, []string{`44/random,{"message":"Invalid namespace"}`}, true},
	{"S-CN-07", "main after an unknown one", []string{"40/random,", "40"},
		[]string{`44/random,{"message":"Invalid namespace"}`, joinMain, `42["auth",{}]`}, true},
	{"S-CN-11", "second CONNECT", []string{"40", "", "", "40"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-12", "second CONNECT to another namespace", []string{"40/custom,", "", "", "40/custom,"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-13", "EVENT before CONNECT", []string{`42["message",1]`}, []string{"CLOSE(1005)"}, false},
	{"S-CN-14", "EVENT to a namespace not joined", []string{"40", "", "", `42/custom,["message",1]`}, []string{"CLOSE(1005)"}, false},
	{"S-CN-15", "DISCONNECT before CONNECT", []string{"41"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-16", "ACK before CONNECT", []string{"431[]"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-17", "CONNECT_ERROR from a client", []string{"40", "", "", `44{"message":"x"}`}, []string{"CLOSE(1005)"}, false},
	{"S-CN-18", "array", []string{"40[]"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-19", "string", []string{`40"x"`}, []string{"CLOSE(1005)"}, false},
	{"S-CN-20", "null", []string{"40null"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-21", "invalid JSON", []string{"40{"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-23", "refusal with data", []string{"40/auth-fail,"},
		[]string{`44/auth-fail,{"message":"not authorized","data":{"code":401,"content":"please retry"}}`}, true},
	{"S-CN-24", "refusal without data", []string{"40/auth-fail-nodata,"}, []string{`44/auth-fail-nodata,{"message":"nope"}`}, true},
	{"S-CN-25", "CONNECT after a refusal", []string{"40/auth-fail,", "", "40/auth-fail,"},
		[]string{`44/auth-fail,{"message":"not authorized","data":{"code":401,"content":"please retry"}}`}, true},
	// The reference closes; we queue (it arrived in order).
	{"S-CN-27", "EVENT while the middleware runs", []string{"40/auth-slow,", `42/auth-slow,["message",1]`},
		[]string{`40/auth-slow,{"sid":"<sid>"}`, `42/auth-slow,["auth",{}]`, `42/auth-slow,["message-back",1]`}, false},
	{"S-CN-29", "dynamic namespace", []string{`40/dyn-1,{"a":1}`}, []string{`40/dyn-1,{"sid":"<sid>"}`, `42/dyn-1,["auth",{"a":1}]`}, false},
	{"S-CN-30", "no dynamic namespace", []string{"40/dyn-x,"}, []string{`44/dyn-x,{"message":"Invalid namespace"}`}, true},
	{"S-CN-31", "query string", []string{"40/custom?a=b,"}, []string{`44/custom?a=b,{"message":"Invalid namespace"}`}, true},
	{"S-CN-32", "trailing slash", []string{"40/custom/,"}, []string{`44/custom/,{"message":"Invalid namespace"}`}, true},
	{"S-CN-33", "no leading slash", []string{"40custom,"}, []string{"CLOSE(1005)"}, false},
	{"S-CN-38", "auth with __proto__", []string{`40{"__proto__":{"x":1},"a":1}`}, []string{joinMain, `42["auth",{"__proto__":{"x":1},"a":1}]`}, true},
	// The reference closes; we take packets in order.
	{"S-CN-42", "EVENT right behind CONNECT", []string{"40", `42["message",1]`},
		[]string{joinMain, `42["auth",{}]`, `42["message-back",1]`}, true},
	{"S-CN-45", "EVENT without main", []string{"40/custom,", "", "", `42/custom,["message",1]`}, []string{`42/custom,["message-back",1]`}, false},

	{"S-DC-01", "EVENT right behind DISCONNECT", []string{"40", "", "", "41", `42["message",1]`}, []string{"CLOSE(1005)"}, false},
	{"S-DC-03", "CONNECT right behind DISCONNECT", []string{"40", "", "", "41", "40"}, []string{joinMain, `42["auth",{}]`}, true},
	{"S-DC-04", "leaving one namespace", []string{"40", "", "", "40/custom,", "", "", "41/custom,", `42["message",1]`},
		[]string{`42["message-back",1]`}, true},
	{"S-DC-05", "EVENT after leaving", []string{"40", "", "", "40/custom,", "", "", "41/custom,", `42/custom,["message",1]`},
		[]string{"CLOSE(1005)"}, false},
	{"S-DC-06", "DISCONNECT with a payload", []string{"40", "", "", "41{}"}, []string{"CLOSE(1005)"}, false},
	{"S-DC-07", "server disconnects", []string{"40", "", "", `42["disconnect-me"]`}, []string{"41"}, false},
	{"S-DC-08", "server closes", []string{"40", "", "", `42["close-me"]`}, []string{"41", "CLOSE(1005)"}, false},
	{"S-DC-09", "server disconnects a namespace", []string{"40/custom,", "", "", `42/custom,["disconnect-me"]`}, []string{"41/custom,"}, false},
	{"S-DC-10", "server closes two namespaces", []string{"40", "", "", "40/custom,", "", "", `42["close-me"]`},
		[]string{"41", "41/custom,", "CLOSE(1005)"}, false},
	{"S-DC-16", "parse error", []string{"40", "", "", "40/custom,", "", "", "4x"}, []string{"CLOSE(1005)"}, false},

	{"S-EV-01", "no arguments", []string{`42["message"]`}, []string{`42["message-back"]`}, true},
	{"S-EV-02", "types", []string{`42["message",null,true,1.5,0,1000,"",[],{},[null]]`},
		[]string{`42["message-back",null,true,1.5,0,1000,"",[],{},[null]]`}, true},
	{"S-EV-03", "unicode and escapes", []string{`42["message","é€😀\u0000\n\"\ud83d"]`}, []string{`42["message-back","é€😀\u0000\n\"\ud83d"]`}, true},
	// Relayed raw, where the reference decodes and encodes again.
	{"S-EV-04", "big integer", []string{`42["message",9007199254740993]`}, []string{`42["message-back",9007199254740993]`}, true},
	{"S-EV-06", "key order", []string{`42["message",{"b":1,"a":2,"1":3}]`}, []string{`42["message-back",{"b":1,"a":2,"1":3}]`}, true},
	{"S-EV-08", "numeric event name", []string{`42[5,1]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-09", "event name null", []string{`42[null]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-10", "event name object", []string{`42[{}]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-11", "empty array", []string{`42[]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-13", "object", []string{`42{}`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-14", "string", []string{`42"message"`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-15", "trailing garbage", []string{`42["message"]x`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-16", "unknown event", []string{`42["unknown",1]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-17", "reserved", []string{`42["connect"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-18", "reserved", []string{`42["connect_error"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-19", "reserved", []string{`42["disconnect"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-20", "reserved", []string{`42["disconnecting"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-23", "error is not reserved", []string{`42["error",1]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-24", "__proto__", []string{`42["__proto__"]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-26", "explicit main namespace", []string{`42/,["message",1]`}, []string{`42["message-back",1]`}, true},
	{"S-EV-30", "ack id 0", []string{`420["message-with-ack","x"]`}, []string{`430["x"]`}, true},
	{"S-EV-31", "largest ack id", []string{`429007199254740991["message-with-ack","x"]`}, []string{`439007199254740991["x"]`}, true},
	{"S-EV-33", "negative ack id", []string{`42-1["message-with-ack","x"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-34", "decimal ack id", []string{`421.5["message-with-ack","x"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-36", "ack without arguments", []string{`421["message-with-ack"]`}, []string{`431[]`}, true},
	{"S-EV-37", "ack called twice", []string{`421["double-ack"]`, `42["message","alive"]`}, []string{`431[1]`, `42["message-back","alive"]`}, true},
	{"S-EV-38", "ack id used again", []string{`421["message-with-ack","a"]`, `421["message-with-ack","b"]`}, []string{`431["a"]`, `431["b"]`}, true},
	{"S-EV-39", "handler ignores the ack", []string{`420["message","a"]`}, []string{`42["message-back","a"]`}, true},
	{"S-EV-42", "unknown ACK", []string{`43999["x"]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-44", "ACK without id", []string{`43["x"]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-45", "ACK with an object", []string{`431{}`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-47", "ack timeout", []string{`42["emit-timeout",50]`}, []string{`42<n>["no-ack"]`, `42["emit-timeout-result","operation has timed out"]`}, true},
	{"S-EV-49", "null arguments", []string{`42["emit-undefined"]`}, []string{`42["u",null,null]`}, true},
	{"S-EV-51", "unknown type", []string{"47"}, []string{"CLOSE(1005)"}, false},
	{"S-EV-52", "unknown type", []string{"4a"}, []string{"CLOSE(1005)"}, false},
	{"S-EV-53", "empty message", []string{"4"}, []string{"CLOSE(1005)"}, false},
	{"S-EV-55", "id before namespace", []string{`421/custom,["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-56", "namespace with a space", []string{`42/a b,["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-EV-57", "control characters", []string{"42[\"message\",\"\\u0001\u007f\u2028\"]"}, []string{"42[\"message-back\",\"\\u0001\u007f\u2028\"]"}, true},
	{"S-EV-58", "emoji as a name", []string{`42["😀"]`, `42["message","alive"]`}, []string{`42["message-back","alive"]`}, true},
	{"S-EV-62", "ACK to a namespace not joined", []string{`43/custom,1[]`}, []string{"CLOSE(1005)"}, false},

	{"S-BN-01", "one attachment", []string{`451-["message",{"_placeholder":true,"num":0}]`, "<bin 0102>"},
		[]string{`451-["message-back",{"_placeholder":true,"num":0}]`, "<bin 0102>"}, true},
	{"S-BN-02", "two in reverse order", []string{`452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`, "<bin 01>", "<bin 02>"},
		[]string{`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "<bin 02>", "<bin 01>"}, true},
	{"S-BN-03", "one twice", []string{`451-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, "<bin 01>"},
		[]string{`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "<bin 01>", "<bin 01>"}, true},
	{"S-BN-04", "nested", []string{`451-["message",{"a":[{"_placeholder":true,"num":0}]}]`, "<bin 01>"},
		[]string{`451-["message-back",{"a":[{"_placeholder":true,"num":0}]}]`, "<bin 01>"}, true},
	{"S-BN-05", "ack to a namespace not joined", []string{`451-/custom,3["message",{"_placeholder":true,"num":0}]`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-06", "binary ack", []string{`451-5["message-with-ack",{"_placeholder":true,"num":0}]`, "<bin 07>"},
		[]string{`461-5[{"_placeholder":true,"num":0}]`, "<bin 07>"}, true},
	{"S-BN-07", "num out of range", []string{`451-["message",{"_placeholder":true,"num":1}]`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-08", "num negative", []string{`451-["message",{"_placeholder":true,"num":-1}]`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-09", "num a string", []string{`451-["message",{"_placeholder":true,"num":"0"}]`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-11", "no num", []string{`451-["message",{"_placeholder":true}]`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-12", "_placeholder false", []string{`42["message",{"_placeholder":false,"num":0}]`}, []string{`42["message-back",{"_placeholder":false,"num":0}]`}, true},
	{"S-BN-13", "a placeholder in a plain EVENT", []string{`42["message",{"_placeholder":true,"num":0}]`}, []string{`42["message-back",{"_placeholder":true,"num":0}]`}, true},
	{"S-BN-15", "no attachments", []string{`450-["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-16", "no count", []string{`45-["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-17", "no hyphen", []string{`451["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-18", "negative count", []string{`45-1-["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-19", "decimal count", []string{`451.5-["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-21", "ten attachments", append([]string{`4510-["message",{"_placeholder":true,"num":9}]`},
		"<bin 00>", "<bin 01>", "<bin 02>", "<bin 03>", "<bin 04>", "<bin 05>", "<bin 06>", "<bin 07>", "<bin 08>", "<bin 09>"),
		[]string{`451-["message-back",{"_placeholder":true,"num":0}]`, "<bin 09>"}, true},
	{"S-BN-22", "eleven attachments", []string{`4511-["message",{"_placeholder":true,"num":0}]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-23", "text while attachments are due", []string{`451-["message",{"_placeholder":true,"num":0}]`, `42["message"]`}, []string{"CLOSE(1005)"}, false},
	{"S-BN-24", "binary without a head", []string{"<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-26", "one attachment too many", []string{`451-["message",{"_placeholder":true,"num":0}]`, "<bin 01>", "", "", "<bin 02>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-27", "empty attachment", []string{`451-["message",{"_placeholder":true,"num":0}]`, "<bin >"},
		[]string{`451-["message-back",{"_placeholder":true,"num":0}]`, "<bin >"}, true},
	{"S-BN-28", "reserved name", []string{`451-["connect",{"_placeholder":true,"num":0}]`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-29", "no array", []string{`451-{"_placeholder":true,"num":0}`, "<bin 01>"}, []string{"CLOSE(1005)"}, false},
	{"S-BN-30", "server emits binary", []string{`42["emit-binary"]`},
		[]string{`452-["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`, "<bin 010203>", "<bin 04>"}, true},
}

// timed are those in which time plays a part: they run in a bubble with a clock of
// its own, so that a busy machine changes nothing.
var timed = []exchange{
	{"S-CN-08", "unknown namespace and connect timeout", []string{"40/random,"},
		[]string{`44/random,{"message":"Invalid namespace"}`, "CLOSE"}, false},
	{"S-CN-09", "no CONNECT", nil, []string{"CLOSE"}, false},
	{"S-CN-26", "a slow middleware delays its namespace only", []string{"40/auth-slow,", "40"},
		[]string{joinMain, `42["auth",{}]`, `40/auth-slow,{"sid":"<sid>"}`, `42/auth-slow,["auth",{}]`}, false},
	// The reference makes two sockets; we close.
	{"S-CN-28", "second CONNECT while the middleware runs", []string{"40/auth-slow,", "40/auth-slow,"}, []string{"CLOSE"}, false},
}

// preamble is what happens before an S-EV or S-BN case.
func (e exchange) preamble() []string {
	if strings.HasPrefix(e.id, "S-CN") || strings.HasPrefix(e.id, "S-DC") {
		return nil
	}
	return []string{"40", "", ""}
}

func TestReference(t *testing.T) {
	url := serve(t, fixture(t, quiet()))
	seen := map[string]int{}
	for _, e := range exchanges {
		name := e.id
		if seen[e.id]++; seen[e.id] > 1 {
			name = fmt.Sprint(e.id, "-", seen[e.id])
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, url)
			for _, f := range append(e.preamble(), e.send...) {
				if f == "" {
					c.next()
				} else {
					c.send(f)
				}
			}
			c.expect(e.want...)
			if e.more {
				c.alive()
			}
		})
	}
}

// alive proves that the connection lives and that nothing else was sent.
func (c *wire) alive() {
	c.t.Helper()
	c.send("40/custom,")
	c.expect(`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`)
}

func TestIDsDifferPerNamespace(t *testing.T) { // S-CN-34
	c := dial(t, serve(t, fixture(t, quiet())))
	main := c.idOf("/")
	c.next()
	custom := c.idOf("/custom")
	if main == custom || main == c.sid || custom == c.sid {
		t.Errorf("ids %q, %q and %q", c.sid, main, custom)
	}
}

func TestHandshakeHasTheReferencesKeys(t *testing.T) { // S-CN-37
	c := dial(t, serve(t, fixture(t, quiet())), "&foo=bar")
	c.send(`40{"token":"abc"}`)
	c.expect(joinMain, `42["auth",{"token":"abc"}]`)
	c.send(`420["handshake"]`)
	var got []struct {
		Headers map[string]string
		Time    string
		Address string
		XDomain *bool
		Secure  *bool
		Issued  int64
		URL     string
		Query   map[string]string
		Auth    map[string]string
	}
	text := strings.TrimPrefix(c.next(), "430")
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil || len(got) != 1 {
		t.Fatal(text, err)
	}
	h := got[0]
	if diff := cmp.Diff(map[string]string{"EIO": "4", "transport": "websocket", "foo": "bar"}, h.Query); diff != "" {
		t.Error("query", diff)
	}
	if diff := cmp.Diff(map[string]string{"token": "abc"}, h.Auth); diff != "" {
		t.Error("auth", diff)
	}
	if h.XDomain == nil || *h.XDomain || h.Secure == nil || *h.Secure {
		t.Error("xdomain or secure", text)
	}
	if h.URL != "/socket.io/?EIO=4&transport=websocket&foo=bar" || h.Address != "127.0.0.1" || h.Headers["host"] == "" {
		t.Error(text)
	}
	if at, err := time.Parse("Mon Jan 02 2006 15:04:05 GMT-0700 (Coordinated Universal Time)", h.Time); err != nil || at.Unix() != h.Issued/1000 {
		t.Error("time", h.Time, h.Issued, err)
	}
}

func TestPolling(t *testing.T) {
	url := serve(t, fixture(t, quiet()))
	t.Run("S-CN-35", func(t *testing.T) {
		p := startPolling(t, url)
		p.post("40")
		p.expect(joinMain, `42["auth",{}]`)
	})
	t.Run("S-CN-36", func(t *testing.T) { // the reference closes; we take packets in order
		p := startPolling(t, url)
		p.post("40", `42["message",1]`)
		p.expect(joinMain, `42["auth",{}]`, `42["message-back",1]`)
	})
	t.Run("S-CN-44", func(t *testing.T) {
		p := startPolling(t, url)
		p.post("40")
		p.expect(joinMain, `42["auth",{}]`)
		p.post("40/custom,")
		p.expect(`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`)
	})
	t.Run("S-BN-32", func(t *testing.T) {
		p := startPolling(t, url)
		p.post("40")
		p.expect(joinMain, `42["auth",{}]`)
		p.post(`451-["message",{"_placeholder":true,"num":0}]`, "bAQID")
		p.expect(`451-["message-back",{"_placeholder":true,"num":0}]`, "bAQID")
	})
	t.Run("S-BN-33", func(t *testing.T) {
		p := startPolling(t, url)
		p.post("40")
		p.expect(joinMain, `42["auth",{}]`)
		p.post(`451-["message",{"_placeholder":true,"num":0}]`)
		p.post("bAQID")
		p.expect(`451-["message-back",{"_placeholder":true,"num":0}]`, "bAQID")
	})
}

func TestEventsArriveInOrder(t *testing.T) { // S-EV-50
	c := dial(t, serve(t, fixture(t, quiet())))
	c.join("/")
	c.next()
	for i := range 100 {
		c.send(fmt.Sprintf(`42["message",%d]`, i))
	}
	for i := range 100 {
		c.expect(fmt.Sprintf(`42["message-back",%d]`, i))
	}
}

func TestDeepNestingIsEchoed(t *testing.T) { // S-EV-54, S-EV-63
	c := dial(t, serve(t, fixture(t, quiet())))
	c.join("/")
	c.next()
	deep := strings.Repeat("[", 500) + strings.Repeat("]", 500)
	c.send(`42["message",` + deep + `]`)
	c.expect(`42["message-back",` + deep + `]`)
	c.send(`42["message",` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `]`)
	c.expect("CLOSE(1005)")
}

func TestServerAsksForAcknowledgement(t *testing.T) {
	url := serve(t, fixture(t, quiet()))
	ask := func(t *testing.T) (*wire, string) {
		c := dial(t, url)
		c.join("/")
		c.next()
		c.send(`42["emit-with-ack","q"]`)
		request := c.next()
		id := strings.TrimSuffix(strings.TrimPrefix(request, "42"), `["emit-with-ack","q"]`)
		if !matches(`42<n>["emit-with-ack","q"]`, request) {
			t.Fatalf("request %q", request)
		}
		return c, id
	}
	t.Run("S-EV-40", func(t *testing.T) {
		c, id := ask(t)
		c.send("43" + id + `["r",1]`)
		c.expect(`42["emit-with-ack-result","r",1]`)
	})
	t.Run("S-EV-43", func(t *testing.T) {
		c, id := ask(t)
		c.send("43"+id+`[1]`, "43"+id+`[2]`)
		c.expect(`42["emit-with-ack-result",1]`)
		c.alive()
	})
	t.Run("S-EV-46", func(t *testing.T) {
		c, id := ask(t)
		c.send("43" + id)
		c.expect(`42["emit-with-ack-result"]`)
	})
	t.Run("S-BN-31", func(t *testing.T) {
		c, id := ask(t)
		c.send("461-"+id+`[{"_placeholder":true,"num":0}]`, "<bin 08>")
		c.expect(`451-["emit-with-ack-result",{"_placeholder":true,"num":0}]`, "<bin 08>")
	})
	t.Run("S-EV-48", func(t *testing.T) {
		c := dial(t, url)
		c.join("/")
		c.next()
		c.send(`42["emit-timeout",30]`)
		request := c.next()
		c.expect(`42["emit-timeout-result","operation has timed out"]`)
		c.send("43"+strings.TrimSuffix(strings.TrimPrefix(request, "42"), `["no-ack"]`)+"[]", `42["message","alive"]`)
		c.expect(`42["message-back","alive"]`)
	})
	t.Run("S-EV-61", func(t *testing.T) {
		c := dial(t, url)
		c.join("/")
		c.next()
		c.send(`42["emit-timeout",8000]`)
		request := c.next()
		c.send("43" + strings.TrimSuffix(strings.TrimPrefix(request, "42"), `["no-ack"]`) + "[]")
		c.expect(`42["emit-timeout-result",null]`)
	})
	t.Run("S-EV-27", func(t *testing.T) {
		c := dial(t, url)
		c.join("/custom")
		c.next()
		c.send(`42/custom,7["id"]`)
		c.expect(`43/custom,7["<sid>"]`)
	})
}

func TestAttachmentsBelongToTheLastHead(t *testing.T) { // S-BN-35
	c := dial(t, serve(t, fixture(t, quiet())))
	c.join("/")
	c.next()
	c.join("/custom")
	c.next()
	c.send(`451-/custom,["message",{"_placeholder":true,"num":0}]`, "<bin 01>")
	c.expect(`451-/custom,["message-back",{"_placeholder":true,"num":0}]`, "<bin 01>")
	c.send(`451-["message",{"_placeholder":true,"num":0}]`, "<bin 02>")
	c.expect(`451-["message-back",{"_placeholder":true,"num":0}]`, "<bin 02>")
}

func TestRoomCases(t *testing.T) {
	url := serve(t, fixture(t, quiet()))
	// Other tests' clients share the server but not the rooms.
	pair := func(t *testing.T) (a, b *wire) {
		a, b = dial(t, url), dial(t, url)
		a.join("/")
		a.next()
		b.join("/")
		b.next()
		return a, b
	}
	marker := func(c *wire) {
		c.t.Helper()
		c.send(`42["message","marker"]`)
		c.expect(`42["message-back","marker"]`)
	}
	t.Run("S-RM-01", func(t *testing.T) {
		a, b := pair(t)
		a.send(`42["broadcast","x",1]`)
		b.expect(`42["x",1]`)
		marker(a)
	})
	t.Run("S-RM-02", func(t *testing.T) {
		a, b := pair(t)
		a.send(`42["all","x",1]`)
		a.expect(`42["x",1]`)
		b.expect(`42["x",1]`)
	})
	t.Run("S-RM-03", func(t *testing.T) {
		a, b := pair(t)
		other := dial(t, url)
		other.join("/")
		other.next()
		a.send(`420["join","r3"]`)
		a.expect("430[2]")
		b.send(`420["join","r3"]`)
		b.expect("430[2]")
		a.send(`42["to","r3","x"]`)
		b.expect(`42["x"]`)
		marker(a)
		marker(other)
	})
	t.Run("S-RM-05", func(t *testing.T) {
		a, _ := pair(t)
		a.send(`420["join","r5"]`, `421["leave","r5"]`)
		a.expect("430[2]", "431[1]")
	})
	t.Run("S-RM-06", func(t *testing.T) {
		a, b := dial(t, url), dial(t, url)
		a.join("/")
		a.next()
		id := b.idOf("/")
		b.next()
		a.send(`42["to","` + id + `","x"]`)
		b.expect(`42["x"]`)
	})
	t.Run("S-RM-07", func(t *testing.T) {
		a, b := pair(t)
		b.send(`420["join","r7"]`)
		b.expect("430[2]")
		a.send(`42["except","r7","x"]`)
		a.expect(`42["x"]`)
		marker(b)
	})
	t.Run("S-RM-10", func(t *testing.T) {
		a, b := pair(t)
		b.send(`420["join","r10"]`)
		b.expect("430[2]")
		b.send("41")
		b.join("/")
		b.next()
		a.send(`42["in","r10","x"]`)
		marker(a)
		marker(b)
	})
	t.Run("S-RM-11", func(t *testing.T) {
		a, b := pair(t)
		c := dial(t, url)
		c.join("/custom")
		c.next()
		a.send(`42["all","x"]`)
		b.expect(`42["x"]`)
		c.send(`42/custom,["message",1]`)
		c.expect(`42/custom,["message-back",1]`)
	})
}

func TestBroadcastAckCases(t *testing.T) {
	answer := func(c *wire, value string) {
		c.t.Helper()
		request := c.next()
		id := strings.TrimSuffix(strings.TrimPrefix(request, "42"), `["need-ack"]`)
		c.send("43" + id + "[" + value + "]")
	}
	t.Run("S-RM-08", func(t *testing.T) {
		url := serve(t, fixture(t, quiet()))
		a, b := dial(t, url), dial(t, url)
		a.join("/")
		a.next()
		b.join("/")
		b.next()
		a.send(`429["broadcast-ack",8000]`)
		answer(a, `"A"`)
		answer(b, `"B"`)
		if got := a.next(); got != `439[null,["A","B"]]` && got != `439[null,["B","A"]]` {
			t.Error(got)
		}
	})
}

func TestSocketInOverlappingRoomsGetsOne(t *testing.T) { // S-RM-04
	srv := fixture(t, quiet())
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`420["join","a"]`, `421["join","b"]`)
	c.expect("430[2]", "431[3]")
	if err := srv.To("a", "b").Emit("x"); err != nil {
		t.Fatal(err)
	}
	c.expect(`42["x"]`)
	c.alive()
}
