package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/siokit/siokit/socketio"
)

// Each event is defined once, with its types and its direction. A call is an
// event that is answered by an acknowledgement.
var (
	join      = socketio.DefineCall[Person, Person]("join").ToServer()
	post      = socketio.DefineCall[Message, time.Time]("post").ToServer()
	typing    = socketio.DefineEvent[bool]("typing").ToServer()
	isTyping  = socketio.DefineEvent[socketio.Args2[Person, bool]]("typing").ToClient()
	message   = socketio.DefineEvent[Message]("message").ToClient()
	rooms     = socketio.DefineEvent[map[string][]Person]("rooms").ToClient()
	delivered = socketio.DefineEvent[Delivery]("delivered") // both ways

	who = socketio.NewKey[Person]("who") // kept with the socket
)

type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Room string `json:"room"`
}

type Message struct {
	ID      string    `json:"id"` // chosen by the sender: one that comes twice is the same message
	Author  Person    `json:"author"`
	Text    string    `json:"text"`
	Picture *Picture  `json:"picture,omitzero"`
	At      time.Time `json:"at"`
}

// Picture travels as a binary attachment, because its Data is a []byte.
type Picture struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Data   []byte `json:"data"`
}

type Delivery struct {
	ID     string `json:"id"`
	Author string `json:"author"` // the socket that has sent the message
	By     string `json:"by"`     // the name of who has got it
}

const historyLength = 30 // messages that a room remembers for those who come later
var lastingRooms = []string{"lobby", "random"}

type chat struct {
	io      *socketio.Server
	mu      sync.Mutex           // also held while emitting, which never blocks: so everybody sees the same order
	people  []Person             // in the order in which they came
	history map[string][]Message // by room
}

func newChat(io *socketio.Server) {
	c := &chat{io: io, history: map[string][]Message{}}
	join.On(io, c.join)
	post.On(io, c.post)
	typing.On(io, func(_ context.Context, s *socketio.Socket, on bool) error {
		me, _ := who.Get(s)
		return isTyping.Emit(s.To(topic(me.Room)).Volatile(), socketio.Args2[Person, bool]{A: me, B: on})
	})
	delivered.On(io, func(_ context.Context, s *socketio.Socket, d Delivery) error {
		me, _ := who.Get(s)
		d.By = me.Name
		return delivered.Emit(io.To(d.Author), d) // each socket is in a room of its own id
	})
	io.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ *socketio.DisconnectError) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.leave(s)
		c.announce()
	})
}

// topic keeps the names that people give to rooms apart from socket ids.
func topic(room string) string { return "room:" + room }

func (c *chat) join(_ context.Context, s *socketio.Socket, me Person) (Person, error) {
	if me.Name == "" || me.Room == "" || len(me.Name) > 100 || len(me.Room) > 100 {
		return me, &socketio.PublicError{Message: "a name and a room, please"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave(s)
	me.ID = s.ID()
	err := errors.Join(who.Set(s, me), s.Join(topic(me.Room)))
	c.people = append(c.people, me)
	for _, m := range c.history[me.Room] {
		err = errors.Join(err, message.Emit(s, m))
	}
	return me, errors.Join(err, c.announce())
}

// leave takes s out of its room. One that people made is forgotten when the
// last of them has left.
func (c *chat) leave(s *socketio.Socket) {
	me, _ := who.Get(s)
	s.Leave(topic(me.Room))
	c.people = slices.DeleteFunc(c.people, func(p Person) bool { return p.ID == s.ID() })
	inRoom := func(p Person) bool { return p.Room == me.Room }
	if !slices.Contains(lastingRooms, me.Room) && !slices.ContainsFunc(c.people, inRoom) {
		delete(c.history, me.Room)
	}
}

// announce tells everybody which rooms there are and who is in them.
func (c *chat) announce() error {
	all := map[string][]Person{}
	for _, room := range lastingRooms {
		all[room] = []Person{}
	}
	for _, p := range c.people {
		all[p.Room] = append(all[p.Room], p)
	}
	return rooms.Emit(c.io, all)
}

func (c *chat) post(_ context.Context, s *socketio.Socket, m Message) (time.Time, error) {
	me, ok := who.Get(s)
	if !ok {
		return m.At, &socketio.PublicError{Message: "enter a room first"}
	}
	m.Author, m.At = me, time.Now().UTC()
	c.mu.Lock()
	defer c.mu.Unlock()
	past := c.history[me.Room]
	if i := slices.IndexFunc(past, func(old Message) bool { return old.ID == m.ID }); i >= 0 {
		return past[i].At, nil // sent again because the acknowledgement got lost
	}
	c.history[me.Room] = append(past[max(0, len(past)+1-historyLength):], m)
	return m.At, message.Emit(s.To(topic(me.Room)), m)
}
