package cluster

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Decode implements [Codec].
func (jsonCodec) Decode(data []byte, m *Message) error { return DecodeText(data, nil, m) }

// DecodeText fills m, which is zero, from what AppendText has written. The
// attachments are those that the placeholders count; m refers to them and to
// data.
func DecodeText(data []byte, attachments [][]byte, m *Message) error {
	if err := valid(data); err != nil {
		return err
	}
	body := []byte("{}")
	err := members(data, func(name, value []byte) error {
		switch string(name) {
		case `"uid"`:
			return text(value, &m.UID)
		case `"nsp"`:
			return text(value, &m.Namespace)
		case `"type"`:
			return whole(value, (*uint8)(&m.Type), math.MaxUint8)
		case `"serial"`:
			return whole(value, &m.Serial, math.MaxUint64)
		case `"data"`:
			body = value
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cluster: message: %w", err)
	}
	return m.readData(body, attachments)
}

// DecodeData fills m, of which only Type counts before, from an object with the
// members of AppendData; others are passed over.
func DecodeData(data []byte, attachments [][]byte, m *Message) error {
	if err := valid(data); err != nil {
		return err
	}
	return m.readData(data, attachments)
}

// readData reads what a message of m.Type has beside its head.
func (m *Message) readData(data []byte, attachments [][]byte) error {
	if err := m.readMembers(data, attachments); err != nil {
		return fmt.Errorf("cluster: %v: %w", m.Type, err)
	}
	return nil
}

func (m *Message) readMembers(data []byte, attachments [][]byte) error {
	var packet, more []byte
	err := members(data, func(name, value []byte) error {
		switch string(name) {
		case `"requestId"`:
			return text(value, &m.RequestID)
		case `"opts"`:
			return m.readOptions(value)
		case `"packet"`:
			packet = value
		case `"rooms"`:
			return texts(value, &m.Rooms)
		case `"close"`:
			return truth(value, &m.Close)
		case `"sockets"`:
			return m.readSockets(value)
		case `"clientCount"`:
			return whole(value, &m.Clients, math.MaxInt32)
		case `"detail"`:
			return truth(value, &m.Detail)
		case `"socket"`:
			return text(value, &m.Socket)
		case `"gone"`:
			return truth(value, &m.Gone)
		case `"more"`:
			more = value
		case `"attachments"`:
			return readAttachments(value, &attachments)
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch m.Type {
	case Broadcast:
		array, err := eventPacket(packet)
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

func (m *Message) readOptions(value []byte) error {
	return members(value, func(name, value []byte) error {
		switch string(name) {
		case `"rooms"`:
			return texts(value, &m.Selection.Rooms)
		case `"except"`:
			return texts(value, &m.Selection.Except)
		case `"flags"`:
			return m.readFlags(value)
		}
		return nil
	})
}

// maxTimeout bounds what a sender may ask this server to remember.
const maxTimeout = 24 * time.Hour

func (m *Message) readFlags(value []byte) error {
	return members(value, func(name, value []byte) error {
		switch string(name) {
		case `"volatile"`:
			var on bool
			err := truth(value, &on)
			if on {
				m.Selection.Flags |= adapter.Volatile
			}
			return err
		case `"compress"`:
			on := true
			err := truth(value, &on)
			if !on {
				m.Selection.Flags |= adapter.NoCompress
			}
			return err
		case `"timeout"`:
			ms, err := strconv.ParseFloat(string(value), 64)
			if err == nil && ms > 0 {
				m.Timeout = time.Duration(min(ms, float64(maxTimeout.Milliseconds())) * float64(time.Millisecond))
			}
			return err
		}
		return nil
	})
}

func (m *Message) readSockets(value []byte) error {
	m.Sockets = make([]Details, 0, most(value, len(`{"id":"x"},`)))
	return elements(value, func(value []byte) error {
		var d Details
		err := members(value, func(name, value []byte) error {
			switch string(name) {
			case `"id"`:
				return text(value, &d.ID)
			case `"rooms"`:
				return texts(value, &d.Rooms)
			case `"handshake"`:
				d.Handshake = value
			case `"data"`:
				d.Data = value
			}
			return nil
		})
		if err == nil && d.ID == "" {
			return errors.New("cluster: a socket without an id")
		}
		m.Sockets = append(m.Sockets, d)
		return err
	})
}

// readAttachments reads base64 texts.
func readAttachments(value []byte, dst *[][]byte) error {
	if *dst == nil {
		*dst = make([][]byte, 0, most(value, len(`"",`)))
	}
	return elements(value, func(value []byte) error {
		if value[0] != '"' {
			return wrong("string")
		}
		// Base64 needs no escapes, so what stands between the quotes is it.
		data, err := base64.StdEncoding.AppendDecode([]byte{}, value[1:len(value)-1])
		*dst = append(*dst, data)
		return err
	})
}

// eventPacket returns the array of an event packet.
func eventPacket(value []byte) (array []byte, err error) {
	typ := -1
	err = members(value, func(name, value []byte) error {
		switch string(name) {
		case `"type"`:
			return whole(value, &typ, math.MaxUint8)
		case `"data"`:
			array = value
		}
		return nil
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
