package sioparser_test

import (
	"testing"

	"github.com/siokit/siokit/sioparser"
)

func TestEncode(t *testing.T) {
	args := parse(t, `[1,{"a":[]}]`)
	attached := parse(t, `[`+placeholder(0)+`]`, "A")
	for _, c := range []struct {
		name string
		p    sioparser.Packet
		want string
	}{
		{"CONNECT", sioparser.Packet{Type: sioparser.Connect}, `0`},
		{"CONNECT with payload", sioparser.Packet{Type: sioparser.Connect, Namespace: "/a", Payload: []byte(`{"x":1}`)}, `0/a,{"x":1}`},
		{"DISCONNECT", sioparser.Packet{Type: sioparser.Disconnect, Namespace: "/"}, `1`},
		{"DISCONNECT of a namespace", sioparser.Packet{Type: sioparser.Disconnect, Namespace: "/a"}, `1/a,`},
		{"CONNECT_ERROR", sioparser.Packet{Type: sioparser.ConnectError, Namespace: "/a", Payload: []byte(`{"message":"no"}`)}, `4/a,{"message":"no"}`},
		{"CONNECT_ERROR with string", sioparser.Packet{Type: sioparser.ConnectError, Payload: []byte(`"no"`)}, `4"no"`},
		{"EVENT", sioparser.Packet{Type: sioparser.Event, Name: []byte("n"), Args: args}, `2["n",1,{"a":[]}]`},
		{"EVENT without arguments", sioparser.Packet{Type: sioparser.Event, Name: []byte("n")}, `2["n"]`},
		{"EVENT without a name", sioparser.Packet{Type: sioparser.Event}, `2[""]`},
		{"EVENT with id", sioparser.Packet{Type: sioparser.Event, Namespace: "/a", ID: sioparser.MaxID, HasID: true, Name: []byte("n")}, `2/a,9007199254740991["n"]`},
		{"EVENT from BINARY_EVENT", sioparser.Packet{Type: sioparser.BinaryEvent, Name: []byte("n"), Args: args}, `2["n",1,{"a":[]}]`},
		{"BINARY_EVENT from EVENT", sioparser.Packet{Type: sioparser.Event, ID: 0, HasID: true, Namespace: "/a", Name: []byte("n"), Args: attached}, `51-/a,0["n",` + placeholder(0) + `]`},
		{"ACK", sioparser.Packet{Type: sioparser.Ack, ID: 3, HasID: true, Args: args}, `33[1,{"a":[]}]`},
		{"ACK without arguments", sioparser.Packet{Type: sioparser.BinaryAck, ID: 3, HasID: true}, `33[]`},
		{"BINARY_ACK", sioparser.Packet{Type: sioparser.Ack, ID: 3, HasID: true, Args: attached}, `61-3[` + placeholder(0) + `]`},
		{"name to be escaped", sioparser.Packet{Type: sioparser.Event, Name: []byte("\"\\\b\f\n\r\t\x00\x1f/\x7f\u2028<é😀")},
			`2["\"\\\b\f\n\r\t\u0000\u001f/` + "\x7f\u2028" + `<é😀"]`},
		{"name not UTF-8", sioparser.Packet{Type: sioparser.Event, Name: []byte("a\xffb\xed\xa0\x80c\xe2\x82")}, "2[\"a\uFFFDb\uFFFD\uFFFD\uFFFDc\uFFFD\uFFFD\"]"},
		{"namespace of many runes", sioparser.Packet{Type: sioparser.Event, Namespace: "/é😀", Name: []byte("n")}, `2/é😀,["n"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			head, binary, attachments, err := sioparser.Text.AppendPacket(nil, &c.p)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "head", string(head), c.want)
			equal(t, "binary", binary, false)
			equal(t, "attachments", len(attachments) > 0, c.p.Args.HasAttachments())
		})
	}
}

func TestValid(t *testing.T) {
	for _, c := range []struct {
		name   string
		p      sioparser.Packet
		err    error
		offset int
	}{
		{"unknown type", sioparser.Packet{Type: 7}, sioparser.ErrPacketType, 0},
		{"reserved name", sioparser.Packet{Type: sioparser.Event, Name: []byte("disconnecting")}, sioparser.ErrReserved, 0},
		{"reserved name, binary", sioparser.Packet{Type: sioparser.BinaryEvent, Name: []byte("connect")}, sioparser.ErrReserved, 0},
		{"id too large", sioparser.Packet{Type: sioparser.Ack, ID: sioparser.MaxID + 1, HasID: true}, sioparser.ErrID, 0},
		{"namespace without slash", sioparser.Packet{Type: sioparser.Connect, Namespace: "a"}, sioparser.ErrNamespace, 0},
		{"namespace with comma", sioparser.Packet{Type: sioparser.Connect, Namespace: "/a,b"}, sioparser.ErrNamespace, 2},
		{"namespace not UTF-8", sioparser.Packet{Type: sioparser.Connect, Namespace: "/a\xff"}, sioparser.ErrUTF8, 2},
		{"DISCONNECT with payload", sioparser.Packet{Type: sioparser.Disconnect, Payload: []byte(`{}`)}, sioparser.ErrPayload, 0},
		{"CONNECT with array", sioparser.Packet{Type: sioparser.Connect, Payload: []byte(`[]`)}, sioparser.ErrPayload, 0},
		{"CONNECT with empty payload", sioparser.Packet{Type: sioparser.Connect, Payload: []byte{}}, sioparser.ErrPayload, 0},
		{"CONNECT with half an object", sioparser.Packet{Type: sioparser.Connect, Payload: []byte(`{`)}, sioparser.ErrSyntax, 1},
		{"CONNECT with two objects", sioparser.Packet{Type: sioparser.Connect, Payload: []byte(`{}{}`)}, sioparser.ErrSyntax, 2},
		{"CONNECT with bytes that are not UTF-8", sioparser.Packet{Type: sioparser.Connect, Payload: []byte("{\"\xff\":1}")}, sioparser.ErrUTF8, 2},
		{"CONNECT_ERROR without payload", sioparser.Packet{Type: sioparser.ConnectError}, sioparser.ErrPayload, 0},
		{"CONNECT_ERROR with a number", sioparser.Packet{Type: sioparser.ConnectError, Payload: []byte(`1`)}, sioparser.ErrPayload, 0},
		{"CONNECT_ERROR with half a string", sioparser.Packet{Type: sioparser.ConnectError, Payload: []byte(`"x`)}, sioparser.ErrSyntax, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkSentinel(t, sioparser.Valid(&c.p), c.err, c.offset)
			dst, _, attachments, err := sioparser.Text.AppendPacket([]byte("before"), &c.p)
			checkSentinel(t, err, c.err, c.offset)
			equal(t, "dst", string(dst), "before")
			equal(t, "attachments", len(attachments), 0)
		})
	}
}

func TestReserved(t *testing.T) {
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		equal(t, name, sioparser.Reserved(name), true)
	}
	for _, name := range []string{"", "message", "Connect", "connect ", "error", "connection", "__proto__"} {
		equal(t, name, sioparser.Reserved(name), false)
	}
}

func TestPacketTypeString(t *testing.T) {
	want := []string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK", "PacketType(7)"}
	for i, name := range want {
		equal(t, "name", sioparser.PacketType(i).String(), name)
	}
}

func TestErrorText(t *testing.T) {
	_, err := decode(t, sioparser.Limits{}, text(`2["x"`))
	equal(t, "text", err.Error(), "sioparser: invalid JSON at byte 5")
}

// An event's head, kept and completed, is the packet that the codec makes.
func TestAppendEventHead(t *testing.T) {
	args := parse(t, `[1,"b"]`)
	for _, namespace := range []string{"", "/", "/chat"} {
		for _, name := range []string{"message", `"quoted"`, ""} {
			for _, a := range []sioparser.Args{{}, args} {
				got := sioparser.AppendEventHead([]byte("before"), namespace, name)
				if a.Len() > 0 {
					got = append(append(got, ','), a.Raw()...)
				}
				got = append(got, ']')
				want, _, _, err := sioparser.Text.AppendPacket([]byte("before"), &sioparser.Packet{
					Type: sioparser.Event, Namespace: namespace, Name: []byte(name), Args: a,
				})
				if err != nil {
					t.Fatal(err)
				}
				equal(t, "packet", string(got), string(want))
			}
		}
	}
}

// A name that was decoded goes out as it came, until another takes its place.
func TestEncodeReplacedName(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	for _, c := range []struct{ in, name string }{
		{`2[1,"x"]`, "1"}, {`2["\u0061b","x"]`, "ab"}, {`2["\ud83d","x"]`, "\uFFFD"}, {`2["plain","x"]`, "plain"},
	} {
		p, err := d.Decode([]byte(c.in), false)
		if err != nil {
			t.Fatal(err)
		}
		encoded := func() string {
			head, _, _, err := sioparser.Text.AppendPacket(nil, p)
			if err != nil {
				t.Fatal(err)
			}
			return string(head)
		}
		equal(t, "relayed", encoded(), c.in)
		copied := *p
		p = &copied
		equal(t, "copied", encoded(), c.in)
		p.Name = []byte(c.name)
		equal(t, "same name set", encoded(), `2["`+c.name+`","x"]`)
		p.Name = []byte("new")
		equal(t, "new name set", encoded(), `2["new","x"]`)
		p.Name = nil
		equal(t, "no name", encoded(), `2["","x"]`)
	}
	p, err := d.Decode([]byte(`2["plain again"]`), false)
	if err != nil {
		t.Fatal(err)
	}
	p.Name = p.Name[:5]
	checkEncoded(t, p, []message{text(`2["plain"]`)})
}

func TestPacketClone(t *testing.T) {
	for _, v := range readVectors(t) {
		if v.Err != "" || v.Enc == nil {
			continue
		}
		d := sioparser.Text.NewDecoder(sioparser.Limits{})
		var p *sioparser.Packet
		for _, m := range v.In {
			var err error
			if p, err = d.Decode(m.data, m.binary); err != nil {
				t.Fatal(err)
			}
		}
		clone := p.Clone()
		if !v.In[0].binary {
			clear(v.In[0].data)
		}
		if _, err := d.Decode([]byte(`2["another","\u0061"]`), false); err != nil {
			t.Fatal(err)
		}
		equal(t, v.ID+": name", string(clone.Name), v.Out.Name)
		equal(t, v.ID+": payload", string(clone.Payload), v.Out.Payload)
		checkEncoded(t, clone, v.Enc)
	}
}

// The raw name of one packet is not that of the next, even if that one's name
// stands in the same place of a reused buffer.
func TestEncodeNameInReusedBuffer(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	buf := make([]byte, 0, 64)
	for _, in := range []string{`21[12]`, `2["ab"]`, `2["\u0061"]`, `21["a"]`, `2[-1]`} {
		buf = append(buf[:0], in...)
		p, err := d.Decode(buf, false)
		if err != nil {
			t.Fatal(err)
		}
		checkEncoded(t, p, []message{text(in)})
	}
}
