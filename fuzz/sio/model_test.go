package sio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
)

// The rules of the text codec once more, written as plainly as possible with
// the standard library, for the decoder to be compared with.

// sioModel is a decoded packet with its arguments as Go values.
type sioModel struct {
	Type      sioparser.PacketType
	Namespace string
	ID        uint64
	HasID     bool
	Name      string
	Raw       []string // arguments as they stood
	Args      []any    // the same, with the attachments in place
	Range     bool     // a number in Args is out of float64's range
	Payload   string

	unlimited bool // the number of placeholders is not limited
}

var errModel = errors.New("refused by the model")

// modelSIO reads the messages of one packet: the first of the list, and as many
// as it asks for. It returns the rest; a nil packet means that attachments are
// due.
func modelSIO(frames []sioFrame) (p *sioModel, rest []sioFrame, err error) {
	if frames[0].Binary {
		return nil, nil, errModel
	}
	s := string(frames[0].Data)
	frames = frames[1:]
	if s == "" || s[0] < '0' || s[0] > '6' {
		return nil, nil, errModel
	}
	p = &sioModel{Type: sioparser.PacketType(s[0] - '0'), Namespace: "/"}
	s = s[1:]
	count := 0
	if p.Type == sioparser.BinaryEvent || p.Type == sioparser.BinaryAck {
		digits, after, found := strings.Cut(s, "-")
		count = modelDigits(digits)
		if !found || count < 1 || count > sioparser.DefaultAttachments {
			return nil, nil, errModel
		}
		s = after
	}
	if strings.HasPrefix(s, "/") {
		p.Namespace, s, _ = strings.Cut(s, ",")
		if len(p.Namespace) > sioparser.DefaultNamespace || !utf8.ValidString(p.Namespace) {
			return nil, nil, errModel
		}
	}
	if end := len(s) - len(strings.TrimLeft(s, "0123456789")); end > 0 {
		id, err := strconv.ParseUint(s[:end], 10, 64)
		if err != nil || id > sioparser.MaxID {
			return nil, nil, errModel
		}
		p.ID, p.HasID, s = id, true, s[end:]
	}
	if err := p.payload(s, count); err != nil {
		return nil, nil, err
	}
	var attachments [][]byte
	for range count {
		switch {
		case len(frames) == 0:
			return nil, nil, nil
		case !frames[0].Binary:
			return nil, nil, errModel
		}
		attachments = append(attachments, append([]byte{}, frames[0].Data...))
		frames = frames[1:]
	}
	for i := range p.Args {
		p.Args[i] = modelFill(p.Args[i], attachments)
	}
	return p, frames, nil
}

// modelDigits is -1 for what is not a row of digits or very large.
func modelDigits(s string) int {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	if s = strings.TrimLeft(s, "0"); len(s) > 9 {
		return -1
	}
	n, _ := strconv.Atoi("0" + s)
	return n
}

func (p *sioModel) payload(s string, count int) error {
	switch p.Type {
	case sioparser.Disconnect:
		if s != "" {
			return errModel
		}
		return nil
	case sioparser.Connect, sioparser.ConnectError:
		if s == "" {
			return nil
		}
		if s[0] != '{' && (s[0] != '"' || p.Type == sioparser.Connect) || !modelJSON(s) {
			return errModel
		}
		p.Payload = strings.TrimRight(s, " \t\r\n")
		return nil
	}
	event := p.Type == sioparser.Event || p.Type == sioparser.BinaryEvent
	if s == "" && !event {
		return nil
	}
	if !strings.HasPrefix(s, "[") || !modelJSON(s) {
		return errModel
	}
	var raws []json.RawMessage
	if err := json.Unmarshal([]byte(s), &raws); err != nil {
		return errModel
	}
	if event {
		if len(raws) == 0 {
			return errModel
		}
		name := raws[0]
		switch {
		case name[0] == '"':
			if err := json.Unmarshal(name, &p.Name); err != nil {
				return errModel
			}
			if sioparser.Reserved(p.Name) {
				return errModel
			}
		case name[0] == '-' || name[0] >= '0' && name[0] <= '9':
			p.Name = string(name)
		default:
			return errModel
		}
		raws = raws[1:]
	}
	placeholders := 0
	for _, raw := range raws {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		v := readModelValue(d, count)
		if v.bad {
			return errModel
		}
		placeholders += v.placeholders
		p.Range = p.Range || v.outOfRange
		p.Raw = append(p.Raw, string(raw))
		p.Args = append(p.Args, modelFloats(v.value))
	}
	if placeholders > sioparser.DefaultAttachments && !p.unlimited {
		return errModel
	}
	return nil
}

// modelJSON is standard JSON in UTF-8 of at most 1,000 levels.
func modelJSON(s string) bool {
	if !utf8.ValidString(s) || !json.Valid([]byte(s)) {
		return false
	}
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest <= sioparser.DefaultDepth
}

// attachmentNumber is an attachment that has not come yet.
type attachmentNumber int

// modelValue is a value whose numbers are still json.Number.
type modelValue struct {
	value        any
	placeholders int
	bad          bool // a placeholder without a good num
	outOfRange   bool // a number that is no float64
}

func (v *modelValue) add(o modelValue) any {
	v.placeholders += o.placeholders
	v.bad = v.bad || o.bad
	v.outOfRange = v.outOfRange || o.outOfRange
	return o.value
}

// readModelValue reads the next value. Of equal keys the last one counts, but
// placeholders are counted and checked in the values of all of them; what is
// inside a placeholder is not looked at.
func readModelValue(d *json.Decoder, count int) (v modelValue) {
	token, _ := d.Token()
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, v.add(readModelValue(d, count)))
		}
		_, _ = d.Token()
		v.value = list
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			key, _ := d.Token()
			object[key.(string)] = v.add(readModelValue(d, count))
		}
		_, _ = d.Token()
		v.value = object
		if count > 0 && object["_placeholder"] == true {
			num, _ := object["num"].(json.Number)
			i := modelDigits(string(num))
			return modelValue{value: attachmentNumber(i), placeholders: 1, bad: i < 0 || i >= count}
		}
	default:
		v.value = token
		if n, ok := token.(json.Number); ok {
			_, err := n.Float64()
			v.outOfRange = err != nil
		}
	}
	return v
}

// modelFloats makes float64 of numbers.
func modelFloats(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = modelFloats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = modelFloats(v[k])
		}
	}
	return v
}

func modelFill(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case attachmentNumber:
		return attachments[v]
	case []any:
		for i := range v {
			v[i] = modelFill(v[i], attachments)
		}
	case map[string]any:
		for k := range v {
			v[k] = modelFill(v[k], attachments)
		}
	}
	return v
}

// sameValues compares what was bound with the model's values.
func sameValues(a, b []any) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// modelOf is what the decoder's packet says in the model's words.
func modelOf(p *sioparser.Packet) (*sioModel, error) {
	m := &sioModel{Type: p.Type, Namespace: p.Namespace, ID: p.ID, HasID: p.HasID, Name: string(p.Name), Payload: string(p.Payload)}
	for raw := range p.Args.All() {
		m.Raw = append(m.Raw, string(raw))
	}
	if len(m.Raw) != p.Args.Len() {
		return nil, fmt.Errorf("Len is %d, All yields %d", p.Args.Len(), len(m.Raw))
	}
	m.Args = make([]any, len(m.Raw))
	ptrs := make([]any, len(m.Raw))
	for i := range ptrs {
		ptrs[i] = &m.Args[i]
	}
	if err := sioValues.Bind(p.Args, ptrs...); err != nil {
		if !errors.Is(err, strconv.ErrRange) {
			return nil, err
		}
		m.Range = true
	}
	return m, nil
}

// differs says how two packets differ; "" if they don't.
func (m *sioModel) differs(o *sioModel) string {
	switch {
	case m.Type != o.Type, m.Namespace != o.Namespace, m.ID != o.ID, m.HasID != o.HasID, m.Name != o.Name, m.Payload != o.Payload:
		return fmt.Sprintf("%+v and %+v", m, o)
	case m.Range != o.Range:
		return fmt.Sprintf("numbers out of range: %v and %v", m.Range, o.Range)
	case !m.Range && !sameValues(m.Args, o.Args):
		return fmt.Sprintf("arguments %#v and %#v", m.Args, o.Args)
	}
	return ""
}

var sioValues = sioparser.JSON()
