package msgpack_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// nodeMsgpack is a packet as node/msgpack.js writes and reads it.
type nodeMsgpack struct {
	Type        any      `json:"type"`
	Namespace   string   `json:"nsp"`
	ID          *float64 `json:"id,omitempty"`
	JSON        *string  `json:"json,omitempty"`
	Attachments [][]byte `json:"attachments,omitempty"`
	Error       string   `json:"error,omitempty"`
}

// sameMsgpackJSON compares two texts by meaning, numbers as float64 as in JavaScript.
func sameMsgpackJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func sameMsgpackBuffers(a, b [][]byte) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}

// The errors for which we are meant to be stricter: DIFFERENCES.md.
var msgpackStricter = []error{
	sioparser.ErrUTF8, msgpack.ErrExtension, msgpack.ErrKey, sioparser.ErrNamespace, sioparser.ErrID, sioparser.ErrPayload,
	sioparser.ErrReserved, sioparser.ErrDepth, sioparser.ErrTooManyAttachments,
}

func TestMsgpackDecoderAgreesWithTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "msgpack.js")
	m := newMsgpackMaker(t)
	makeMessage := func(r *rand.Rand) []byte {
		for {
			if message := m.input(r); !tooLongForNotepack(message) {
				return message
			}
		}
	}
	first := slices.DeleteFunc(m.vectors, tooLongForNotepack)
	first = append(first, []byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e\x81\xa9__proto__\xc7\x01\x00a")) // its prototype is an ArrayBuffer
	nodepeer.Each(t, peer, "decode", first, makeMessage, func(message []byte, theirs nodeMsgpack) {
		p, err := msgpack.Codec.NewDecoder(sioparser.Limits{}).Decode(bytes.Clone(message), true)
		if err != nil {
			for _, stricter := range msgpackStricter {
				if errors.Is(err, stricter) {
					return
				}
			}
			if theirs.Error == "" {
				t.Errorf("%x: %v, theirs %+v", message, err, theirs)
			}
			return
		}
		if theirs.Error != "" || theirs.Type != float64(p.Type) || theirs.Namespace != p.Namespace ||
			p.HasID != (theirs.ID != nil) || p.HasID && *theirs.ID != float64(p.ID) {
			t.Errorf("%x: %+v, theirs %+v", message, p, theirs)
			return
		}
		if bytes.Contains(message, []byte("__proto__")) {
			return // in JavaScript that key is not data
		}
		compareMsgpackData(t, message, p, theirs)
	})
}

// tooLongForNotepack reports whether there may be a length in the message that
// the reference allocates for, and for an ArrayBuffer even loops over, before it
// looks whether so much follows: minutes, and gigabytes.
func tooLongForNotepack(message []byte) bool {
	for i, c := range message {
		if c == 0xc9 || c == 0xdd || c == 0xdf {
			if rest := message[i+1:]; len(rest) < 4 || binary.BigEndian.Uint32(rest) > 1<<12 {
				return true
			}
		}
	}
	return false
}

func compareMsgpackData(t *testing.T, message []byte, p *sioparser.Packet, theirs nodeMsgpack) {
	t.Helper()
	if p.Type != sioparser.Event && p.Type != sioparser.Ack {
		if theirs.JSON == nil || p.Payload == nil {
			if theirs.JSON != nil || p.Payload != nil {
				t.Errorf("%x: payload %s, theirs %+v", message, p.Payload, theirs)
			}
		} else if len(theirs.Attachments) == 0 && !sameMsgpackJSON(p.Payload, []byte(*theirs.JSON)) {
			t.Errorf("%x: payload %s, theirs %s", message, p.Payload, *theirs.JSON)
		}
		return
	}
	var data []json.RawMessage
	if json.Unmarshal([]byte(*theirs.JSON), &data) != nil {
		t.Fatalf("%x: theirs %s", message, *theirs.JSON)
	}
	if p.Type == sioparser.Event {
		if data[0][0] == '"' {
			if name, err := json.Marshal(string(p.Name)); err != nil || !sameMsgpackJSON(name, data[0]) {
				t.Errorf("%x: name %q, theirs %s", message, p.Name, data[0])
			}
		}
		data = data[1:]
	}
	array := []byte("[]")
	if len(data) > 0 {
		array, _ = json.Marshal(data)
	}
	ours := p.Args.AppendArray(nil)
	var a, b any
	if json.Unmarshal(ours, &a) != nil || json.Unmarshal(array, &b) != nil {
		t.Errorf("%x: %s, theirs %s", message, ours, array)
		return
	}
	// Of equal keys JavaScript keeps the place of the first and the value of the
	// last, and puts keys that are numbers first; so the attachments' order may
	// differ, not what stands where.
	if !reflect.DeepEqual(resolveBuffers(a, p.Args.Attachments()), resolveBuffers(b, theirs.Attachments)) {
		t.Errorf("%x: %s with %x, theirs %s with %x", message, ours, p.Args.Attachments(), array, theirs.Attachments)
	}
}

// resolveBuffers puts attachments where their placeholders are, and makes of keys
// that are integers beyond 2^53 what JavaScript does.
func resolveBuffers(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = resolveBuffers(v[i], attachments)
		}
	case map[string]any:
		if num, ok := v["num"].(float64); ok && v["_placeholder"] == true && len(v) == 2 && num >= 0 && int(num) < len(attachments) {
			return modelBuffer(attachments[int(num)])
		}
		resolved := make(map[string]any, len(v))
		for key, element := range v {
			if _, err := strconv.ParseInt(key, 10, 64); len(key) >= 16 && !errors.Is(err, strconv.ErrSyntax) {
				f, _ := strconv.ParseFloat(key, 64)
				key = strconv.FormatFloat(f, 'f', -1, 64)
			}
			resolved[key] = resolveBuffers(element, attachments)
		}
		return resolved
	}
	return v
}

func TestMsgpackEncoderMakesTheBytesOfTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "msgpack.js")
	makePacket := func(r *rand.Rand) nodeMsgpack {
		namespaces := []string{"/", "/admin", "/é😀", "/a?b=c"}
		c := nodeMsgpack{Type: r.IntN(5), Namespace: namespaces[r.IntN(len(namespaces))]}
		array, attachments := randomArgs(r, true)
		text := string(array)
		switch c.Type {
		case 0:
			text = `{"sid":"x","data":` + string(randomString(r, nil, true)) + `}`
			attachments = nil
		case 1:
			return c
		case 2:
			text = `["e"` + map[bool]string{true: "]", false: "," + text[1:]}[text == "[]"]
		case 4:
			text, attachments = string(randomString(r, nil, true)), nil
		}
		c.JSON, c.Attachments = &text, attachments
		if id := float64(r.Int64N(1 << 53)); c.Type == 3 || c.Type == 2 && r.IntN(2) == 0 {
			c.ID = &id
		}
		return c
	}
	nodepeer.Each(t, peer, "encode", nil, makePacket, func(c nodeMsgpack, theirs []byte) {
		p := sioparser.Packet{Type: sioparser.PacketType(c.Type.(int)), Namespace: c.Namespace}
		if c.ID != nil {
			p.ID, p.HasID = uint64(*c.ID), true
		}
		switch p.Type {
		case sioparser.Event, sioparser.Ack:
			args, err := sioparser.ParseArgs([]byte(*c.JSON), c.Attachments)
			if err != nil {
				t.Fatal(err)
			}
			if p.Args = args; p.Type == sioparser.Event {
				p.Name, p.Args = []byte("e"), args.Slice(1, args.Len())
			}
		default:
			if c.JSON != nil {
				p.Payload = []byte(*c.JSON)
			}
		}
		ours, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%+v %v: %x, theirs %x, %v", c, c.JSON, ours, theirs, err)
		}
	})
}

// What we write the reference reads as what JavaScript reads in the JSON text.
func TestMsgpackArgumentsAreReadByTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "msgpack.js")
	type text struct {
		array       []byte
		attachments [][]byte
	}
	made := map[string]text{}
	makeArgs := func(r *rand.Rand) []byte {
		array, attachments := randomArgs(r, false)
		args, err := sioparser.ParseArgs(array, attachments)
		if err != nil {
			t.Fatal(err)
		}
		wire := msgpack.AppendFromArgs(nil, args)
		made[string(wire)] = text{array, attachments}
		return wire
	}
	nodepeer.Each(t, peer, "decodeArgs", nil, makeArgs, func(wire []byte, theirs nodeMsgpack) {
		want := made[string(wire)]
		delete(made, string(wire))
		if want.array == nil {
			return // the same as another of the batch
		}
		if theirs.Error != "" || !sameMsgpackJSON(want.array, []byte(*theirs.JSON)) || !sameMsgpackBuffers(want.attachments, theirs.Attachments) {
			t.Errorf("%s becomes %x, which is theirs %+v", want.array, wire, theirs)
		}
	})
}
