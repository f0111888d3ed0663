package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// receive takes a message from the bus. It runs on the bus's goroutine: what it
// starts doesn't wait for anybody. A message that makes no sense is counted and
// dropped.
func (a *Adapter) receive(data []byte) {
	if a.closed.Load() {
		return
	}
	var m Message
	err := a.decode(a.config.Codec, data, &m)
	if m.UID == a.config.UID {
		if m.Type == FetchSocketsResponse {
			a.mark(m.RequestID)
		}
		return // our own
	}
	if err == nil {
		err = a.handle(&m, Offset{})
	}
	if err != nil {
		a.drop(err)
		return
	}
	a.stats.received.Add(1)
}

// decode reads a message and checks who it is from, and for.
func (a *Adapter) decode(codec Codec, data []byte, m *Message) error {
	if err := codec.Decode(data, m); err != nil {
		return err
	}
	switch {
	case !validUID(m.UID) && !(m.UID == Anonymous && m.Type.response()):
		return fmt.Errorf("cluster: %q is no server's name", m.UID)
	case m.Namespace != a.local.Namespace():
		return fmt.Errorf("cluster: a message for namespace %q", m.Namespace)
	}
	return nil
}

// drop notes that a message was worth nothing.
func (a *Adapter) drop(why error) {
	a.stats.dropped.Add(1)
	a.config.Logger.Debug("cluster: dropped a message", "namespace", a.local.Namespace(), "error", why)
}

// handle does what a message says; at is its place if it comes from the log.
func (a *Adapter) handle(m *Message, at Offset) error {
	if m.Type < InitialHeartbeat || m.Type > AdapterClose {
		return fmt.Errorf("cluster: message type %d", m.Type)
	}
	if m.Type == AdapterClose {
		a.goodbye(m.UID)
		return nil
	}
	a.heard(m)
	if m.Type.response() {
		return a.answer(m)
	}
	switch m.Type {
	case InitialHeartbeat:
		if a.announced.Load() {
			return a.publish(&Message{Type: Heartbeat})
		}
		return nil
	case Broadcast:
		p := &sioparser.Packet{Type: sioparser.Event, Name: m.Name, Args: m.Args}
		if m.RequestID != "" {
			return a.acknowledge(m, p)
		}
		return a.Memory.BroadcastTo(p, m.Selection, a.in.add)
	case SocketsJoin:
		return a.joinHere(a.present(m.Selection, at), m.Rooms)
	case SocketsLeave:
		a.leaveHere(a.present(m.Selection, at), m.Rooms)
		return nil
	case DisconnectSockets:
		for _, s := range a.present(m.Selection, at) {
			a.local.Disconnect(s, m.Close)
		}
		return nil
	case FetchSockets:
		return a.describe(m)
	case ServerSideEmit:
		return a.serverEvent(m)
	}
	return nil // Heartbeat
}

// heard notes that the sender of m is there.
func (a *Adapter) heard(m *Message) {
	if m.UID != emitterUID && m.UID != Anonymous && a.heartbeats() {
		a.nodes.heard(m.UID, !a.config.CountSubscribers || m.Type <= Heartbeat, m.Type == InitialHeartbeat)
	}
}

var errNoRequestID = errors.New("cluster: a request without an id")

// describe answers FetchSockets.
func (a *Adapter) describe(m *Message) error {
	if m.RequestID == "" {
		return errNoRequestID
	}
	r := &Message{Type: FetchSocketsResponse, RequestID: m.RequestID}
	for _, s := range a.Memory.Sockets(m.Selection) {
		handshake, data, err := a.local.Describe(s)
		if err != nil {
			continue // on its way out, or not in yet
		}
		r.Sockets = append(r.Sockets, Details{ID: s.ID(), Rooms: s.Membership().Rooms(), Handshake: handshake, Data: data})
	}
	a.respond(m.UID, r)
	return nil
}

// serverEvent hands an event of another server to the handlers here.
func (a *Adapter) serverEvent(m *Message) error {
	p := &sioparser.Packet{Type: sioparser.Event, Name: m.Name, Args: m.Args}
	if m.RequestID == "" {
		a.local.ServerEvent(p, nil)
		return nil
	}
	uid, id := m.UID, m.RequestID
	var once sync.Once
	a.local.ServerEvent(p, func(args sioparser.Args) {
		once.Do(func() {
			a.respond(uid, &Message{Type: ServerSideEmitResponse, RequestID: id, Args: args})
		})
	})
	return nil
}

// answer hands a response to the request that it is for. One that comes too late
// is no fault of the sender.
func (a *Adapter) answer(m *Message) error {
	rq := a.request(m.RequestID)
	if rq == nil {
		return nil
	}
	if m.Type != rq.answer && !(m.Type == BroadcastClientCount && rq.answer == BroadcastAck) {
		return fmt.Errorf("cluster: %v answers a request that asked for %v", m.Type, rq.answer)
	}
	name := m.UID
	if name == Anonymous {
		name = "" // any of those that Gather has no names of
	}
	switch m.Type {
	case FetchSocketsResponse:
		list := make([]adapter.SocketInfo, len(m.Sockets))
		for i, s := range m.Sockets {
			list[i] = adapter.SocketInfo{
				ID: strings.Clone(s.ID), Rooms: slices.Clone(s.Rooms), Node: m.UID,
				Handshake: bytes.Clone(s.Handshake), Data: bytes.Clone(s.Data),
			}
		}
		rq.sockets.NodeAnswer(name, list...)
	case ServerSideEmitResponse:
		rq.replies.NodeAnswer(name, adapter.Reply{Args: m.Args.Clone(), Node: m.UID})
	case BroadcastClientCount:
		if m.Clients < 0 {
			return fmt.Errorf("cluster: %d clients", m.Clients)
		}
		rq.replies.NodeCount(name, m.Clients)
	case BroadcastAck:
		if m.Gone {
			rq.replies.NodeLose(name, m.Socket)
			return nil
		}
		rq.replies.NodeReply(name, adapter.Reply{Args: m.Args.Clone(), Node: m.UID, Socket: m.Socket})
	}
	return nil
}
