package sioparser

import (
	"bytes"
	stdjson "encoding/json"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxKept is the largest buffer, in bytes, that goes back to a pool.
const maxKept = 64 << 10

// marshaler is what one call of Append needs besides its result: json/v2's
// encoder, its buffer, and marshalers that know where to put attachments. It
// is pooled as one object because the marshalers are closures over it.
type marshaler struct {
	values      *Values
	special     json.Options // the plain ones and the marshalers
	buf         bytes.Buffer
	enc         *jsontext.Encoder
	attachments [][]byte
	ends        []int64 // where in the output the placeholders end
}

func newMarshaler(v *Values) *marshaler {
	m := &marshaler{values: v}
	m.enc = jsontext.NewEncoder(&m.buf)
	m.special = json.JoinOptions(v.plainOut, json.WithMarshalers(json.JoinMarshalers(
		v.marshalers,
		json.MarshalToFunc(m.bytes),
		json.MarshalToFunc(func(enc *jsontext.Encoder, b Binary) error { return m.bytes(enc, b) }),
		json.MarshalToFunc(marshalNumber),
	)))
	return m
}

// append marshals value as one more argument.
func (m *marshaler) append(a *Args, value any) error {
	options := m.values.plainOut
	if m.values.marshalers != nil || emits.special(value) {
		options = m.special
	}
	m.buf.Reset()
	m.enc.Reset(&m.buf, options)
	first := len(a.attachments)
	m.attachments, m.ends = a.attachments, m.ends[:0]
	err := json.MarshalEncode(m.enc, value)
	if err == nil {
		a.begin()
		shift := len(a.raw)
		a.raw = append(a.raw, bytes.TrimSuffix(m.buf.Bytes(), []byte("\n"))...)
		for i, end := range m.ends {
			end := min(shift+int(end), len(a.raw)) // a whole value's end counts the newline behind it
			start := bytes.LastIndexByte(a.raw[:end], '{')
			a.marks = append(a.marks, mark{int32(start), int32(end), int32(first + i)})
		}
		a.attachments = m.attachments
		a.suspect = true
	} else {
		clear(m.attachments[first:])
	}
	m.attachments = nil
	if m.buf.Cap() > maxKept {
		m.buf = bytes.Buffer{}
	}
	return err
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
	m.ends = append(m.ends, enc.OutputOffset())
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
