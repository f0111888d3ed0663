package msgpack_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// modelMsgpack reads one value by plain recursion into what encoding/json makes
// of its JSON: nil, bool, float64, string, []any, map[string]any. Buffers become
// modelBuffer. Numbers beyond 2^53 are rounded.
type modelMsgpack struct {
	b      []byte
	failed bool
	twice  bool // a key came twice; only its last value is left
}

type (
	modelBuffer    string
	modelISO       string
	modelUndefined struct{}
)

func (m *modelMsgpack) take(n uint64) []byte {
	if m.failed = m.failed || n > uint64(len(m.b)); m.failed {
		return make([]byte, 16)
	}
	taken := m.b[:n]
	m.b = m.b[n:]
	return taken
}

func (m *modelMsgpack) uint(width uint64) (n uint64) {
	for _, c := range m.take(width)[:width] {
		n = n<<8 | uint64(c)
	}
	return n
}

func (m *modelMsgpack) value() any {
	c := m.take(1)[0]
	switch {
	case m.failed:
		return nil
	case c < 0x80:
		return float64(c)
	case c < 0x90:
		return m.object(uint64(c & 0xf))
	case c < 0xa0:
		return m.array(uint64(c & 0xf))
	case c < 0xc0:
		return m.text(uint64(c & 0x1f))
	case c >= 0xe0:
		return float64(int8(c))
	}
	switch c {
	case 0xc0:
		return nil
	case 0xc2, 0xc3:
		return c == 0xc3
	case 0xc4, 0xc5, 0xc6:
		return modelBuffer(m.take(m.uint(1 << (c - 0xc4))))
	case 0xc7, 0xc8, 0xc9:
		n := m.uint(1 << (c - 0xc7))
		m.failed = m.take(1)[0] != 0 || m.failed
		return modelBuffer(m.take(n))
	case 0xca:
		return m.float(float64(math.Float32frombits(uint32(m.uint(4)))))
	case 0xcb:
		return m.float(math.Float64frombits(m.uint(8)))
	case 0xcc, 0xcd, 0xce, 0xcf:
		return float64(m.uint(1 << (c - 0xcc)))
	case 0xd0:
		return float64(int8(m.uint(1)))
	case 0xd1:
		return float64(int16(m.uint(2)))
	case 0xd2:
		return float64(int32(m.uint(4)))
	case 0xd3:
		return float64(int64(m.uint(8)))
	case 0xd4, 0xd7:
		m.failed = m.take(1)[0] != 0 || m.failed
		if c == 0xd4 {
			m.take(1)
			return modelUndefined{}
		}
		return modelDate(int64(binary.BigEndian.Uint64(m.take(8))))
	case 0xd9, 0xda, 0xdb:
		return m.text(m.uint(1 << (c - 0xd9)))
	case 0xdc, 0xdd:
		return m.array(m.uint(2 << (c - 0xdc)))
	case 0xde, 0xdf:
		return m.object(m.uint(2 << (c - 0xde)))
	}
	m.failed = true
	return nil
}

func (m *modelMsgpack) float(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return modelSpecial(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return f
}

// modelSpecial is NaN, +Inf or -Inf: null as a value, a name as a key.
type modelSpecial string

func modelDate(millis int64) any {
	if millis > 8.64e15 || millis < -8.64e15 {
		return nil
	}
	t := time.UnixMilli(millis).UTC()
	year := fmt.Sprintf("%04d", t.Year())
	if t.Year() < 0 {
		year = fmt.Sprintf("-%06d", -t.Year())
	} else if t.Year() > 9999 {
		year = fmt.Sprintf("+%06d", t.Year())
	}
	return modelISO(year + t.Format("-01-02T15:04:05.000Z"))
}

func (m *modelMsgpack) text(n uint64) any {
	s := string(m.take(n))
	m.failed = m.failed || !utf8.ValidString(s)
	return s
}

func (m *modelMsgpack) array(n uint64) any {
	list := []any{}
	for range n {
		if m.failed {
			return nil
		}
		list = append(list, m.value())
	}
	return list
}

func (m *modelMsgpack) object(n uint64) any {
	members := map[string]any{}
	for range n {
		if m.failed {
			return nil
		}
		var key string
		start := append(bytes.Clone(m.b[:min(len(m.b), 9)]), make([]byte, 9)...)
		switch k := m.value().(type) {
		case string:
			key = k
		case float64:
			text, _ := json.Marshal(k)
			key = strings.TrimPrefix(string(text), "-")
			switch {
			case start[0] == 0xcf: // all digits stay
				key = strconv.FormatUint(binary.BigEndian.Uint64(start[1:]), 10)
			case start[0] == 0xd3:
				key = strconv.FormatInt(int64(binary.BigEndian.Uint64(start[1:])), 10)
			case k < 0:
				key = string(text)
			}
		case modelSpecial:
			key = map[modelSpecial]string{"NaN": "NaN", "+Inf": "Infinity", "-Inf": "-Infinity"}[k]
		default:
			m.failed = true
		}
		_, twice := members[key]
		m.twice = m.twice || twice
		members[key] = m.value()
	}
	return members
}

// plain replaces what JSON has no form for, buffers by placeholders.
func plain(v any, attachments *[][]byte) any {
	switch v := v.(type) {
	case modelBuffer:
		*attachments = append(*attachments, []byte(v))
		return map[string]any{"_placeholder": true, "num": float64(len(*attachments) - 1)}
	case modelUndefined, modelSpecial:
		return nil
	case modelISO:
		return string(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i], attachments)
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key], attachments)
		}
	}
	return v
}

// countBuffers says how many buffers are in v, and how many of them in maps.
func countBuffers(v any, inMap bool) (all, mapped int) {
	switch v := v.(type) {
	case modelBuffer:
		if inMap {
			return 1, 1
		}
		return 1, 0
	case []any:
		for _, e := range v {
			a, m := countBuffers(e, inMap)
			all, mapped = all+a, mapped+m
		}
	case map[string]any:
		for _, e := range v {
			a, m := countBuffers(e, true)
			all, mapped = all+a, mapped+m
		}
	}
	return all, mapped
}

// checkMsgpack compares the decoder with the model, and what it returned with
// what comes back after encoding.
func checkMsgpack(message []byte) error {
	d := msgpack.Codec.NewDecoder(sioparser.Limits{})
	p, err := d.Decode(bytes.Clone(message), true)
	m := modelMsgpack{b: message}
	value := m.value()
	ok := !m.failed && len(m.b) == 0
	if valid := msgpack.Valid(message); (valid == nil) != ok && !errors.Is(valid, sioparser.ErrDepth) {
		return fmt.Errorf("%x: Valid says %v, the model %t", message, valid, ok)
	}
	if err != nil {
		return checkRefusal(message, p, err, value, ok)
	}
	if !ok {
		return fmt.Errorf("%x is accepted as %+v", message, p)
	}
	packet := value.(map[string]any)
	if packet["type"] != float64(p.Type) || packet["nsp"] != p.Namespace || p.HasID && packet["id"] != float64(p.ID) {
		return fmt.Errorf("%x: %+v, the model says %v", message, p, packet)
	}
	if err := checkArgs(message, p, packet["data"], m.twice); err != nil {
		return err
	}
	return checkMsgpackAgain(message, p)
}

// checkRefusal sees to it that a message that the model takes is refused for a
// reason that the model does not know.
func checkRefusal(message []byte, p *sioparser.Packet, err error, value any, ok bool) error {
	var bad *sioparser.Error
	if p != nil || !errors.As(err, &bad) {
		return fmt.Errorf("%x: %+v, %v", message, p, err)
	}
	if bad.Offset < 0 || bad.Offset > len(message) {
		return fmt.Errorf("%x: the error is at %d", message, bad.Offset)
	}
	for _, bare := range []error{msgpack.ErrSyntax, msgpack.ErrExtension, sioparser.ErrUTF8} {
		if ok && errors.Is(err, bare) {
			return fmt.Errorf("%x: %v, the model says %v", message, err, value)
		}
	}
	packet, isMap := value.(map[string]any)
	data, _ := packet["data"].([]any)
	_, known := packet["data"]
	plainEvent := ok && isMap && packet["nsp"] == "/" && packet["id"] == nil && known && len(data) > 0 && packet["type"] == 2.0
	if !plainEvent {
		return nil
	}
	if name, isString := data[0].(string); isString && !sioparser.Reserved(name) &&
		!errors.Is(err, msgpack.ErrKey) && !errors.Is(err, sioparser.ErrDepth) &&
		!errors.Is(err, sioparser.ErrTooManyAttachments) && !errors.Is(err, sioparser.ErrID) {
		return fmt.Errorf("%x: %v, the model says %v", message, err, value)
	}
	return nil
}

// checkArgs compares arguments or payload with the model's data. The buffers are
// compared if the model knows their order: if none is in a map, and none is gone
// with the first of two equal keys.
func checkArgs(message []byte, p *sioparser.Packet, data any, twice bool) error {
	var got, want any
	if p.Type != sioparser.Event && p.Type != sioparser.Ack {
		if _, undefined := data.(modelUndefined); data == nil || undefined {
			if p.Payload != nil {
				return fmt.Errorf("%x: payload %s", message, p.Payload)
			}
			return nil
		}
		if buffers, _ := countBuffers(data, false); buffers > 0 {
			return nil // written as Node's Buffer; the vectors have it
		}
		var none [][]byte
		want = plain(data, &none)
		if json.Unmarshal(p.Payload, &got) != nil || !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%x: payload %s, want %v", message, p.Payload, want)
		}
		return nil
	}
	list := data.([]any)
	if p.Type == sioparser.Event {
		if name, ok := list[0].(string); ok && name != string(p.Name) {
			return fmt.Errorf("%x: the name is %q", message, p.Name)
		}
		list = list[1:]
	}
	buffers, mapped := countBuffers(list, false)
	ordered := mapped == 0 && !twice
	var attachments [][]byte
	want = plain(list, &attachments)
	text := p.Args.AppendArray(nil)
	if err := json.Unmarshal(text, &got); err != nil || p.Args.Len() != len(list) {
		return fmt.Errorf("%x: %d arguments, %s, %v", message, p.Args.Len(), text, err)
	}
	if (ordered || !p.Args.HasAttachments()) && !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%x: %s, want %v", message, text, want)
	}
	if ordered && buffers > 0 && !reflect.DeepEqual(attachments, p.Args.Attachments()) {
		return fmt.Errorf("%x: attachments %x", message, p.Args.Attachments())
	}
	// What came out must be what the text codec's parser reads, unless there is
	// data that only looks like a placeholder.
	count := 0
	for place := range p.Args.Placeholders() {
		want := fmt.Sprintf(`{"_placeholder":true,"num":%d}`, count)
		if string(p.Args.Raw()[place.Start:place.End]) != want || place.Num != count {
			return fmt.Errorf("%x: placeholder %+v in %s", message, place, text)
		}
		count++
	}
	if buffers != count && !twice {
		return fmt.Errorf("%x: %d placeholders for %d buffers", message, count, buffers)
	}
	if bytes.Count(text, []byte(`"_placeholder":true`)) > count {
		return nil
	}
	again, err := sioparser.ParseArgs(text, p.Args.Attachments())
	if err != nil || again.Len() != p.Args.Len() || !bytes.Equal(again.Raw(), p.Args.Raw()) || !slices.EqualFunc(slices.Collect(again.All()), slices.Collect(p.Args.All()), bytes.Equal) {
		return fmt.Errorf("%x: %s is not canonical: %v", message, text, err)
	}
	return nil
}

// checkMsgpackAgain encodes a decoded packet twice, with a decoding between.
func checkMsgpackAgain(message []byte, p *sioparser.Packet) error {
	first, _, _, err := msgpack.Codec.AppendPacket(nil, p)
	if err != nil {
		return fmt.Errorf("%x: %v", message, err)
	}
	// Encoding may lengthen the message, never what it means.
	q, err := msgpack.Codec.NewDecoder(sioparser.Limits{Attachments: -1, AttachmentBytes: -1}).Decode(bytes.Clone(first), true)
	if err != nil {
		return fmt.Errorf("%x is encoded as %x: %v", message, first, err)
	}
	second, _, _, err := msgpack.Codec.AppendPacket(nil, q)
	if err != nil || !bytes.Equal(first, second) {
		return fmt.Errorf("%x is encoded as %x and then as %x, %v", message, first, second, err)
	}
	return nil
}

// checkMsgpackJSON takes JSON arguments to MessagePack and back.
func checkMsgpackJSON(array []byte, attachments [][]byte) error {
	args, err := sioparser.ParseArgs(array, attachments)
	if err != nil {
		return nil
	}
	var want, got any
	if json.Unmarshal(array, &want) != nil {
		return nil // a number beyond float64: infinite, as in JavaScript, and then null
	}
	wire := msgpack.AppendFromArgs(nil, args)
	back, err := msgpack.ToArgs(wire, sioparser.Limits{Attachments: -1, AttachmentBytes: -1})
	if errors.Is(err, sioparser.ErrDepth) {
		return nil // the event's own array is a level
	}
	if err != nil {
		return fmt.Errorf("%v: %s becomes %x", err, array, wire)
	}
	if again := msgpack.AppendFromArgs(nil, back); !bytes.Equal(wire, again) {
		return fmt.Errorf("not the same again: %s becomes %x and then %x", array, wire, again)
	}
	if err := json.Unmarshal(back.AppendArray(nil), &got); err != nil {
		return err
	}
	if !args.HasAttachments() && !reflect.DeepEqual(got, want) {
		return fmt.Errorf("not the same: %s becomes %x, which is %s", array, wire, back.AppendArray(nil))
	}
	return nil
}
