package sioparser

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxKept is the largest buffer, in bytes, that goes back to a pool.
const maxKept = 64 << 10

// stream is an encoder of json/v2 that writes value after value into a buffer.
// It is not reset between them, which would cost as much as a small value.
type stream struct {
	options json.Options
	enc     *jsontext.Encoder
	buf     bytes.Buffer
}

func newStream(options json.Options) *stream {
	s := &stream{options: options}
	s.enc = jsontext.NewEncoder(&s.buf, options)
	return s
}

// marshal returns the JSON of value, which is valid until the next call, and
// where in the encoder's output it begins.
func (s *stream) marshal(value any) (text []byte, start int, err error) {
	if s.buf.Len() > maxKept/2 {
		s.reset()
	}
	start = s.buf.Len()
	if err := json.MarshalEncode(s.enc, value); err != nil {
		s.reset()
		return nil, 0, err
	}
	return bytes.TrimSuffix(s.buf.Bytes()[start:], []byte("\n")), start, nil
}

// reset forgets what was written, and an error with it.
func (s *stream) reset() {
	s.buf.Reset()
	if s.buf.Cap() > maxKept {
		s.buf = bytes.Buffer{}
	}
	s.enc.Reset(&s.buf, s.options)
}

// marshaler is what one call of Append needs besides its result: json/v2's
// encoders, one of them with marshalers that know where to put attachments. It
// is pooled as one object because the marshalers are closures over it.
type marshaler struct {
	plain       *stream // for types that cannot hold bytes
	special     *stream
	always      bool // use special: there are marshalers of the user's
	attachments [][]byte
	ends        []int64 // where in special's output the placeholders end, if all are written there

	// The last type that was looked up. Mostly it is the next one, too.
	lastType    reflect.Type
	lastSpecial bool
}

func newMarshaler(v *Values) *marshaler {
	m := &marshaler{plain: newStream(v.plainOut), always: v.marshalers != nil}
	m.special = newStream(json.JoinOptions(v.plainOut, json.WithMarshalers(json.JoinMarshalers(
		v.marshalers,
		json.MarshalToFunc(m.bytes),
		json.MarshalToFunc(func(enc *jsontext.Encoder, b Binary) error { return m.bytes(enc, b) }),
		json.MarshalToFunc(marshalNumber),
	))))
	return m
}

// needsSpecial reports whether value may hold what the marshalers are for.
func (m *marshaler) needsSpecial(value any) bool {
	if m.always {
		return true
	}
	if t := reflect.TypeOf(value); t != m.lastType {
		m.lastType, m.lastSpecial = t, emits.special(t)
	}
	return m.lastSpecial
}

// append marshals value as one more argument.
func (m *marshaler) append(a *Args, value any) error {
	if m.needsSpecial(value) {
		return m.appendSpecial(a, value)
	}
	text, _, err := m.plain.marshal(value)
	if err != nil {
		return err
	}
	a.begin()
	a.raw = append(a.raw, text...)
	a.suspect = true
	return nil
}

func (m *marshaler) appendSpecial(a *Args, value any) error {
	first := len(a.attachments)
	m.attachments, m.ends = a.attachments, m.ends[:0]
	defer func() { m.attachments = nil }()
	text, start, err := m.special.marshal(value)
	if err != nil {
		clear(m.attachments[first:])
		return err
	}
	if len(m.ends) < len(m.attachments)-first {
		return m.appendFound(a, text, first)
	}
	a.begin()
	shift := len(a.raw) - start // from offsets in the output to offsets in a.raw
	a.raw = append(a.raw, text...)
	for i, end := range m.ends {
		end := min(shift+int(end), len(a.raw)) // a whole value's end counts the newline behind it
		start := bytes.LastIndexByte(a.raw[:end], '{')
		a.marks = append(a.marks, mark{int32(start), int32(end), int32(first + i)})
	}
	a.attachments = m.attachments
	a.suspect = true
	return nil
}

// appendFound appends text in which the placeholders must be looked for: a method
// has used the marshalers with an encoder of its own, and what it has made of the
// result nobody knows. The attachments from first on are text's.
func (m *marshaler) appendFound(a *Args, text []byte, first int) error {
	var s scanner
	if err := s.elements(text); err != nil {
		return err
	}
	used := make([]bool, len(m.attachments)-first)
	for _, found := range s.marks {
		i := int(found.num) - first
		if i < 0 || i >= len(used) || used[i] {
			return fail(ErrPlaceholder, int(found.start))
		}
		used[i] = true
	}
	a.begin()
	shift := int32(len(a.raw))
	a.raw = append(a.raw, text...)
	for _, found := range s.marks {
		a.marks = append(a.marks, mark{found.start + shift, found.end + shift, found.num})
	}
	a.attachments = m.attachments
	a.suspect = true
	return nil
}

// bytes is the marshaler of []byte: a placeholder, and the slice beside it.
func (m *marshaler) bytes(enc *jsontext.Encoder, b []byte) error {
	if b == nil {
		return enc.WriteToken(jsontext.Null)
	}
	var text [len(placeholderHead) + 20]byte
	if err := enc.WriteValue(appendPlaceholder(text[:0], len(m.attachments))); err != nil {
		return err
	}
	m.attachments = append(m.attachments, b)
	if enc == m.special.enc {
		m.ends = append(m.ends, enc.OutputOffset())
	}
	return nil
}

// marshalNumber writes encoding/json's Number as the number that it is;
// json/v2 knows it only as a string. As an object's key it stays one.
func marshalNumber(enc *jsontext.Encoder, n stdjson.Number) error {
	if kind, length := enc.StackIndex(enc.StackDepth()); kind == '{' && length%2 == 0 {
		return enc.WriteToken(jsontext.String(string(n)))
	}
	if n == "" {
		n = "0" // as encoding/json does
	}
	if n[0] != '-' && n[0]-'0' > 9 {
		return &json.SemanticError{JSONValue: jsontext.Value(n), Err: errNotNumber}
	}
	return enc.WriteValue(jsontext.Value(n))
}
