package sio_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"github.com/siokit/siokit/sioparser"
)

// socket.io-parser, in a Node process, and ours see the same random messages.
// Every difference must be one of the module's list, DIFFERENCES.md.

// nodeMessage is a message as node/sio.js writes it.
type nodeMessage struct {
	Text   []byte `json:"t,omitzero"`
	Binary []byte `json:"b,omitzero"`
}

func toNode(frames []sioFrame) []nodeMessage {
	list := make([]nodeMessage, len(frames))
	for i, f := range frames {
		data := append([]byte{}, f.Data...)
		if f.Binary {
			list[i].Binary = data
		} else {
			list[i].Text = data
		}
	}
	return list
}

func fromNode(messages []nodeMessage) []sioFrame {
	list := make([]sioFrame, len(messages))
	for i, m := range messages {
		if m.Text != nil {
			list[i].Data = m.Text
		} else {
			list[i] = sioFrame{true, m.Binary}
		}
	}
	return list
}

// nodeDecodeCase are messages, and what we made of the packets in them.
type nodeDecodeCase struct {
	Messages []nodeMessage `json:"messages"`
	Relayed  []nodeMessage `json:"relayed"`

	frames  []sioFrame
	models  []*sioModel
	relayed int // how many packets
	err     error
	failure error // one that must not be
}

type nodeDecodeResult struct {
	Error   string `json:"error"`
	Same    bool   `json:"same"`
	Relayed int    `json:"relayed"`
	Packets []struct {
		Type     sioparser.PacketType `json:"type"`
		NSP      string               `json:"nsp"`
		ID       *float64             `json:"id"`
		Data     *string              `json:"data"`
		Messages []nodeMessage        `json:"messages"`
	} `json:"packets"`
}

// newDecodeCase decodes the frames and encodes the packets again.
func newDecodeCase(frames []sioFrame) nodeDecodeCase {
	c := nodeDecodeCase{Messages: toNode(frames), frames: frames, Relayed: []nodeMessage{}}
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	whole := true // no packet so far that may be read but not written
	for rest := frames; len(rest) > 0; {
		p, used, err := decodeSIO(d, rest)
		if rest = rest[used:]; err != nil {
			c.err = err
			break
		}
		if p == nil {
			break
		}
		m, err := modelOf(p)
		if err != nil {
			c.failure = err
			break
		}
		c.models = append(c.models, m)
		if whole = whole && (p.Type != sioparser.ConnectError || p.Payload != nil); whole {
			again, err := encodeSIO(p)
			if err != nil {
				c.failure = err
				break
			}
			c.Relayed = append(c.Relayed, toNode(again)...)
			c.relayed++
		}
	}
	return c
}

func TestSIODifferentialDecode(t *testing.T) {
	peer := nodepeer.Start(t, "sio.js")
	m := newSIOMaker(t)
	var first []nodeDecodeCase
	for _, frames := range m.vectors {
		first = append(first, newDecodeCase(frames))
	}
	nodepeer.Each(t, peer, "decode", first, func(r *rand.Rand) nodeDecodeCase {
		return newDecodeCase(m.frames(r))
	}, func(c nodeDecodeCase, r nodeDecodeResult) {
		if err := compareDecoded(c, r); err != nil {
			t.Errorf("%v: %v", c.frames, err)
		}
	})
}

func compareDecoded(c nodeDecodeCase, r nodeDecodeResult) error {
	if c.failure != nil {
		return c.failure
	}
	if errors.Is(c.err, sioparser.ErrUTF8) {
		return nil // refused before the reference's parser would see it
	}
	switch {
	case c.err == nil && r.Error != "":
		return fmt.Errorf("accepted by us, the reference says %q", r.Error)
	case c.err != nil && r.Error == "":
		if err := stricterThanReference(c.err, c.frames); err != nil {
			return fmt.Errorf("accepted by the reference: %w", err)
		}
	case c.err == nil && len(r.Packets) != len(c.models):
		return fmt.Errorf("we have %d packets, the reference %d", len(c.models), len(r.Packets))
	}
	if len(r.Packets) < len(c.models) {
		return fmt.Errorf("we have %d packets, the reference %d before %q", len(c.models), len(r.Packets), r.Error)
	}
	for i, ours := range c.models {
		theirs := r.Packets[i]
		if err := comparePacket(ours, theirs.Type, theirs.NSP, theirs.ID, theirs.Data); err != nil {
			return err
		}
		if ours.Range || infinite(ours.Name) || theirs.Type == sioparser.ConnectError && theirs.Data == nil {
			continue // sent on with null for what is out of range, and without payload
		}
		if slices.ContainsFunc(ours.Args, holdsBytes) && slices.ContainsFunc(ours.Args, holdsProto) {
			continue // the reference loses the key when it takes the bytes out
		}
		// What the reference sends on, we read as what it was.
		_, again, err := decoded(fromNode(theirs.Messages))
		if err != nil {
			return fmt.Errorf("the reference sends on %v: %w", fromNode(theirs.Messages), err)
		}
		want := relayedModel(ours)
		if !sameJSON(again.Payload, want.Payload) {
			return fmt.Errorf("the reference sends on payload %s, not %s", again.Payload, want.Payload)
		}
		again.Payload = want.Payload
		if sameNumber(again.Name, want.Name) {
			again.Name = want.Name
		}
		if s := again.differs(want); s != "" {
			return fmt.Errorf("the reference sends on %v: %s", fromNode(theirs.Messages), s)
		}
	}
	if !r.Same || r.Relayed != c.relayed {
		return fmt.Errorf("sent on as %v, the reference reads something else", fromNode(c.Relayed))
	}
	return nil
}

// holdsProto reports whether there is a key "__proto__" in v.
func holdsProto(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, holdsProto)
	case map[string]any:
		for k, item := range v {
			if k == "__proto__" || holdsProto(item) {
				return true
			}
		}
	}
	return false
}

// relayedModel is the packet as the reference sends it on: the type follows the
// attachments that are used.
func relayedModel(m *sioModel) *sioModel {
	n := *m
	attached := slices.ContainsFunc(m.Args, holdsBytes)
	switch {
	case m.Type == sioparser.BinaryEvent && !attached:
		n.Type = sioparser.Event
	case m.Type == sioparser.BinaryAck && !attached:
		n.Type = sioparser.Ack
	}
	return &n
}

// stricterThanReference wants the error to be one of those listed in
// DIFFERENCES.md as refused by us only.
func stricterThanReference(err error, frames []sioFrame) error {
	var e *sioparser.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%T: %w", err, err)
	}
	// The message that was refused is the first that a new decoder refuses.
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	text := ""
	for _, f := range frames {
		text = string(f.Data)
		if _, err := d.Decode(f.Data, f.Binary); err != nil {
			break
		}
	}
	switch {
	case errors.Is(err, sioparser.ErrEmpty): // Number("") is 0: CONNECT
	case errors.Is(err, sioparser.ErrPacketType) && jsNumber(text): // as is Number(" ")
	case errors.Is(err, sioparser.ErrAttachmentCount) && strings.Contains(text, "-"): // Number("1e0")
	case errors.Is(err, sioparser.ErrTooManyAttachments): // placeholders
	case errors.Is(err, sioparser.ErrPlaceholder): // num 0.5, 1e0; or the attachments are not there yet
	case errors.Is(err, sioparser.ErrID): // rounded
	case errors.Is(err, sioparser.ErrNamespace):
	case errors.Is(err, sioparser.ErrDepth):
	case errors.Is(err, sioparser.ErrPayload) && e.Offset == len(text): // an event without a name
	case errors.Is(err, sioparser.ErrPayload) && jsNumber(text[e.Offset:]): // a space is an id
	default:
		return err
	}
	return nil
}

// jsNumber: JavaScript's Number() takes white space, of which there is more than
// JSON's, for 0.
func jsNumber(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsSpace(r) && r != 0x85 || r == 0xFEFF
}

// comparePacket compares our packet with the reference's.
func comparePacket(ours *sioModel, t sioparser.PacketType, nsp string, id *float64, data *string) error {
	kind := ours.Type
	switch kind {
	case sioparser.BinaryEvent:
		kind = sioparser.Event
	case sioparser.BinaryAck:
		kind = sioparser.Ack
	}
	switch {
	case kind != t:
		return fmt.Errorf("type %v, the reference has %v", ours.Type, t)
	case ours.Namespace != nsp:
		return fmt.Errorf("namespace %q, the reference has %q", ours.Namespace, nsp)
	case ours.HasID != (id != nil) || ours.HasID && float64(ours.ID) != *id:
		return fmt.Errorf("id %v %d, the reference has %v", ours.HasID, ours.ID, id)
	}
	if kind != sioparser.Event && kind != sioparser.Ack {
		switch {
		case (ours.Payload == "") != (data == nil):
			return fmt.Errorf("payload %q, the reference has %v", ours.Payload, data)
		case data != nil && !sameJSON(ours.Payload, *data):
			return fmt.Errorf("payload %q, the reference has %s", ours.Payload, *data)
		}
		return nil
	}
	if data == nil {
		if len(ours.Args) > 0 || kind == sioparser.Event {
			return errors.New("the reference has no data")
		}
		return nil
	}
	var theirs []any
	if err := json.Unmarshal([]byte(*data), &theirs); err != nil {
		return err
	}
	theirs = untag(theirs).([]any)
	if kind == sioparser.Event {
		switch name := theirs[0].(type) {
		case string:
			if name != ours.Name {
				return fmt.Errorf("name %q, the reference has %q", ours.Name, name)
			}
		case float64:
			if !sameNumber(ours.Name, strconv.FormatFloat(name, 'g', -1, 64)) {
				return fmt.Errorf("name %q, the reference has %v", ours.Name, name)
			}
		}
		theirs = theirs[1:]
	}
	if !ours.Range && !sameValues(ours.Args, theirs) {
		return fmt.Errorf("arguments %#v, the reference has %#v", ours.Args, theirs)
	}
	return nil
}

// sameJSON compares JSON texts by value. Numbers out of range, which are null
// in what the reference writes, are the same as anything.
func sameJSON(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	var v, w any
	var outOfRange *json.UnmarshalTypeError
	if err := json.Unmarshal([]byte(a), &v); errors.As(err, &outOfRange) {
		return true
	}
	if err := json.Unmarshal([]byte(b), &w); errors.As(err, &outOfRange) {
		return true
	}
	return reflect.DeepEqual(v, w)
}

// infinite: a numeric name that is no float64.
func infinite(name string) bool {
	_, err := strconv.ParseFloat(name, 64)
	return errors.Is(err, strconv.ErrRange)
}

// sameNumber compares numeric names.
func sameNumber(a, b string) bool {
	f, err1 := strconv.ParseFloat(a, 64)
	g, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && f == g
}

const bytesKey = "\x00bytes"

// untag puts bytes where node/sio.js wrote them as an object.
func untag(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = untag(v[i])
		}
	case map[string]any:
		if s, ok := v[bytesKey].(string); ok {
			b, _ := base64.StdEncoding.DecodeString(s)
			return append([]byte{}, b...)
		}
		for k := range v {
			v[k] = untag(v[k])
		}
	}
	return v
}

// nodeEncodeCase is a packet for the reference to encode.
type nodeEncodeCase struct {
	Type sioparser.PacketType `json:"type"`
	NSP  string               `json:"nsp"`
	ID   *uint64              `json:"id,omitempty"`
	Data string               `json:"data"`

	packet sioPacket
}

// tagged marshals with bytes as node/sio.js expects them, keys in the order of
// the text codec's below.
var tagged = jsonv2.JoinOptions(jsonv2.Deterministic(true), jsonv2.WithMarshalers(
	jsonv2.MarshalToFunc(func(enc *jsontext.Encoder, b []byte) error {
		return jsonv2.MarshalEncode(enc, map[string]string{bytesKey: base64.StdEncoding.EncodeToString(b)})
	})))

var sioOrdered = sioparser.JSON(jsonv2.Deterministic(true))

// The same packet is the same messages, byte for byte.
func TestSIODifferentialEncode(t *testing.T) {
	peer := nodepeer.Start(t, "sio.js")
	values := sioGoValues{keysInOrder: true}
	nodepeer.Each(t, peer, "encode", nil, func(r *rand.Rand) nodeEncodeCase {
		p := values.packet(r)
		for slices.ContainsFunc(p.Args, looksLikePlaceholder) && slices.ContainsFunc(p.Args, holdsBytes) {
			p = values.packet(r)
		}
		c := nodeEncodeCase{Type: p.Type, NSP: p.Namespace, packet: p}
		if p.HasID {
			c.ID = &p.ID
		}
		data := p.Args
		if p.Type == sioparser.Event {
			data = slices.Concat([]any{p.Name}, data)
		}
		text, err := jsonv2.Marshal(data, tagged)
		if err != nil {
			t.Fatal(err)
		}
		c.Data = string(text)
		return c
	}, func(c nodeEncodeCase, r []nodeMessage) {
		p := c.packet
		args, err := sioOrdered.Append(sioparser.Args{}, p.Args...)
		if err != nil {
			t.Error(err)
			return
		}
		ours, err := encodeSIO(&sioparser.Packet{
			Type: p.Type, Namespace: p.Namespace, ID: p.ID, HasID: p.HasID, Name: []byte(p.Name), Args: args,
		})
		if err != nil {
			t.Errorf("%v: %v", p, err)
			return
		}
		if theirs := fromNode(r); !sameFrames(ours, theirs) {
			t.Errorf("%v\nours       %v\nreference  %v", p, ours, theirs)
		}
	})
}
