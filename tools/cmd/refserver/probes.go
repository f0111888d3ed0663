package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

const (
	questionTimeout = 1500 * time.Millisecond
	keptReasons     = 1000
)

// probes is what the events x:… have seen. It is shared by all Socket.IO
// servers of the process.
type probes struct {
	answers atomic.Int64

	mu      sync.Mutex
	marks   []sioparser.Args
	reasons [][2]string // socket id, disconnect reason
}

func (p *probes) handle(io *socketio.Server) {
	io.On("x:stat", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(statistics(io)) })
	io.On("x:mark", func(_ context.Context, ev *socketio.Event) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.marks = append(p.marks, first(ev.Args()).Clone())
		return nil
	})
	io.On("x:marks", func(_ context.Context, ev *socketio.Event) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		marks, err := array(p.marks)
		if err != nil {
			return err
		}
		p.marks = nil
		return ev.Ack(marks)
	})
	io.On("x:ask", func(ctx context.Context, ev *socketio.Event) error {
		ack, err := ev.Socket().Timeout(questionTimeout).EmitWithAck(ctx, "x:question", 7)
		if errors.Is(err, socketio.ErrAckTimeout) {
			return ev.Ack("timeout")
		}
		if err != nil {
			return err
		}
		p.answers.Add(1)
		return ev.Ack(ack.Args())
	})
	io.On("x:answers", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(p.answers.Load()) })
	io.On("x:bye", func(_ context.Context, ev *socketio.Event) error {
		s := ev.Socket()
		s.Disconnect(true)
		if err := s.Emit("x:late"); !errors.Is(err, socketio.ErrDisconnected) {
			return errors.Join(errors.New("emitted after the disconnect"), err)
		}
		if err := s.Join("late"); err == nil {
			return errors.New("joined after the disconnect")
		}
		return nil
	})
	io.On("x:flood", func(_ context.Context, ev *socketio.Event) error {
		var n, size int
		if err := ev.Bind(&n, &size); err != nil {
			return err
		}
		text := strings.Repeat("a", max(size, 0))
		return repeat(ev, func(i int) error { return ev.Socket().Emit("x:data", i, text) })
	})
	io.On("x:join", func(_ context.Context, ev *socketio.Event) error {
		return repeat(ev, func(i int) error { return ev.Socket().Join("r" + strconv.Itoa(i)) })
	})
	io.On("x:broadcast", func(_ context.Context, ev *socketio.Event) error {
		return repeat(ev, func(i int) error { return io.Emit("x:b", i) })
	})
	io.On("x:volatile", func(_ context.Context, ev *socketio.Event) error {
		return repeat(ev, func(i int) error { return ev.Socket().Volatile().Emit("x:v", i) })
	})
	io.On("x:boom", func(context.Context, *socketio.Event) error { panic("x:boom") })
	io.On("x:reasons", func(_ context.Context, ev *socketio.Event) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		reasons := append([][2]string{}, p.reasons...)
		p.reasons = nil
		return ev.Ack(reasons)
	})
}

// watch remembers why the sockets of n leave.
func (p *probes) watch(n *socketio.Namespace) {
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, why *socketio.DisconnectError) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reasons = append(p.reasons, [2]string{s.ID(), string(why.Reason)})
		if len(p.reasons) > keptReasons {
			p.reasons = p.reasons[1:]
		}
	})
}

// statistics counts what lives: engine sessions, sockets and rooms of /, and
// namespaces.
func statistics(io *socketio.Server) map[string]int {
	rooms, namespaces := 0, 0
	if index, ok := io.Adapter().(adapter.Index); ok {
		for range index.Rooms() {
			rooms++
		}
	}
	for range io.Namespaces() {
		namespaces++
	}
	return map[string]int{"clients": io.Engine().Len(), "sockets": io.Len(), "rooms": rooms, "namespaces": namespaces}
}
