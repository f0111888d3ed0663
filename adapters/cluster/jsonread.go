package cluster

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// jsonReader walks over a message once. Values are slices of the message; lists
// are made in the size that they can have at most, so that what is allocated
// stays below a small multiple of the message.
type jsonReader struct {
	dec  *jsontext.Decoder
	buf  bytes.Buffer
	data []byte
}

var jsonReaders = sync.Pool{New: func() any { return &jsonReader{dec: new(jsontext.Decoder)} }}

// What clients send is relayed as it came, so it is read as sioparser reads it.
var readOptions = jsontext.AllowDuplicateNames(true)
var readOptionsUTF8 = jsontext.AllowInvalidUTF8(true)

// readJSON returns a reader of data; the caller frees it.
func readJSON(data []byte) *jsonReader {
	r := jsonReaders.Get().(*jsonReader)
	r.data, r.buf = data, *bytes.NewBuffer(data)
	r.dec.Reset(&r.buf, readOptions, readOptionsUTF8)
	return r
}

func (r *jsonReader) free() {
	r.data, r.buf = nil, bytes.Buffer{}
	r.dec.Reset(&r.buf)
	jsonReaders.Put(r)
}

// value returns the text of the next value.
func (r *jsonReader) value() ([]byte, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(r.dec.InputOffset())
	return r.data[end-len(v) : end : end], nil
}

// members calls f with the name of each member of the next value, an object, as
// it is quoted; f reads the member's value.
func (r *jsonReader) members(f func(name []byte) error) error {
	if tok, err := r.dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return orWrong(err, "object")
	}
	for r.dec.PeekKind() != '}' {
		name, err := r.value()
		if err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}

// elements calls f for each element of the next value, an array; f reads it.
func (r *jsonReader) elements(f func() error) error {
	if tok, err := r.dec.ReadToken(); err != nil || tok.Kind() != '[' {
		return orWrong(err, "array")
	}
	for r.dec.PeekKind() != ']' {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}

// strings calls f with the text between the quotes of each element of the next
// value, an array of strings; most is how many there can be at most.
func (r *jsonReader) strings(f func(quoted []byte, most int) error) error {
	v, err := r.value()
	if err != nil || v[0] != '[' {
		return orWrong(err, "array")
	}
	most := min(bytes.Count(v, []byte{','})+1, len(v)/len(`"",`)+1) // commas may be text, too
	for rest := v[1:]; ; {
		rest = bytes.TrimLeft(rest, ", \t\r\n") // the value is valid JSON
		switch rest[0] {
		case ']':
			return nil
		case '"':
		default:
			return orWrong(nil, "string")
		}
		end := 1
		for rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if err := f(rest[:end+1], most); err != nil {
			return err
		}
		rest = rest[end+1:]
	}
}

// orWrong returns err, or says which kind of value was expected.
func orWrong(err error, want string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("cluster: a value is no %s", want)
}

// unquote returns the string of a valid JSON text.
func unquote(quoted []byte) (string, error) {
	if inner := quoted[1 : len(quoted)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), nil
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	var invalid *jsontext.SyntacticError
	if errors.As(err, &invalid) && !utf8.Valid(quoted) {
		err = nil // replaced, as readOptions allow
	}
	return string(text), err
}

func (r *jsonReader) text(dst *string) error {
	v, err := r.value()
	if err != nil || v[0] != '"' {
		return orWrong(err, "string")
	}
	*dst, err = unquote(v)
	return err
}

func (r *jsonReader) truth(dst *bool) error {
	tok, err := r.dec.ReadToken()
	if err != nil || tok.Kind() != 't' && tok.Kind() != 'f' {
		return orWrong(err, "boolean")
	}
	*dst = tok.Bool()
	return nil
}

// whole reads a whole number from 0 to limit.
func (r *jsonReader) whole(dst *int, limit uint64) error {
	v, err := r.value()
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(string(v), 10, 64)
	if err != nil || n > limit {
		return fmt.Errorf("cluster: %.40s is not a whole number up to %d", v, limit)
	}
	*dst = int(n)
	return nil
}

func (r *jsonReader) texts(dst *[]string) error {
	*dst = []string{}
	return r.strings(func(quoted []byte, most int) error {
		if cap(*dst) == 0 {
			*dst = make([]string, 0, most)
		}
		s, err := unquote(quoted)
		*dst = append(*dst, s)
		return err
	})
}

// Decode implements [Codec].
func (jsonCodec) Decode(data []byte, m *Message) error { return DecodeText(data, nil, m) }

// DecodeText fills m, which is zero, from what AppendText has written. The
// attachments are those that the placeholders count; m refers to them and to
// data.
func DecodeText(data []byte, attachments [][]byte, m *Message) error {
	r := readJSON(data)
	defer r.free()
	var body []byte
	err := r.members(func(name []byte) (err error) {
		switch string(name) {
		case `"uid"`:
			return r.text(&m.UID)
		case `"nsp"`:
			return r.text(&m.Namespace)
		case `"type"`:
			var n int
			err = r.whole(&n, 255)
			m.Type = Type(n)
			return err
		case `"serial"`:
			var v []byte
			if v, err = r.value(); err == nil {
				m.Serial, err = strconv.ParseUint(string(v), 10, 64)
			}
			return err
		case `"data"`:
			body, err = r.value()
			return err
		}
		return r.dec.SkipValue()
	})
	if err != nil {
		return fmt.Errorf("cluster: message: %w", err)
	}
	if len(bytes.TrimLeft(data[r.dec.InputOffset():], " \t\r\n")) > 0 {
		return errors.New("cluster: something comes after the message")
	}
	if body == nil {
		body = []byte("{}")
	}
	return DecodeData(body, attachments, m)
}

// DecodeData fills m, of which only Type counts before, from an object with the
// members of AppendData; others are passed over.
func DecodeData(data []byte, attachments [][]byte, m *Message) error {
	r := readJSON(data)
	defer r.free()
	if err := r.body(m, attachments); err != nil {
		return fmt.Errorf("cluster: %v: %w", m.Type, err)
	}
	return nil
}

// body reads a message's data, of which m.Type is known.
func (r *jsonReader) body(m *Message, attachments [][]byte) error {
	var packet, more []byte
	err := r.members(func(name []byte) (err error) {
		switch string(name) {
		case `"requestId"`:
			return r.text(&m.RequestID)
		case `"opts"`:
			return r.options(m)
		case `"packet"`:
			packet, err = r.value()
			return err
		case `"rooms"`:
			return r.texts(&m.Rooms)
		case `"close"`:
			return r.truth(&m.Close)
		case `"sockets"`:
			return r.sockets(&m.Sockets)
		case `"clientCount"`:
			return r.whole(&m.Clients, 1<<31-1)
		case `"detail"`:
			return r.truth(&m.Detail)
		case `"socket"`:
			return r.text(&m.Socket)
		case `"gone"`:
			return r.truth(&m.Gone)
		case `"more"`:
			more, err = r.value()
			return err
		case `"attachments"`:
			return r.attachments(&attachments)
		}
		return r.dec.SkipValue()
	})
	if err != nil {
		return err
	}
	switch m.Type {
	case Broadcast:
		inner := readJSON(packet)
		defer inner.free()
		array, err := inner.eventPacket()
		if err != nil {
			return err
		}
		return m.readEvent(array, attachments)
	case ServerSideEmit:
		return m.readEvent(packet, attachments)
	case ServerSideEmitResponse, BroadcastAck:
		return m.readAnswer(packet, more, attachments)
	}
	return nil
}

func (r *jsonReader) options(m *Message) error {
	return r.members(func(name []byte) error {
		switch string(name) {
		case `"rooms"`:
			return r.texts(&m.Selection.Rooms)
		case `"except"`:
			return r.texts(&m.Selection.Except)
		case `"flags"`:
			return r.flags(m)
		}
		return r.dec.SkipValue()
	})
}

// maxTimeout bounds what a sender may ask this server to remember.
const maxTimeout = 24 * time.Hour

func (r *jsonReader) flags(m *Message) error {
	return r.members(func(name []byte) error {
		switch string(name) {
		case `"volatile"`:
			var on bool
			err := r.truth(&on)
			if on {
				m.Selection.Flags |= adapter.Volatile
			}
			return err
		case `"compress"`:
			on := true
			err := r.truth(&on)
			if !on {
				m.Selection.Flags |= adapter.NoCompress
			}
			return err
		case `"timeout"`:
			v, err := r.value()
			if err != nil {
				return err
			}
			ms, err := strconv.ParseFloat(string(v), 64)
			if err != nil {
				return err
			}
			if ms > 0 {
				m.Timeout = time.Duration(min(ms, float64(maxTimeout.Milliseconds())) * float64(time.Millisecond))
			}
			return nil
		}
		return r.dec.SkipValue()
	})
}

func (r *jsonReader) sockets(dst *[]Details) error {
	v, err := r.value()
	if err != nil {
		return err
	}
	sub := readJSON(v)
	defer sub.free()
	*dst = make([]Details, 0, min(bytes.Count(v, []byte{','})+1, len(v)/len(`{"id":"x"},`)))
	return sub.elements(func() error {
		var d Details
		err := sub.members(func(name []byte) (err error) {
			switch string(name) {
			case `"id"`:
				return sub.text(&d.ID)
			case `"rooms"`:
				return sub.texts(&d.Rooms)
			case `"handshake"`:
				d.Handshake, err = sub.value()
				return err
			case `"data"`:
				d.Data, err = sub.value()
				return err
			}
			return sub.dec.SkipValue()
		})
		if err == nil && d.ID == "" {
			return errors.New("cluster: a socket without an id")
		}
		*dst = append(*dst, d)
		return err
	})
}

// attachments reads base64 texts.
func (r *jsonReader) attachments(dst *[][]byte) error {
	return r.strings(func(quoted []byte, most int) error {
		if *dst == nil {
			*dst = make([][]byte, 0, most)
		}
		// Base64 needs no escapes, so what stands between the quotes is it.
		data, err := base64.StdEncoding.AppendDecode([]byte{}, quoted[1:len(quoted)-1])
		*dst = append(*dst, data)
		return err
	})
}

// eventPacket returns the array of an event packet.
func (r *jsonReader) eventPacket() (array []byte, err error) {
	typ := -1
	err = r.members(func(name []byte) (err error) {
		switch string(name) {
		case `"type"`:
			return r.whole(&typ, 255)
		case `"data"`:
			array, err = r.value()
			return err
		}
		return r.dec.SkipValue()
	})
	if err == nil && typ != int(sioparser.Event) && typ != int(sioparser.BinaryEvent) {
		return nil, fmt.Errorf("packet type %d", typ)
	}
	return array, err
}

var errEvent = errors.New("an event without a name")

// readEvent takes the array of an event apart.
func (m *Message) readEvent(array []byte, attachments [][]byte) error {
	all, err := sioparser.ParseArgs(array, attachments)
	if err != nil {
		return err
	}
	if all.Len() == 0 {
		return errEvent
	}
	first := bytes.TrimSpace(all.Slice(0, 1).Raw())
	switch first[0] {
	case '"':
		if m.Name, err = jsontext.AppendUnquote(nil, first); err != nil {
			return err
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		m.Name = first // the reference takes a number for a name
	default:
		return errEvent
	}
	m.Args = all.Slice(1, all.Len())
	return nil
}

// readAnswer puts the values of an answer together; see appendAnswer.
func (m *Message) readAnswer(packet, more []byte, attachments [][]byte) error {
	if packet == nil {
		return nil // acknowledged without a value
	}
	array := slices.Concat([]byte{'['}, packet)
	if len(more) > 2 && more[0] == '[' { // and not empty
		array = append(append(array, ','), more[1:len(more)-1]...)
	}
	args, err := sioparser.ParseArgs(append(array, ']'), attachments)
	m.Args = args
	return err
}
