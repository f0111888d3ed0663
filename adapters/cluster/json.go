package cluster

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// JSON is the codec of the official adapters for messages without binary: the
// object of socket.io-adapter's cluster adapter as JSON.stringify writes it.
// Those adapters switch to MessagePack for messages with binary. This codec
// stays with JSON, so only servers of this package understand its binary:
// placeholders where the attachments belong, as in Socket.IO's own text
// encoding, and a member "attachments" with base64 beside the packet.
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

// quote appends s as a JSON string. Its only error is about invalid UTF-8, which
// it has replaced by then.
func quote[T string | []byte](dst []byte, s T) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

func quoteAll(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = quote(dst, s)
	}
	return append(dst, ']')
}

// Append implements [Codec].
func (jsonCodec) Append(dst []byte, m *Message) ([]byte, error) {
	dst = append(dst, `{"uid":`...)
	dst = quote(dst, m.UID)
	dst = append(dst, `,"nsp":`...)
	dst = quote(dst, m.Namespace)
	dst = append(dst, `,"type":`...)
	dst = strconv.AppendUint(dst, uint64(m.Type), 10)
	switch m.Type {
	case InitialHeartbeat, Heartbeat, AdapterClose:
		return append(dst, '}'), nil
	}
	dst = append(dst, `,"data":{`...)
	if m.RequestID != "" {
		dst = append(dst, `"requestId":`...)
		dst = append(quote(dst, m.RequestID), ',')
	}
	switch m.Type {
	case Broadcast:
		if m.Detail {
			dst = append(dst, `"detail":true,`...)
		}
		dst = appendOptions(dst, m)
		dst = append(dst, `,"packet":{"type":2,"data":`...)
		dst = appendEvent(dst, m)
		dst = append(dst, '}')
		dst = appendAttachments(dst, m)
	case SocketsJoin, SocketsLeave:
		dst = appendOptions(dst, m)
		dst = append(dst, `,"rooms":`...)
		dst = quoteAll(dst, m.Rooms)
	case DisconnectSockets:
		dst = appendOptions(dst, m)
		dst = append(dst, `,"close":`...)
		dst = strconv.AppendBool(dst, m.Close)
	case FetchSockets:
		dst = appendOptions(dst, m)
	case FetchSocketsResponse:
		dst = append(dst, `"sockets":[`...)
		for i := range m.Sockets {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendDetails(dst, &m.Sockets[i])
		}
		dst = append(dst, ']')
	case ServerSideEmit:
		dst = append(dst, `"packet":`...)
		dst = appendEvent(dst, m)
		dst = appendAttachments(dst, m)
	case ServerSideEmitResponse, BroadcastAck:
		dst = appendAnswer(dst, m)
	case BroadcastClientCount:
		dst = append(dst, `"clientCount":`...)
		dst = strconv.AppendInt(dst, int64(m.Clients), 10)
	default:
		return dst, fmt.Errorf("cluster: message type %d can't be encoded", m.Type)
	}
	return append(dst, "}}"...), nil
}

func appendOptions(dst []byte, m *Message) []byte {
	dst = append(dst, `"opts":{"rooms":`...)
	dst = quoteAll(dst, m.Selection.Rooms)
	dst = append(dst, `,"except":`...)
	dst = quoteAll(dst, m.Selection.Except)
	dst = append(dst, `,"flags":{`...)
	flags := len(dst)
	if m.Selection.Flags&adapter.Volatile != 0 {
		dst = append(dst, `"volatile":true,`...)
	}
	if m.Selection.Flags&adapter.NoCompress != 0 {
		dst = append(dst, `"compress":false,`...)
	}
	if m.Timeout > 0 {
		dst = append(dst, `"timeout":`...)
		dst = strconv.AppendInt(dst, max(m.Timeout.Milliseconds(), 1), 10)
		dst = append(dst, ',')
	}
	if len(dst) > flags {
		dst = dst[:len(dst)-1]
	}
	return append(dst, "}}"...)
}

// appendEvent appends the array of an event: its name and its arguments.
func appendEvent(dst []byte, m *Message) []byte {
	dst = append(dst, '[')
	dst = quote(dst, m.Name)
	if raw := m.Args.Raw(); len(raw) > 0 {
		dst = append(append(dst, ','), raw...)
	}
	return append(dst, ']')
}

// appendAnswer appends what was answered. The reference knows one value; it is
// "packet". More than one, which only our servers send, are in "more".
func appendAnswer(dst []byte, m *Message) []byte {
	start := len(dst)
	n := 0
	for raw := range m.Args.All() {
		switch n {
		case 0:
			dst = append(dst, `"packet":`...)
		case 1:
			dst = append(dst, `,"more":[`...)
		default:
			dst = append(dst, ',')
		}
		dst = append(dst, raw...)
		n++
	}
	if n > 1 {
		dst = append(dst, ']')
	}
	if m.Socket != "" {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `"socket":`...)
		dst = quote(dst, m.Socket)
		dst = append(dst, `,"gone":`...)
		dst = strconv.AppendBool(dst, m.Gone)
	}
	dst = appendAttachments(dst, m)
	if len(dst) == start { // remove the comma after the request id
		dst = dst[:start-1]
	}
	return dst
}

func appendAttachments(dst []byte, m *Message) []byte {
	if !m.Args.HasAttachments() {
		return dst
	}
	dst = append(dst, `,"attachments":[`...)
	for i, b := range m.Args.Attachments() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, b)
		dst = append(dst, '"')
	}
	return append(dst, ']')
}

func appendDetails(dst []byte, d *Details) []byte {
	dst = append(dst, `{"id":`...)
	dst = quote(dst, d.ID)
	dst = append(dst, `,"rooms":`...)
	dst = quoteAll(dst, d.Rooms)
	if len(d.Handshake) > 0 {
		dst = append(dst, `,"handshake":`...)
		dst = append(dst, d.Handshake...)
	}
	if len(d.Data) > 0 {
		dst = append(dst, `,"data":`...)
		dst = append(dst, d.Data...)
	}
	return append(dst, '}')
}

// What is read, each member in the one type that it may have.
type (
	jsonMessage struct {
		UID  string   `json:"uid"`
		NSP  string   `json:"nsp"`
		Type Type     `json:"type"`
		Data jsonData `json:"data"`
	}
	jsonData struct {
		RequestID   string           `json:"requestId"`
		Opts        jsonOptions      `json:"opts"`
		Packet      jsontext.Value   `json:"packet"`
		Rooms       []string         `json:"rooms"`
		Close       bool             `json:"close"`
		Sockets     []jsontext.Value `json:"sockets"` // each a jsonDetails
		ClientCount int              `json:"clientCount"`
		Detail      bool             `json:"detail"`
		Socket      string           `json:"socket"`
		Gone        bool             `json:"gone"`
		More        jsontext.Value   `json:"more"`
		Attachments [][]byte         `json:"attachments"`
	}
	jsonOptions struct {
		Rooms  []string `json:"rooms"`
		Except []string `json:"except"`
		Flags  struct {
			Volatile bool    `json:"volatile"`
			Compress *bool   `json:"compress"`
			Timeout  float64 `json:"timeout"`
		} `json:"flags"`
	}
	jsonPacket struct {
		Type sioparser.PacketType `json:"type"`
		Data jsontext.Value       `json:"data"`
	}
	jsonDetails struct {
		ID        string         `json:"id"`
		Rooms     []string       `json:"rooms"`
		Handshake jsontext.Value `json:"handshake"`
		Data      jsontext.Value `json:"data"`
	}
)

// What clients send is relayed as it came, so it is read as sioparser reads it.
var readOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Decode implements [Codec].
func (jsonCodec) Decode(data []byte, m *Message) error {
	var w jsonMessage
	if err := json.Unmarshal(data, &w, readOptions); err != nil {
		return fmt.Errorf("cluster: message: %w", err)
	}
	d := &w.Data
	m.Type, m.UID, m.Namespace, m.RequestID = w.Type, w.UID, w.NSP, d.RequestID
	m.Selection = adapter.Selection{Rooms: d.Opts.Rooms, Except: d.Opts.Except}
	if d.Opts.Flags.Volatile {
		m.Selection.Flags |= adapter.Volatile
	}
	if c := d.Opts.Flags.Compress; c != nil && !*c {
		m.Selection.Flags |= adapter.NoCompress
	}
	if ms := d.Opts.Flags.Timeout; ms > 0 {
		m.Timeout = time.Duration(min(ms, float64(24*time.Hour/time.Millisecond)) * float64(time.Millisecond))
	}
	m.Rooms, m.Close, m.Clients = d.Rooms, d.Close, d.ClientCount
	m.Detail, m.Socket, m.Gone = d.Detail, d.Socket, d.Gone
	switch m.Type {
	case Broadcast:
		var p jsonPacket
		if err := json.Unmarshal(d.Packet, &p, readOptions); err != nil {
			return fmt.Errorf("cluster: packet: %w", err)
		}
		if p.Type != sioparser.Event && p.Type != sioparser.BinaryEvent {
			return fmt.Errorf("cluster: packet type %d in a broadcast", p.Type)
		}
		return m.readEvent(p.Data, d.Attachments)
	case ServerSideEmit:
		return m.readEvent(d.Packet, d.Attachments)
	case ServerSideEmitResponse, BroadcastAck:
		return m.readAnswer(d)
	case FetchSocketsResponse:
		m.Sockets = make([]Details, 0, min(len(d.Sockets), len(data)/16))
		for _, raw := range d.Sockets {
			var s jsonDetails
			if err := json.Unmarshal(raw, &s, readOptions); err != nil {
				return fmt.Errorf("cluster: socket: %w", err)
			}
			if s.ID == "" {
				return errors.New("cluster: a socket without an id")
			}
			m.Sockets = append(m.Sockets, Details{s.ID, s.Rooms, s.Handshake, s.Data})
		}
	}
	return nil
}

var errEvent = errors.New("cluster: an event without a name")

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
			return fmt.Errorf("cluster: event name: %w", err)
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		m.Name = first // the reference takes a number for a name
	default:
		return errEvent
	}
	m.Args = all.Slice(1, all.Len())
	return nil
}

func (m *Message) readAnswer(d *jsonData) error {
	if len(d.Packet) == 0 {
		return nil // acknowledged without a value
	}
	array := slices.Concat([]byte{'['}, d.Packet)
	if len(d.More) > 2 && d.More[0] == '[' { // and not empty
		array = append(append(array, ','), d.More[1:len(d.More)-1]...)
	}
	args, err := sioparser.ParseArgs(append(array, ']'), d.Attachments)
	m.Args = args
	return err
}
