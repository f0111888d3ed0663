package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/siokit/siokit/socketio"
)

// Message is what people write to each other.
type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

// The events, with their directions: what clients send, what they get.
var (
	Login   = socketio.DefineCall[string, []string]("login").ToServer() // name → who is there
	Private = socketio.DefineCall[socketio.Args2[string, string], bool]("private").ToServer()
	Join    = socketio.DefineEvent[string]("join").ToServer()
	Say     = socketio.DefineEvent[socketio.Args2[string, string]]("say").ToServer()
	Chat    = socketio.DefineEvent[Message]("chat").ToClient()

	user = socketio.NewKey[string]("user") // others see it in FetchSockets
)

// userRoom is the room of all of a user's tabs and devices.
func userRoom(name string) string { return "user:" + name }

func newServer() (*socketio.Server, error) {
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		return nil, err
	}
	Login.On(io, func(ctx context.Context, s *socketio.Socket, name string) ([]string, error) {
		if name == "" {
			return nil, &socketio.PublicError{Message: "a name, please"}
		}
		var others []string
		for other, err := range io.FetchSockets(ctx) {
			if err != nil {
				return nil, err
			}
			if name, ok := user.Get(other); ok {
				others = append(others, name)
			}
		}
		if err := user.Set(s, name); err != nil {
			return nil, err
		}
		return others, s.Join(userRoom(name))
	})
	Join.On(io, func(ctx context.Context, s *socketio.Socket, room string) error { return s.Join("room:" + room) })
	Say.On(io, func(ctx context.Context, s *socketio.Socket, v socketio.Args2[string, string]) error {
		return Chat.Emit(s.To("room:"+v.A), Message{name(s), v.B}) // to all but s
	})
	Private.On(io, func(ctx context.Context, s *socketio.Socket, v socketio.Args2[string, string]) (bool, error) {
		devices := 0
		for _, err := range io.In(userRoom(v.A)).FetchSockets(ctx) {
			if err != nil {
				return false, err
			}
			devices++
		}
		return devices > 0, Chat.Emit(io.To(userRoom(v.A)), Message{name(s), v.B})
	})
	return io, nil
}

func name(s *socketio.Socket) string {
	name, _ := user.Get(s)
	return name
}

// announce emits from an HTTP handler: a server, its namespaces and rooms can
// be used by any goroutine at any time.
//
//	curl -d '{"from":"ops","text":"back at five"}' http://127.0.0.1:3000/announce/lobby
func announce(io *socketio.Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var m Message
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := Chat.Emit(io.To("room:"+r.PathValue("room")), m); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
