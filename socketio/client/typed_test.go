package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

type picture struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

var (
	show   = socketio.DefineEvent[socketio.Args2[picture, socketio.Rest[int]]]("show")
	poke   = socketio.DefineEvent[socketio.None]("poke")
	half   = socketio.DefineCall[int, int]("half")
	errOdd = &socketio.PublicError{Message: "odd", Data: 1}
)

// One definition, both ends, both ways.
func TestTypedEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		var d diary
		c.OnError(func(_ context.Context, err error) {
			var argument *socketio.ArgumentError
			d.add("error %v", errors.As(err, &argument))
		})
		show.On(io, func(_ context.Context, s *socketio.Socket, v socketio.Args2[picture, socketio.Rest[int]]) error {
			return show.Emit(s, v)
		})
		show.ToClient().On(c, func(_ context.Context, v socketio.Args2[picture, socketio.Rest[int]]) error {
			d.add("show %s %v %v", v.A.Name, v.A.Data, v.B)
			return nil
		})
		poke.ToClient().On(c, func(context.Context, socketio.None) error {
			d.add("poke")
			return nil
		})
		if err := show.ToServer().Emit(t.Context(), c, socketio.Args2[picture, socketio.Rest[int]]{
			A: picture{"p", []byte{1, 2}}, B: socketio.Rest[int]{3, 4},
		}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := errors.Join(io.Emit("poke"), io.Emit("show", 7)); err != nil {
			t.Error(err)
		}
		d.expect(t, "show p [1 2] [3 4]", "poke", "error true")
	})
}

func halve(n int) (int, error) {
	switch {
	case n%2 != 0:
		return 0, errOdd
	case n < 0:
		return 0, errors.New("private")
	}
	return n / 2, nil
}

func TestTypedCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		sockets := make(chan *socketio.Socket, 1)
		io.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
		half.On(io, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return halve(n) })
		c := io.Connect(overWebSocket(client.Config{}))
		var d diary
		c.OnError(func(_ context.Context, err error) { d.add("%v", err) })
		half.ToClient().On(c, func(_ context.Context, n int) (int, error) { return halve(n) })
		s := <-sockets
		for who, do := range map[string]func(n int) (int, error){
			"client": func(n int) (int, error) { return half.ToServer().Do(t.Context(), c, n) },
			"server": func(n int) (int, error) { return half.Do(t.Context(), s, n) },
		} {
			if n, err := do(84); n != 42 || err != nil {
				t.Error(who, n, err)
			}
			var remote *socketio.RemoteError
			if _, err := do(7); !errors.As(err, &remote) || remote.Message != "odd" || string(remote.Data) != "1" {
				t.Error(who, err)
			}
			if _, err := do(-2); !errors.As(err, &remote) || remote.Message != "internal error" {
				t.Error(who, err)
			}
		}
		d.expect(t, `socketio: handler of "half": private`)
		ack, err := s.EmitWithAck(t.Context(), "half", "text")
		if err != nil || string(ack.Args().Raw()) != `{"error":{"message":"invalid arguments"}}` {
			t.Error(ack, err)
		}
	})
}
