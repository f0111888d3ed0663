package cluster

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// jsonReader walks over a message once. Values are slices of the message; lists
// are made in the size that they can have at most, so that what is allocated
// stays below a small multiple of the message.
type jsonReader struct {
	dec  *jsontext.Decoder
	data []byte
}

// What clients send is relayed as it came, so it is read as sioparser reads it.
var readOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func readJSON(data []byte) *jsonReader {
	return &jsonReader{jsontext.NewDecoder(bytes.NewBuffer(data), readOptions...), data}
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

// members calls f with the name of each member of the next value, an object; f
// reads the member's value.
func (r *jsonReader) members(f func(name string) error) error {
	if tok, err := r.dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return orWrong(err, "object")
	}
	for r.dec.PeekKind() != '}' {
		tok, err := r.dec.ReadToken()
		if err != nil {
			return err
		}
		if err := f(tok.String()); err != nil {
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

// orWrong returns err, or says which kind of value was expected.
func orWrong(err error, want string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("cluster: a value is no %s", want)
}

func (r *jsonReader) text(dst *string) error {
	tok, err := r.dec.ReadToken()
	if err != nil || tok.Kind() != '"' {
		return orWrong(err, "string")
	}
	*dst = tok.String()
	return nil
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

// list returns a reader of the next value, which should be an array, and the
// most elements that it can have if none has less than size bytes with its
// comma.
func (r *jsonReader) list(size int) (sub *jsonReader, most int, err error) {
	v, err := r.value()
	return readJSON(v), min(bytes.Count(v, []byte{','})+1, len(v)/size), err
}

func (r *jsonReader) texts(dst *[]string) error {
	sub, most, err := r.list(len(`"",`))
	if err != nil {
		return err
	}
	*dst = make([]string, 0, most)
	return sub.elements(func() error {
		var s string
		err := sub.text(&s)
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
	var body []byte
	err := r.members(func(name string) (err error) {
		switch name {
		case "uid":
			return r.text(&m.UID)
		case "nsp":
			return r.text(&m.Namespace)
		case "type":
			var n int
			err = r.whole(&n, 255)
			m.Type = Type(n)
			return err
		case "data":
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
	if err := readJSON(body).body(m, attachments); err != nil {
		return fmt.Errorf("cluster: %v: %w", m.Type, err)
	}
	return nil
}

// body reads a message's data, of which m.Type is known.
func (r *jsonReader) body(m *Message, attachments [][]byte) error {
	var packet, more []byte
	err := r.members(func(name string) (err error) {
		switch name {
		case "requestId":
			return r.text(&m.RequestID)
		case "opts":
			return r.options(m)
		case "packet":
			packet, err = r.value()
			return err
		case "rooms":
			return r.texts(&m.Rooms)
		case "close":
			return r.truth(&m.Close)
		case "sockets":
			return r.sockets(&m.Sockets)
		case "clientCount":
			return r.whole(&m.Clients, 1<<31-1)
		case "detail":
			return r.truth(&m.Detail)
		case "socket":
			return r.text(&m.Socket)
		case "gone":
			return r.truth(&m.Gone)
		case "more":
			more, err = r.value()
			return err
		case "attachments":
			return r.attachments(&attachments)
		}
		return r.dec.SkipValue()
	})
	if err != nil {
		return err
	}
	switch m.Type {
	case Broadcast:
		array, err := readJSON(packet).eventPacket()
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
	return r.members(func(name string) error {
		switch name {
		case "rooms":
			return r.texts(&m.Selection.Rooms)
		case "except":
			return r.texts(&m.Selection.Except)
		case "flags":
			return r.flags(m)
		}
		return r.dec.SkipValue()
	})
}

// maxTimeout bounds what a sender may ask this server to remember.
const maxTimeout = 24 * time.Hour

func (r *jsonReader) flags(m *Message) error {
	return r.members(func(name string) error {
		switch name {
		case "volatile":
			var on bool
			err := r.truth(&on)
			if on {
				m.Selection.Flags |= adapter.Volatile
			}
			return err
		case "compress":
			on := true
			err := r.truth(&on)
			if !on {
				m.Selection.Flags |= adapter.NoCompress
			}
			return err
		case "timeout":
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
	sub, most, err := r.list(len(`{"id":"x"},`))
	if err != nil {
		return err
	}
	*dst = make([]Details, 0, most)
	return sub.elements(func() error {
		var d Details
		err := sub.members(func(name string) (err error) {
			switch name {
			case "id":
				return sub.text(&d.ID)
			case "rooms":
				return sub.texts(&d.Rooms)
			case "handshake":
				d.Handshake, err = sub.value()
				return err
			case "data":
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

// attachments reads base64 texts into one piece of memory.
func (r *jsonReader) attachments(dst *[][]byte) error {
	sub, most, err := r.list(len(`"",`))
	if err != nil {
		return err
	}
	*dst = make([][]byte, 0, most)
	memory := make([]byte, 0, base64.StdEncoding.DecodedLen(len(sub.data)))
	return sub.elements(func() error {
		text, err := sub.value()
		if err != nil || text[0] != '"' {
			return orWrong(err, "string")
		}
		start := len(memory)
		// Base64 needs no escapes, so what stands between the quotes is it.
		memory, err = base64.StdEncoding.AppendDecode(memory, text[1:len(text)-1])
		*dst = append(*dst, memory[start:len(memory):len(memory)])
		return err
	})
}

// eventPacket returns the array of an event packet.
func (r *jsonReader) eventPacket() (array []byte, err error) {
	typ := -1
	err = r.members(func(name string) (err error) {
		switch name {
		case "type":
			return r.whole(&typ, 255)
		case "data":
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
