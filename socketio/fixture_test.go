package socketio_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// quiet is a configuration that logs nothing.
func quiet() socketio.Config {
	return socketio.Config{
		Logger:       slog.New(slog.DiscardHandler),
		EngineConfig: engineio.Config{Logger: slog.New(slog.DiscardHandler)},
	}
}

func newServer(t testing.TB, config socketio.Config) *socketio.Server {
	t.Helper()
	srv, err := socketio.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// authOf relays what the client gave to CONNECT.
func authOf(s *socketio.Socket) sioparser.RawArg { return sioparser.RawArg(s.Handshake().Auth) }

func greet(_ context.Context, s *socketio.Socket) { _ = s.Emit("auth", authOf(s)) }

func messageBack(_ context.Context, ev *socketio.Event) error {
	return ev.Socket().Emit("message-back", ev.Args())
}

// fixture is a server with the handlers that the recorded cases of the
// reference ask for.
func fixture(t testing.TB, config socketio.Config) *socketio.Server {
	t.Helper()
	config.EngineConfig.PingInterval = 300 * time.Millisecond
	config.EngineConfig.PingTimeout = time.Minute // a busy machine
	config.CleanupEmptyChildNamespaces = true
	srv := newServer(t, config)

	srv.OnConnection(greet)
	srv.On("message", messageBack)
	srv.On("message-with-ack", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) })
	srv.On("double-ack", func(_ context.Context, ev *socketio.Event) error {
		if err := ev.Ack(1); err != nil {
			return err
		}
		if err := ev.Ack(2); !errors.Is(err, socketio.ErrAcked) {
			t.Errorf("second acknowledgement: %v", err)
		}
		return nil
	})
	srv.On("emit-with-ack", func(ctx context.Context, ev *socketio.Event) error {
		ack, err := ev.Socket().EmitWithAck(ctx, "emit-with-ack", ev.Args())
		if err != nil {
			return err
		}
		return ev.Socket().Emit("emit-with-ack-result", ack.Args())
	})
	srv.On("emit-timeout", func(ctx context.Context, ev *socketio.Event) error {
		var ms int
		if err := ev.Bind(&ms); err != nil {
			return err
		}
		_, err := ev.Socket().Timeout(time.Duration(ms)*time.Millisecond).EmitWithAck(ctx, "no-ack")
		return ev.Socket().Emit("emit-timeout-result", timeoutText(err))
	})
	srv.On("disconnect-me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(false)
		return nil
	})
	srv.On("close-me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(true)
		return nil
	})
	id := func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Socket().ID()) }
	srv.On("id", id)
	srv.On("handshake", func(_ context.Context, ev *socketio.Event) error {
		return ev.Ack(ev.Socket().Handshake())
	})
	srv.On("emit-undefined", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("u", nil, nil)
	})
	srv.On("emit-binary", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("bin", []byte{1, 2, 3}, map[string][]byte{"a": {4}})
	})
	roomEvents(srv)

	custom := srv.Of("/custom")
	custom.OnConnection(greet)
	custom.On("message", messageBack)
	custom.On("id", id)
	custom.On("disconnect-me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(false)
		return nil
	})
	srv.Of("/auth-fail").Use(func(context.Context, *socketio.Socket) error {
		return &socketio.PublicError{Message: "not authorized", Data: struct {
			Code    int    `json:"code"`
			Content string `json:"content"`
		}{401, "please retry"}}
	})
	srv.Of("/auth-fail-nodata").Use(func(context.Context, *socketio.Socket) error { return errors.New("nope") })
	slow := srv.Of("/auth-slow")
	slow.Use(func(ctx context.Context, _ *socketio.Socket) error {
		select {
		case <-time.After(100 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	slow.OnConnection(greet)
	slow.On("message", messageBack)
	srv.OfPattern(regexp.MustCompile(`^/dyn-\d+$`)).OnConnection(greet)
	return srv
}

func timeoutText(err error) any {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, socketio.ErrAckTimeout):
		return "operation has timed out"
	}
	return err.Error()
}

// roomEvents are the fixture's feature "rooms".
func roomEvents(srv *socketio.Server) {
	text := func(ev *socketio.Event) (string, sioparser.Args) {
		var s string
		if err := ev.Bind(&s); err != nil || ev.Len() == 0 {
			return "", sioparser.Args{}
		}
		return s, ev.Args().Slice(1, ev.Len())
	}
	room := func(send func(s *socketio.Socket, room, event string, args sioparser.Args) error) socketio.Handler {
		return func(_ context.Context, ev *socketio.Event) error {
			var room, event string
			if err := ev.Bind(&room, &event); err != nil {
				return err
			}
			return send(ev.Socket(), room, event, ev.Args().Slice(2, ev.Len()))
		}
	}
	srv.On("join", func(_ context.Context, ev *socketio.Event) error {
		name, _ := text(ev)
		if err := ev.Socket().Join(name); err != nil {
			return err
		}
		return ev.Ack(len(ev.Socket().Rooms()))
	})
	srv.On("leave", func(_ context.Context, ev *socketio.Event) error {
		name, _ := text(ev)
		ev.Socket().Leave(name)
		return ev.Ack(len(ev.Socket().Rooms()))
	})
	srv.On("to", room(func(s *socketio.Socket, room, event string, args sioparser.Args) error {
		return s.To(room).Emit(event, args)
	}))
	srv.On("in", room(func(s *socketio.Socket, room, event string, args sioparser.Args) error {
		return s.Namespace().In(room).Emit(event, args)
	}))
	srv.On("except", room(func(s *socketio.Socket, room, event string, args sioparser.Args) error {
		return s.Namespace().Except(room).Emit(event, args)
	}))
	srv.On("broadcast", func(_ context.Context, ev *socketio.Event) error {
		event, args := text(ev)
		return ev.Socket().Broadcast().Emit(event, args)
	})
	srv.On("all", func(_ context.Context, ev *socketio.Event) error {
		event, args := text(ev)
		return srv.Emit(event, args)
	})
	srv.On("broadcast-ack", func(ctx context.Context, ev *socketio.Event) error {
		var ms int
		if err := ev.Bind(&ms); err != nil {
			return err
		}
		replies := []sioparser.RawArg{}
		var failure error
		for r, err := range srv.Timeout(time.Duration(ms)*time.Millisecond).EmitWithAck(ctx, "need-ack") {
			if err != nil {
				failure = err
				continue
			}
			var value sioparser.RawArg
			if err := r.Value.Bind(&value); err != nil {
				return err
			}
			replies = append(replies, value)
		}
		return ev.Ack(timeoutText(failure), replies)
	})
}
