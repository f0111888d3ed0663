package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

// Each way in which a connection ends has its reason, and its consequence.
func TestReasons(t *testing.T) {
	type end = func(t *testing.T, c *client.Client, cut, stall func())
	emit := func(event string) end {
		return func(t *testing.T, c *client.Client, _, _ func()) {
			if err := c.Emit(t.Context(), event); err != nil {
				t.Error(err)
			}
		}
	}
	for name, x := range map[string]struct {
		end    end
		want   []string
		active bool
	}{
		"cut":            {func(_ *testing.T, _ *client.Client, cut, _ func()) { cut() }, []string{"disconnect: transport close", "connect"}, true},
		"silence":        {func(_ *testing.T, _ *client.Client, _, stall func()) { stall() }, []string{"disconnect: ping timeout", "connect"}, true},
		"server leaves":  {emit("leave me"), []string{"disconnect: io server disconnect"}, false},
		"server closes":  {emit("close me"), []string{"disconnect: io server disconnect"}, false},
		"server refuses": {emit("discard me"), []string{"disconnect: transport close", "connect"}, true},
		"client leaves":  {func(_ *testing.T, c *client.Client, _, _ func()) { c.Disconnect() }, []string{"disconnect: io client disconnect"}, false},
		"client closes":  {func(_ *testing.T, c *client.Client, _, _ func()) { _ = c.Close() }, []string{"disconnect: io client disconnect"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				io := newServer(t, socketio.Config{})
				io.On("discard me", func(_ context.Context, ev *socketio.Event) error {
					ev.Socket().Session().Discard()
					return nil
				})
				c := io.Connect(overWebSocket(client.Config{}))
				var d diary
				d.follow(c.Socket)
				x.end(t, c.Client, c.Cut, func() { c.Stall(true); time.AfterFunc(time.Minute, func() { c.Stall(false) }) })
				<-time.After(2 * time.Minute)
				d.expect(t, x.want...)
				if c.Active() != x.active || c.Connected() != x.active {
					t.Error("active:", c.Active(), "connected:", c.Connected())
				}
			})
		})
	}
}

func TestReconnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		var d diary
		stamps(c.Client, &d)
		ids := []string{c.ID()}
		for range 10 {
			again := make(chan struct{})
			stop := c.OnConnect(func(context.Context) { close(again) })
			c.Cut()
			<-again
			stop()
			if slices.Contains(ids, c.ID()) {
				t.Error("an old id")
			}
			ids = append(ids, c.ID())
			ack, err := c.EmitWithAck(t.Context(), "echo", "back")
			if err != nil || string(ack.Args().Raw()) != `"back"` {
				t.Fatal(ack, err)
			}
		}
		var want []string
		for i := range 10 {
			at := time.Duration(i+1) * time.Second
			want = append(want, "attempt 1 at "+at.String(), "reconnected by 1 at "+at.String())
		}
		d.expect(t, want...)
	})
}

// What is emitted while there is no connection is sent afterwards, in order, and
// before what is emitted then.
func TestBufferedEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(overWebSocket(client.Config{}))
		var d diary
		d.record(c.Socket, "echo")
		emit := func(args ...any) {
			if err := c.Emit(t.Context(), "echo", args...); err != nil {
				t.Error(err)
			}
		}
		emit(1)
		emit(2, []byte("binary"))
		if err := c.Volatile().Emit(t.Context(), "echo", "volatile"); err != nil {
			t.Error(err)
		}
		c.OnConnect(func(context.Context) { emit("connected") })
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "echo 1", `echo 2,{"_placeholder":true,"num":0}`, `echo "connected"`)
		c.Cut()
		synctest.Wait()
		emit(3)
		emit(4)
		<-time.After(time.Minute)
		d.expect(t, "echo 3", "echo 4", `echo "connected"`)
		c.Disconnect()
		emit(5)
		<-time.After(time.Minute)
		d.expect(t)
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "echo 5", `echo "connected"`)
	})
}

func TestRecovery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{Recovery: &socketio.Recovery{}})
		io.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Join("room") })
		c := io.Connect(overWebSocket(client.Config{Auth: client.Static(map[string]string{"token": "t"})}))
		var d diary
		d.follow(c.Socket)
		c.On("news", func(_ context.Context, ev *client.Event) error {
			var n int
			err := ev.Bind(&n)
			d.add("news %d", n)
			return err
		})
		id := c.ID()
		news := func(n int) {
			if err := io.To("room").Emit("news", n); err != nil {
				t.Error(err)
			}
		}
		news(1)
		d.expect(t, "news 1")
		c.Unreachable(true)
		c.Cut()
		<-time.After(time.Minute)
		news(2)
		news(3)
		c.Unreachable(false)
		<-time.After(time.Minute)
		synctest.Wait()
		if !c.Recovered() || c.ID() != id {
			t.Error("not recovered:", c.Recovered(), c.ID(), id)
		}
		news(4)
		synctest.Wait()
		d.mu.Lock()
		got := slices.DeleteFunc(d.lines, func(line string) bool { return line[:4] != "news" })
		d.lines = got
		d.mu.Unlock()
		d.expect(t, "news 2", "news 3", "news 4")

		c.Unreachable(true)
		c.Cut()
		<-time.After(3 * time.Minute)
		c.Unreachable(false)
		<-time.After(time.Minute)
		if c.Recovered() || c.ID() == id || !c.Connected() {
			t.Error("recovered after three minutes")
		}
		c.Disconnect()
		if err := c.Connect(t.Context()); err != nil || c.Recovered() {
			t.Error("recovered after it left on purpose", err)
		}
	})
}

// What Auth returns goes beside what recovery needs, and wins.
func TestRecoveryOnTheWire(t *testing.T) {
	for want, auth := range map[string]any{
		`0{"pid":"P","offset":"o\"3"}`:           nil,
		`0{"pid":"P","offset":"o\"3","token":1}`: map[string]int{"token": 1},
		`0{"pid":"P","offset":"o\"3","pid":"Q"}`: map[string]string{"pid": "Q"},
	} {
		bubble(t, func(t *testing.T) {
			sc := newScript(t, func(s *engineio.Session, text string) {
				if text[0] == '0' {
					say(s, `0{"sid":"id","pid":"P"}`, `2["e","o1"]`, `2["e",2]`, `2["e",{},"o\"3"]`, `2["e"]`)
				}
			})
			c := sc.net.Connect(overWebSocket(client.Config{Auth: client.Static(auth)}))
			synctest.Wait()
			if c.Recovered() {
				t.Error("recovered at first")
			}
			sc.forget()
			c.Cut()
			<-time.After(2 * time.Second)
			sc.expect(want)
			if !c.Recovered() {
				t.Error("not recovered")
			}
		})
	}
}

func TestSeveralNamespaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		for _, name := range []string{"/a", "/b"} {
			io.Of(name).On("name", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(name) })
		}
		c := io.Client(overWebSocket(client.Config{}))
		a, b := c.Of("/a"), c.Of("b")
		if c.Of("/") != c.Socket || c.Of("") != c.Socket || c.Of("/b") != b || b.Namespace() != "/b" {
			t.Error("not the same socket")
		}
		name := func(s *client.Socket) string {
			var name string
			ack, err := s.EmitWithAck(t.Context(), "name")
			if err != nil || ack.Bind(&name) != nil {
				t.Error(err)
			}
			return name
		}
		for _, s := range []*client.Socket{a, b} {
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if c.Connected() || name(a) != "/a" || name(b) != "/b" || io.Engine().Len() != 1 || a.ID() == b.ID() {
			t.Error("not two namespaces over one connection")
		}
		c.Cut()
		<-time.After(2 * time.Second)
		if name(a) != "/a" || name(b) != "/b" || io.Engine().Len() != 1 {
			t.Error("they have not come back")
		}
		a.Disconnect()
		synctest.Wait()
		if a.Connected() || name(b) != "/b" || io.Engine().Len() != 1 {
			t.Error("one has ended the other")
		}
		b.Disconnect()
		<-time.After(time.Second)
		if io.Engine().Len() != 0 {
			t.Error("the connection is left")
		}
	})
}

// Leaving and joining again, faster than the server answers, ends joined.
func TestDisconnectAndOpen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, func(*engineio.Session, string) {})
		c := sc.net.Client(overWebSocket(client.Config{}))
		if err := c.Open(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		other := c.Of("/other")
		open := func() {
			if err := other.Open(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		open()
		other.Disconnect()
		open()
		sc.expect("0", "0/other,") // one answer is enough
		say(sc.session(), connected("/", "1"), connected("/other", "2"))
		synctest.Wait()
		if other.ID() != "2" {
			t.Error("not joined")
		}
		other.Disconnect()
		open()
		sc.expect("1/other,", "0/other,")
		other.Disconnect()
		say(sc.session(), connected("/other", "3"))
		synctest.Wait()
		sc.expect("1/other,") // it was not wanted any more
		if other.Connected() || other.Active() {
			t.Error("joined against its will")
		}
		c.Disconnect() // the last one: the connection ends
		open()         // and is made again
		<-time.After(time.Second)
		sc.expect("1", "0/other,")
	})
}

func TestErrorsAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(quiet(client.Config{}))
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		_, asked := c.EmitWithAck(t.Context(), "echo")
		for what, err := range map[string]error{
			"Open": c.Open(), "Connect": c.Connect(t.Context()), "Emit": c.Emit(t.Context(), "echo"), "EmitWithAck": asked,
			"Connect of another": c.Of("/new").Connect(t.Context()),
		} {
			if !errors.Is(err, client.ErrClosed) {
				t.Error(what, err)
			}
		}
		c.Disconnect()
		if err := c.Close(); err != nil {
			t.Error("twice:", err)
		}
	})
}
