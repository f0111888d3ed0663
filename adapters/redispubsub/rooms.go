package redispubsub

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/siokit/siokit/socketio/adapter"
)

// AllRooms yields the rooms of all servers as their answers arrive, each room
// once. If some server does not answer until ctx ends (without a deadline: after
// five seconds), the last element is an [adapter.PartialError]. It is the
// reference's allRooms, which only the classic adapter has: in a sharded mode the
// only element is [errors.ErrUnsupported].
func (a *Adapter) AllRooms(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if a.classic == nil {
			yield("", errors.ErrUnsupported)
			return
		}
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, defaultRequest)
			defer cancel()
		}
		g := adapter.NewGather[string]()
		done := a.classic.askRooms(ctx, g)
		defer done()
		seen := make(map[string]bool)
		for room := range a.Rooms() {
			seen[room] = true
			if !yield(room, nil) {
				return
			}
		}
		for room, err := range g.All(ctx) {
			if err == nil && seen[room] {
				continue
			}
			seen[room] = true
			if !yield(room, err) {
				return
			}
		}
	}
}

const defaultRequest = 5 * time.Second

// askRooms asks all other servers for their rooms; g waits for them.
func (k *classic) askRooms(ctx context.Context, g *adapter.Gather[string]) (done func()) {
	id := k.uid + "." + randomID()
	servers, err := k.Subscribers(ctx, "")
	g.ExpectMoreNodes(max(servers-1, 0))
	k.mu.Lock()
	k.rooms[id] = g
	k.mu.Unlock()
	if err == nil {
		request := append([]byte(`{"uid":"`+k.uid+`","requestId":"`+id+`","type":`), strconv.Itoa(requestAllRooms)...)
		err = k.Publish(ctx, k.requests, append(request, '}'))
	}
	if err != nil {
		g.ExpectMoreNodes(1) // nobody knows how many there are
		g.Close(err)
	}
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.rooms, id)
	}
}

// takeRooms takes an answer about rooms, and reports whether it was one.
func (k *classic) takeRooms(data string) bool {
	k.mu.Lock()
	waiting := len(k.rooms)
	k.mu.Unlock()
	if waiting == 0 {
		return false
	}
	var answer struct {
		RequestID string   `json:"requestId"`
		Rooms     []string `json:"rooms"`
	}
	if json.Unmarshal([]byte(data), &answer, readOptions) != nil {
		return false
	}
	k.mu.Lock()
	g := k.rooms[answer.RequestID]
	k.mu.Unlock()
	if g == nil {
		return false
	}
	g.NodeAnswer("", answer.Rooms...)
	return true
}

// aboutRooms answers a request for rooms, or for the ids of sockets, and reports
// whether it was one.
func (k *classic) aboutRooms(_, data string) bool {
	if !strings.HasPrefix(data, "{") {
		return false
	}
	var request struct {
		UID       string   `json:"uid"`
		Type      int      `json:"type"`
		RequestID string   `json:"requestId"`
		Rooms     []string `json:"rooms"`
	}
	if json.Unmarshal([]byte(data), &request, readOptions) != nil || request.RequestID == "" {
		return false
	}
	index := k.index.Load()
	answer := struct {
		RequestID string   `json:"requestId"`
		UID       string   `json:"uid"`
		Rooms     []string `json:"rooms,omitzero"`
		Sockets   []string `json:"sockets,omitzero"`
	}{RequestID: request.RequestID, UID: k.uid}
	switch {
	case request.Type == requestAllRooms && index != nil:
		answer.Rooms = append([]string{}, slices.Collect(index.Rooms())...)
	case request.Type == requestSockets && index != nil:
		answer.Sockets = []string{}
		for _, s := range index.Sockets(adapter.Selection{Rooms: request.Rooms}) {
			answer.Sockets = append(answer.Sockets, s.ID())
		}
	default:
		return false
	}
	if request.UID == k.uid {
		return true // our own
	}
	channel := k.responses
	if k.specific && request.UID != "" {
		channel += request.UID + "#"
	}
	if text, err := json.Marshal(answer, readOptions); err == nil {
		k.answer(channel, text)
	}
	return true
}

// answer publishes without waiting for Redis.
func (k *classic) answer(channel string, text []byte) {
	select {
	case k.answers <- struct{}{}:
	default:
		return // too many are waiting
	}
	k.asked.Add(1)
	go func() { // Close waits for it
		defer k.asked.Done()
		defer func() { <-k.answers }()
		ctx, cancel := context.WithTimeout(context.Background(), defaultRequest)
		defer cancel()
		if err := k.Publish(ctx, channel, text); err != nil {
			k.log.Debug("redispubsub: rooms were not told", "error", err)
		}
	}()
}
