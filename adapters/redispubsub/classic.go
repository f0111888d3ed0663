package redispubsub

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// classic is the bus of one namespace on the classic channels. The adapter of
// package cluster knows two topics, one of the namespace and one of its own;
// behind them are:
//
//	prefix#nsp#               broadcasts
//	prefix#nsp#room#          broadcasts to one room
//	prefix-request#nsp#       requests
//	prefix-response#nsp#      responses
//	prefix-response#nsp#uid#  responses to one server
type classic struct {
	opening
	uid       string
	channel   string
	requests  string
	responses string
	specific  bool // respond to one server

	index atomic.Pointer[adapter.Memory] // nil until the adapter is made

	asked   sync.WaitGroup // answers that are on their way to Redis
	answers chan struct{}  // as many as may be

	mu    sync.Mutex
	rooms map[string]*adapter.Gather[string] // requests of ours for all rooms
}

var (
	_ cluster.Bus               = (*classic)(nil)
	_ cluster.Router            = (*classic)(nil)
	_ cluster.SubscriberCounter = (*classic)(nil)
)

// maxAnswers bounds the answers about rooms that wait for Redis; what is asked
// beyond it is not answered.
const maxAnswers = 16

func newClassic(b *Bus, c *Config, namespace string) *classic {
	return &classic{
		opening: opening{Bus: b}, uid: c.UID,
		channel:   c.Prefix + "#" + namespace + "#",
		requests:  c.Prefix + "-request#" + namespace + "#",
		responses: c.Prefix + "-response#" + namespace + "#",
		specific:  c.SpecificResponses,
		answers:   make(chan struct{}, maxAnswers),
		rooms:     make(map[string]*adapter.Gather[string]),
	}
}

// Route implements [cluster.Router].
func (k *classic) Route(topic string, m *cluster.Message) string {
	switch {
	case m.Type == cluster.Broadcast && m.RequestID == "":
		if len(m.Selection.Rooms) == 1 {
			return k.channel + m.Selection.Rooms[0] + "#"
		}
		return k.channel
	case isResponse(m.Type):
		if k.specific {
			return k.responses + strings.TrimPrefix(topic, k.channel)
		}
		return k.responses
	}
	return k.requests
}

// Subscribers implements [cluster.SubscriberCounter]: the reference counts who
// listens to requests.
func (k *classic) Subscribers(ctx context.Context, _ string) (int, error) {
	return k.Bus.Subscribers(ctx, k.requests)
}

// Subscribe implements [cluster.Bus]: topic is that of the namespace, or this
// server's own.
func (k *classic) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	on := func(kind byte, drop func(channel, data string) bool) func(string, string) {
		return func(channel, data string) {
			if !drop(channel, data) {
				receive(append(append(make([]byte, 0, 1+len(data)), kind), data...))
			}
		}
	}
	var handlers []*handler
	if topic == k.channel {
		handlers = append(handlers,
			k.subscribe(k.patterns, escapePattern(k.channel)+"*", on(onBroadcast, k.unknownRoom)),
			k.subscribe(k.channels, k.requests, on(onRequest, k.aboutRooms)))
	} else {
		for _, channel := range []string{k.responses, k.responses + strings.TrimPrefix(topic, k.channel)} {
			handlers = append(handlers, k.subscribe(k.channels, channel, on(onResponse, k.notOurs)))
		}
	}
	k.handlers = append(k.handlers, handlers...)
	return func() {
		for _, h := range handlers {
			h.stop()
		}
	}, nil
}

// escapePattern returns the pattern that matches s only.
func escapePattern(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte(`*?[]\^-`, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// unknownRoom drops broadcasts to rooms that nobody here is in before they are
// decoded: every server gets those to all rooms.
func (k *classic) unknownRoom(channel, _ string) bool {
	room := strings.TrimSuffix(strings.TrimPrefix(channel, k.channel), "#")
	index := k.index.Load()
	return index == nil || room != "" && !index.HasRoom(room)
}

// notOurs drops answers to other servers, which are on the common channel too.
// Our requests' ids begin with our name.
func (k *classic) notOurs(_, data string) bool {
	return !strings.Contains(data, k.uid) || k.takeRooms(data)
}

// ownIDs is the codec of a classic bus: that of the wire, with ids of requests
// that tell whose they are.
type ownIDs struct {
	classicCodec
	prefix string
}

// Append implements [cluster.Codec].
func (c ownIDs) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	if m.RequestID != "" && !isResponse(m.Type) {
		own := *m
		own.RequestID = c.prefix + m.RequestID
		m = &own
	}
	return c.classicCodec.Append(dst, m)
}

// Decode implements [cluster.Codec].
func (c ownIDs) Decode(data []byte, m *cluster.Message) error {
	err := c.classicCodec.Decode(data, m)
	if len(data) > 0 && data[0] == onResponse {
		m.RequestID = strings.TrimPrefix(m.RequestID, c.prefix)
	}
	return err
}
