package redispubsub

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// The request types of @socket.io/redis-adapter 8.3.0, and three of ours, which it
// passes over: its servers send no heartbeats.
const (
	requestSockets = iota
	requestAllRooms
	requestJoin
	requestLeave
	requestDisconnect
	requestFetch
	requestServerEvent
	requestBroadcast
	requestClientCount
	requestBroadcastAck

	requestGreeting  = 101
	requestHeartbeat = 102
	requestGoodbye   = 103
)

var requestTypes = map[cluster.Type]int{
	cluster.InitialHeartbeat:       requestGreeting,
	cluster.Heartbeat:              requestHeartbeat,
	cluster.AdapterClose:           requestGoodbye,
	cluster.Broadcast:              requestBroadcast,
	cluster.SocketsJoin:            requestJoin,
	cluster.SocketsLeave:           requestLeave,
	cluster.DisconnectSockets:      requestDisconnect,
	cluster.FetchSockets:           requestFetch,
	cluster.FetchSocketsResponse:   requestFetch,
	cluster.ServerSideEmit:         requestServerEvent,
	cluster.ServerSideEmitResponse: requestServerEvent,
	cluster.BroadcastClientCount:   requestClientCount,
	cluster.BroadcastAck:           requestBroadcastAck,
}

// messageTypes are the types of what comes on the request channel.
var messageTypes = map[int]cluster.Type{
	requestGreeting:    cluster.InitialHeartbeat,
	requestHeartbeat:   cluster.Heartbeat,
	requestGoodbye:     cluster.AdapterClose,
	requestBroadcast:   cluster.Broadcast,
	requestJoin:        cluster.SocketsJoin,
	requestLeave:       cluster.SocketsLeave,
	requestDisconnect:  cluster.DisconnectSockets,
	requestFetch:       cluster.FetchSockets,
	requestServerEvent: cluster.ServerSideEmit,
}

// responseTypes are the types of what comes on the response channels; one that
// says no type answers REMOTE_FETCH.
var responseTypes = map[int]cluster.Type{
	requestFetch:        cluster.FetchSocketsResponse,
	requestServerEvent:  cluster.ServerSideEmitResponse,
	requestClientCount:  cluster.BroadcastClientCount,
	requestBroadcastAck: cluster.BroadcastAck,
}

func isResponse(t cluster.Type) bool { return responseTypes[requestTypes[t]] == t }

// What a channel carries stands before the message when it is handed to the
// codec: the messages themselves don't say.
const (
	onBroadcast = 'b'
	onRequest   = 'q'
	onResponse  = 'r'
)

// classicCodec turns messages into those of the classic channels and back, for one
// namespace.
type classicCodec struct {
	namespace string
}

// texts are buffers for the JSON that a message is transcoded from.
var texts = sync.Pool{New: func() any { return new([]byte) }}

const (
	keepText = 64 << 10 // the largest buffer that goes back to the pool
	arrayOf1 = 0x91     // a MessagePack array with one element
)

func putText(buf *[]byte) {
	if cap(*buf) <= keepText {
		texts.Put(buf)
	}
}

// Append implements [cluster.Codec].
func (c classicCodec) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	buf := texts.Get().(*[]byte)
	defer putText(buf)
	text := append((*buf)[:0], '[')
	broadcast := m.Type == cluster.Broadcast && m.RequestID == ""
	var err error
	if broadcast {
		text, err = appendBroadcast(text, m)
	} else {
		text, err = appendRequest(text, m)
	}
	text = append(text, ']')
	*buf = text
	if err != nil {
		return dst, err
	}
	packed := broadcast || m.Type == cluster.Broadcast || m.Type == cluster.BroadcastAck || m.Args.HasAttachments()
	if !packed {
		return append(dst, text[1:len(text)-1]...), nil
	}
	args, err := sioparser.ParseArgs(text, m.Args.Attachments())
	if err != nil {
		return dst, err
	}
	if broadcast {
		return msgpack.AppendFromArgs(dst, args), nil
	}
	// An array of the request, less the array.
	start := len(dst)
	dst = msgpack.AppendFromArgs(dst, args)
	return append(dst[:start], dst[start+1:]...), nil
}

// appendBroadcast appends the elements of a broadcast: sender, packet, options.
func appendBroadcast(dst []byte, m *cluster.Message) ([]byte, error) {
	buf := texts.Get().(*[]byte)
	defer putText(buf)
	data, err := cluster.AppendData((*buf)[:0], m)
	*buf = data
	if err != nil {
		return dst, err
	}
	// The members are "opts" and "packet", in this order. In texts, quotes are
	// escaped.
	options, packet, _ := bytes.Cut(data, []byte(`,"packet":`))
	dst = append(appendText(dst, m.UID), ',')
	dst = append(dst, packet[:len(packet)-1]...)
	dst = append(dst, `,"nsp":`...)
	dst = append(appendText(dst, m.Namespace), "},"...)
	return append(dst, options[len(`"opts":`):]...), nil
}

// appendText appends s as a JSON string. Invalid UTF-8 is replaced.
func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// appendRequest appends the object of a request or response.
func appendRequest(dst []byte, m *cluster.Message) ([]byte, error) {
	typ, ok := requestTypes[m.Type]
	if !ok {
		return dst, fmt.Errorf("redispubsub: message type %d", m.Type)
	}
	dst = append(dst, `{"uid":`...)
	dst = appendText(dst, m.UID)
	dst = append(dst, `,"type":`...)
	dst = strconv.AppendInt(dst, int64(typ), 10)
	switch m.Type {
	case cluster.InitialHeartbeat, cluster.Heartbeat, cluster.AdapterClose:
		return append(dst, '}'), nil
	}
	data, err := cluster.AppendData(nil, m)
	switch m.Type {
	case cluster.ServerSideEmit, cluster.ServerSideEmitResponse:
		data = bytes.Replace(data, []byte(`"packet":`), []byte(`"data":`), 1)
	case cluster.Broadcast:
		// The reference looks at the namespace of the packet, which comes last.
		data = append(data[:len(data)-1], `,"nsp":`...)
		data = append(appendText(data, m.Namespace), '}')
	}
	if len(data) > 0 {
		dst = append(append(dst, ','), data...)
	}
	return append(dst, '}'), err
}

// head is what all requests and responses have.
type head struct {
	UID       string         `json:"uid"`
	Type      *int           `json:"type"`
	RequestID string         `json:"requestId"`
	Options   jsontext.Value `json:"opts"`
	Data      jsontext.Value `json:"data"`
	More      jsontext.Value `json:"more"`
	Rooms     jsontext.Value `json:"rooms"`
	Packet    packetHead     `json:"packet"`
}

// packetHead is what counts of a packet before it is taken apart. A response's is
// any value.
type packetHead struct{ Namespace *string }

// UnmarshalJSONFrom implements json's interface.
func (h *packetHead) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	var p struct {
		Namespace *string `json:"nsp"`
	}
	v, err := dec.ReadValue()
	if err == nil && json.Unmarshal(v, &p, readOptions) == nil {
		h.Namespace = p.Namespace
	}
	return err
}

// What clients send is relayed as it came.
var readOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

var (
	errEmpty   = errors.New("redispubsub: an empty message")
	errOptions = errors.New("redispubsub: a request without options")
	errType    = errors.New("redispubsub: unknown type")
)

// text returns the JSON of a message and its attachments.
func text(data []byte) ([]byte, [][]byte, error) {
	if len(data) == 0 {
		return nil, nil, errEmpty
	}
	if data[0] == '{' {
		return data, nil, nil
	}
	array := append(append(make([]byte, 0, 1+len(data)), arrayOf1), data...)
	args, err := msgpack.ToArgs(array, sioparser.Limits{Attachments: -1})
	return args.Raw(), args.Attachments(), err
}

// Decode implements [cluster.Codec]; the first byte is the channel's.
func (c classicCodec) Decode(data []byte, m *cluster.Message) error {
	if len(data) == 0 {
		return errEmpty
	}
	m.Namespace = c.namespace
	switch channel, data := data[0], data[1:]; channel {
	case onBroadcast:
		return c.decodeBroadcast(data, m)
	case onRequest:
		return c.decodeRequest(data, m)
	default:
		return c.decodeResponse(data, m)
	}
}

func (c classicCodec) decodeBroadcast(data []byte, m *cluster.Message) error {
	args, err := msgpack.ToArgs(data, sioparser.Limits{Attachments: -1})
	if err != nil {
		return err
	}
	if args.Len() < 3 {
		return errors.New("redispubsub: a broadcast has three elements")
	}
	var parts [3][]byte
	n := 0
	for raw := range args.All() {
		if n < len(parts) {
			parts[n] = raw
		}
		n++
	}
	if err := json.Unmarshal(parts[0], &m.UID, readOptions); err != nil {
		return err
	}
	var p packetHead
	if err := json.Unmarshal(parts[1], &p, readOptions); err != nil {
		return err
	}
	m.Namespace = p.namespace()
	body := make([]byte, 0, len(parts[1])+len(parts[2])+len(`{"opts":,"packet":}`))
	body = append(append(body, `{"opts":`...), parts[2]...)
	body = append(append(body, `,"packet":`...), parts[1]...)
	m.Type = cluster.Broadcast
	return cluster.DecodeData(append(body, '}'), args.Attachments(), m)
}

// namespace of a packet; the reference takes a missing one for the main one.
func (h *packetHead) namespace() string {
	if h.Namespace == nil {
		return "/"
	}
	return *h.Namespace
}

func (c classicCodec) decodeRequest(data []byte, m *cluster.Message) error {
	body, attachments, err := text(data)
	if err != nil {
		return err
	}
	var h head
	if err := json.Unmarshal(body, &h, readOptions); err != nil {
		return err
	}
	if h.Type == nil {
		return errType
	}
	var ok bool
	if m.Type, ok = messageTypes[*h.Type]; !ok {
		return errType
	}
	if m.UID = h.UID; m.UID == "" {
		m.UID = emitterUID // its requests have none
	}
	switch m.Type {
	case cluster.InitialHeartbeat, cluster.Heartbeat, cluster.AdapterClose:
		return nil
	case cluster.ServerSideEmit:
		m.RequestID = h.RequestID
		return cluster.DecodeData(member(`{"packet":`, h.Data), attachments, m)
	case cluster.Broadcast:
		m.Namespace = h.Packet.namespace()
		fallthrough
	default:
		if h.Options == nil { // or everybody would be meant
			return errOptions
		}
	}
	return cluster.DecodeData(body, attachments, m)
}

// emitterUID is the sender of what emitters send.
const emitterUID = "emitter"

// member returns an object with one member.
func member(name string, value []byte) []byte {
	if value == nil {
		return []byte("{}")
	}
	object := append(make([]byte, 0, len(name)+len(value)+1), name...)
	return append(append(object, value...), '}')
}

func (c classicCodec) decodeResponse(data []byte, m *cluster.Message) error {
	body, attachments, err := text(data)
	if err != nil {
		return err
	}
	var h head
	if err := json.Unmarshal(body, &h, readOptions); err != nil {
		return err
	}
	typ := requestFetch
	if h.Type != nil {
		typ = *h.Type
	}
	var ok bool
	if m.Type, ok = responseTypes[typ]; !ok {
		return errType
	}
	if m.UID = h.UID; m.UID == "" {
		m.UID = cluster.Anonymous
	}
	if m.Type == cluster.ServerSideEmitResponse {
		m.RequestID = h.RequestID
		object := member(`{"packet":`, h.Data)
		if h.More != nil {
			object = append(append(object[:len(object)-1], `,"more":`...), h.More...)
			object = append(object, '}')
		}
		return cluster.DecodeData(object, attachments, m)
	}
	return cluster.DecodeData(body, attachments, m)
}
