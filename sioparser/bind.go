package sioparser

import (
	stdjson "encoding/json"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// unmarshaler is what one argument's binding needs: unmarshalers that know the
// attachments. It is pooled because they are closures over it.
type unmarshaler struct {
	special json.Options
	args    Args
	start   int // of the argument in args.raw
}

func newUnmarshaler(v *Values) *unmarshaler {
	m := new(unmarshaler)
	m.special = json.JoinOptions(v.plainIn, json.WithUnmarshalers(json.JoinUnmarshalers(
		v.unmarshalers,
		json.UnmarshalFromFunc(m.bytes),
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, b *Binary) error { return m.bytes(dec, (*[]byte)(b)) }),
		json.UnmarshalFromFunc(m.any),
		json.UnmarshalFromFunc(unmarshalNumber),
	)))
	return m
}

// bind unmarshals the argument that the cursor is at.
func (m *unmarshaler) bind(a *Args, c *cursor, ptr any) error {
	m.args, m.start = *a, c.start
	err := json.Unmarshal(a.raw[c.start:c.end], ptr, m.special)
	m.args = Args{}
	return err
}

// bytes is the unmarshaler of []byte: the attachment in a placeholder's place.
// Anything else is json/v2's: null, or a base64 string.
func (m *unmarshaler) bytes(dec *jsontext.Decoder, b *[]byte) error {
	if !m.args.HasAttachments() || dec.PeekKind() != '{' {
		return errors.ErrUnsupported
	}
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	args, start, err := m.find(dec, text)
	if err != nil {
		return err
	}
	attachment, ok := args.attachmentAt(start)
	if !ok {
		return &json.SemanticError{JSONKind: '{', GoType: bytesType}
	}
	*b = attachment
	return nil
}

// any is the unmarshaler of the empty interface.
func (m *unmarshaler) any(dec *jsontext.Decoder, p *any) error {
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	args, start, err := m.find(dec, text)
	if err != nil {
		return err
	}
	*p, err = args.walk(start, start+len(text))
	return err
}

// find returns the arguments that text, which dec has just read, stands in, and
// its offset. A method may use the unmarshalers with a decoder of its own: then
// text is an argument by itself.
func (m *unmarshaler) find(dec *jsontext.Decoder, text []byte) (*Args, int, error) {
	start := m.start + int(dec.InputOffset()) - len(text)
	if start < len(m.args.raw) && &m.args.raw[start] == &text[0] {
		return &m.args, start, nil
	}
	alone, err := m.args.alone(text)
	return &alone, 0, err
}

// alone returns text, a value that may hold placeholders of a, as an argument.
func (a *Args) alone(text []byte) (Args, error) {
	mode := asData
	if a.HasAttachments() {
		mode = asAttachment
	}
	var s scanner
	if err := s.walk(text, 0, maxText, mode, true); err != nil {
		return Args{}, err
	}
	if err := checkMarks(s.marks, len(a.attachments), maxText); err != nil {
		return Args{}, err
	}
	one := s.args(text, 0)
	one.attachments = a.attachments
	return one, nil
}

// unmarshalNumber takes a number, or a string that json/v2 would take.
func unmarshalNumber(dec *jsontext.Decoder, n *stdjson.Number) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	text, err := dec.ReadValue()
	*n = stdjson.Number(text)
	return err
}

// attachmentAt returns the attachment whose placeholder begins at raw[offset].
func (a *Args) attachmentAt(offset int) ([]byte, bool) {
	i, _ := a.marksBetween(offset, offset)
	if i < len(a.marks) && int(a.marks[i].start-a.base) == offset {
		return a.attachments[a.marks[i].num], true
	}
	return nil, false
}
