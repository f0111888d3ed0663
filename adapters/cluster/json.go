package cluster

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

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
func (jsonCodec) Append(dst []byte, m *Message) ([]byte, error) { return appendJSON(dst, m, true) }

// AppendText appends m as JSON without its attachments: where they belong are
// placeholders, as in m.Args. It is for codecs that put the same members into
// another form; see [DecodeText].
func AppendText(dst []byte, m *Message) ([]byte, error) { return appendJSON(dst, m, false) }

// appendJSON appends m; attached says whether "attachments" is among the members.
func appendJSON(dst []byte, m *Message, attached bool) ([]byte, error) {
	dst = append(dst, `{"uid":`...)
	dst = quote(dst, m.UID)
	dst = append(dst, `,"nsp":`...)
	dst = quote(dst, m.Namespace)
	dst = append(dst, `,"type":`...)
	dst = strconv.AppendUint(dst, uint64(m.Type), 10)
	if m.Serial > 0 {
		dst = append(dst, `,"serial":`...)
		dst = strconv.AppendUint(dst, m.Serial, 10)
	}
	switch m.Type {
	case InitialHeartbeat, Heartbeat, AdapterClose:
		return append(dst, '}'), nil
	}
	dst, err := appendData(append(dst, `,"data":{`...), m, attached)
	return append(dst, "}}"...), err
}

// AppendData appends the members of m that depend on its type: the object that
// AppendText has as "data", without its braces. It is for codecs of other wire
// formats; see [DecodeData].
func AppendData(dst []byte, m *Message) ([]byte, error) { return appendData(dst, m, false) }

func appendData(dst []byte, m *Message, attached bool) ([]byte, error) {
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
		dst = appendAttachments(dst, m, attached)
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
		dst = appendAttachments(dst, m, attached)
	case ServerSideEmitResponse, BroadcastAck:
		dst = appendAnswer(dst, m, attached)
	case BroadcastClientCount:
		dst = append(dst, `"clientCount":`...)
		dst = strconv.AppendInt(dst, int64(m.Clients), 10)
	default:
		return dst, fmt.Errorf("cluster: message type %d can't be encoded", m.Type)
	}
	return dst, nil
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
func appendAnswer(dst []byte, m *Message, attached bool) []byte {
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
	dst = appendAttachments(dst, m, attached)
	if len(dst) == start && start > 0 && dst[start-1] == ',' { // of the request id
		dst = dst[:start-1]
	}
	return dst
}

func appendAttachments(dst []byte, m *Message, attached bool) []byte {
	if !attached || !m.Args.HasAttachments() {
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
