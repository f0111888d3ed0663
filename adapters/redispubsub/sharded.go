package redispubsub

import (
	"maps"
	"sync"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// sharded is the bus of one namespace on shard channels: prefix#nsp# for all its
// servers, prefix#nsp#uid# for responses to one, and in the dynamic modes
// prefix#nsp#room# for broadcasts to one room, which only servers with somebody
// in it have subscribed to.
type sharded struct {
	opening
	mode    Mode
	uid     string // the channel for responses is this server's already
	channel string

	receive func([]byte) // set by the first Subscribe, before anything else

	mu     sync.Mutex
	closed bool                 // a hook may still be running
	rooms  map[string]func()    // what ends the subscription of a room
	joined map[string]time.Time // rooms that other servers' sockets were put into, and when
}

const (
	// settling is how long the servers that were told to put sockets into a room
	// may take to subscribe to its channel: until then, broadcasts to it go to all.
	settling = time.Second
	// maxSettling bounds the rooms that are noted.
	maxSettling = 4096
)

var (
	_ cluster.Bus    = (*sharded)(nil)
	_ cluster.Router = (*sharded)(nil)
)

func newSharded(b *Bus, c *Config, namespace string) *sharded {
	return &sharded{
		opening: opening{Bus: b}, mode: c.Mode, uid: c.UID, channel: c.Prefix + "#" + namespace + "#",
		rooms: make(map[string]func()), joined: make(map[string]time.Time),
	}
}

// Subscribe implements [cluster.Bus].
func (s *sharded) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	if topic == s.channel {
		s.receive = receive
	}
	h := s.subscribe(s.channels, topic, func(_, data string) { receive([]byte(data)) })
	s.handlers = append(s.handlers, h)
	return h.stop, nil
}

// Route implements [cluster.Router]. A broadcast with acknowledgements goes to
// all servers, as all are waited for.
func (s *sharded) Route(topic string, m *cluster.Message) string {
	switch {
	case m.Type == cluster.SocketsJoin:
		s.note(m.Rooms)
	case m.Type == cluster.Broadcast && m.RequestID == "" && len(m.Selection.Rooms) == 1:
		if room := m.Selection.Rooms[0]; s.separate(room) && !s.unsettled(room) {
			return s.channel + room + "#"
		}
	}
	return topic
}

func (s *sharded) note(rooms []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if len(s.joined) >= maxSettling {
		maps.DeleteFunc(s.joined, func(_ string, at time.Time) bool { return now.Sub(at) > settling })
	}
	for _, room := range rooms {
		if s.separate(room) && len(s.joined) < maxSettling {
			s.joined[room] = now
		}
	}
}

func (s *sharded) unsettled(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.joined[room]
	if ok && time.Since(at) > settling {
		delete(s.joined, room)
		ok = false
	}
	return ok
}

// idLength is by which the reference tells a socket's id from a room.
const idLength = 20

// separate reports whether a room has a channel of its own.
func (s *sharded) separate(room string) bool {
	switch s.mode {
	case ShardedDynamic:
		return len(room) != idLength
	case ShardedDynamicPrivate:
		return true
	}
	return false
}

// observe is an [adapter.Hook] that subscribes to rooms as they come and go. It
// may run within a subscription of this bus, so it waits for none to end.
func (s *sharded) observe(e adapter.Event) {
	if !s.separate(e.Room) || e.Room == s.uid {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	switch e.Kind {
	case adapter.Created:
		if s.rooms[e.Room] == nil {
			h := s.subscribe(s.channels, s.channel+e.Room+"#", func(_, data string) { s.receive([]byte(data)) })
			s.rooms[e.Room] = h.end
		}
	case adapter.Deleted:
		if end := s.rooms[e.Room]; end != nil {
			end()
			delete(s.rooms, e.Room)
		}
	}
}

// close ends the subscriptions of rooms.
func (s *sharded) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, end := range s.rooms {
		end()
	}
	clear(s.rooms)
}
