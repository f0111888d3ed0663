package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/socketio"
)

// talk plays a client over a WebSocket: it sends frames and prints as many
// answers as are asked for, without the changing ids. Applications use an
// official client instead.
func talk(io *socketio.Server, answers int, frames ...string) {
	server := httptest.NewServer(io)
	defer server.Close()
	defer io.Close()
	address := "ws" + strings.TrimPrefix(server.URL, "http") + "/socket.io/?EIO=4&transport=websocket"
	conn, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for _, f := range frames {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(f)); err != nil {
			log.Fatal(err)
		}
	}
	for range answers + 1 {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			log.Fatal(err)
		}
		if text := string(frame); !strings.Contains(text, `"sid"`) { // not the handshakes
			fmt.Println(text)
		}
	}
}

func Example() {
	type Message struct {
		Room string `json:"room"`
		Text string `json:"text"`
	}
	var (
		Chat = socketio.DefineEvent[Message]("chat")
		Join = socketio.DefineCall[string, int]("join").ToServer()
	)

	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	Join.On(io, func(_ context.Context, s *socketio.Socket, room string) (int, error) {
		return len(s.Rooms()) + 1, s.Join(room)
	})
	Chat.On(io, func(_ context.Context, _ *socketio.Socket, m Message) error {
		return Chat.Emit(io.To(m.Room), m)
	})

	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io) // http.ListenAndServe(":3000", mux)

	talk(io, 3, `40`, `421["join","lobby"]`, `42["chat",{"room":"lobby","text":"hello"}]`)
	// Output:
	// 431[2]
	// 42["chat",{"room":"lobby","text":"hello"}]
}

func ExampleNamespace_Use() {
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	io.Of("/admin").Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct {
			Token string `json:"token"`
		}
		if err := s.Auth(&auth); err != nil {
			return err
		}
		if auth.Token != "secret" {
			return &socketio.PublicError{Message: "not authorized", Data: map[string]int{"code": 401}}
		}
		return nil
	})
	talk(io, 1, `40/admin,{"token":"guess"}`)
	// Output:
	// 44/admin,{"message":"not authorized","data":{"code":401}}
}

func ExampleSocket_On() {
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnection(func(_ context.Context, s *socketio.Socket) {
		s.On("move", func(_ context.Context, ev *socketio.Event) error {
			var from, to string
			if err := ev.Bind(&from, &to); err != nil {
				return err
			}
			return s.Emit("moved", to, from)
		})
	})
	talk(io, 2, `40`, `42["move","e2","e4"]`)
	// Output:
	// 42["moved","e4","e2"]
}

func ExamplePublicError() {
	Divide := socketio.DefineCall[socketio.Args2[int, int], int]("divide").ToServer()

	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	io.OnError(func(_ context.Context, _ *socketio.Socket, err error) {
		var failed *socketio.HandlerError
		if errors.As(err, &failed) {
			fmt.Println("here:", err)
		}
	})
	Divide.On(io, func(_ context.Context, _ *socketio.Socket, v socketio.Args2[int, int]) (int, error) {
		switch {
		case v.B == 0:
			return 0, &socketio.PublicError{Message: "division by zero"}
		case v.B < 0:
			return 0, errors.New("nobody has thought of this")
		}
		return v.A / v.B, nil
	})
	talk(io, 4, `40`, `421["divide",6,3]`, `422["divide",6,0]`, `423["divide",6,-1]`)
	// Unordered output:
	// 431[2]
	// 432[{"error":{"message":"division by zero"}}]
	// 433[{"error":{"message":"internal error"}}]
	// here: socketio: handler of "divide": nobody has thought of this
}

func ExampleBroadcast() {
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnection(func(_ context.Context, s *socketio.Socket) {
		_ = s.Join("news", "sports")
		everyone := io.To("news") // a value: what follows does not change it
		_ = everyone.Except("sports").Emit("not for who is in sports")
		_ = everyone.To("sports").Volatile().Emit("once for who is in both")
		_ = s.To("news").Emit("for the others")
		_ = everyone.Emit("for everyone in news")
	})
	talk(io, 3, `40`)
	// Output:
	// 42["once for who is in both"]
	// 42["for everyone in news"]
}
