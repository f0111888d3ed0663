package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

// The definitions that server and client share.
var (
	Say = socketio.DefineEvent[string]("say")
	Add = socketio.DefineCall[socketio.Args2[int, int], int]("add").ToServer()
)

// exampleServer is a server for the examples. Those who give no token, or one
// that has expired, are refused.
func exampleServer() (url string, stop func()) {
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	Say.On(io, func(_ context.Context, s *socketio.Socket, text string) error { return Say.Emit(s, "you said: "+text) })
	Add.On(io, func(_ context.Context, _ *socketio.Socket, v socketio.Args2[int, int]) (int, error) {
		return v.A + v.B, nil
	})
	io.Of("/private").Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.Auth(&auth); err != nil || auth.Token != "fresh" {
			return &socketio.PublicError{Message: "token expired"}
		}
		return nil
	})
	io.On("unreliable", func(_ context.Context, ev *socketio.Event) error {
		if _, again := seen.Get(ev.Socket()); !again {
			seen.Set(ev.Socket(), true) // the first time nobody answers
			return nil
		}
		return ev.Ack("at last")
	})
	web := httptest.NewServer(io)
	return web.URL, func() { io.Close(); web.Close() }
}

var seen = socketio.NewLocalKey[bool]("seen")

func Example() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	c, err := client.New(url, client.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	said := make(chan string)
	Say.ToClient().On(c, func(_ context.Context, text string) error { said <- text; return nil })
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	if err := Say.ToServer().Emit(ctx, c, "hello"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-said)
	sum, err := Add.Do(ctx, c, socketio.Args2[int, int]{A: 2, B: 3})
	fmt.Println(sum, err)
	// Output:
	// you said: hello
	// 5 <nil>
}

// Names that are known only when the program runs.
func ExampleSocket_EmitWithAck() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	c, err := client.New(url, client.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	ack, err := c.EmitWithAck(ctx, "add", 20, 22)
	if err != nil {
		log.Fatal(err)
	}
	var sum int
	if err := ack.Bind(&sum); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum)
	_, err = c.Timeout(10*time.Millisecond).EmitWithAck(ctx, "nobody listens")
	fmt.Println(errors.Is(err, socketio.ErrAckTimeout))
	// Output:
	// 42
	// true
}

// Auth is called before each attempt, so that what has expired is replaced. A
// refusal ends the attempts; Connect begins anew.
func ExampleConfig_auth() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	token := "old"
	c, err := client.New(url, client.Config{
		Auth: func(_ context.Context, namespace string) (any, error) {
			return map[string]string{"Token": token}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	private := c.Of("/private")
	err = private.Connect(ctx)
	var refused *client.ConnectError
	if errors.As(err, &refused) && refused.Message == "token expired" {
		fmt.Println(refused)
		token = "fresh"
		err = private.Connect(ctx)
	}
	fmt.Println(private.Connected(), err)
	// Output:
	// socketio: the server refuses /private: token expired
	// true <nil>
}

// With Retries an event is sent until the server has acknowledged it.
func ExampleConfig_retries() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	c, err := client.New(url, client.Config{Retries: 3, AckTimeout: 50 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	ack, err := c.EmitWithAck(ctx, "unreliable")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", ack.Args().Raw())
	// Output:
	// "at last"
}

// The life of a socket: it comes back by itself, unless it was sent away.
func ExampleSocket_OnDisconnect() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	c, err := client.New(url, client.Config{ReconnectionDelay: time.Second, ReconnectionDelayMax: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	c.OnConnect(func(context.Context) { fmt.Println("connected; recovered:", c.Recovered()) })
	c.OnConnectError(func(_ context.Context, err error) { fmt.Println("not connected:", err) })
	c.OnDisconnect(func(_ context.Context, why *client.DisconnectError) { fmt.Println("disconnected:", why.Reason) })
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	if err := c.Close(); err != nil { // waits for the hooks, too
		log.Fatal(err)
	}
	// Output:
	// connected; recovered: false
	// disconnected: io client disconnect
}
