package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

// A server that sends what is no packet is left; the client comes back and is
// none the worse.
func TestIllegalPackets(t *testing.T) {
	for _, packet := range []string{
		"", "7", "x", `2`, `2{}`, `2[]`, `2["x"`, `2[1e400,]`, `2["connect"]`, `2["disconnect",1]`,
		`3{}`, `0[]`, `1{}`, `51-["x",{"_placeholder":true,"num":1}]`, `52-["x"]extra`, `5-["x"]`, `511-["x"]`,
		`2/` + strings.Repeat("n", 600) + `,["x"]`, `2["x",` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `]`,
		`21e9["x"]`, `299999999999999999999["x"]`, `2["x"]]`,
	} {
		t.Run(strings.ToValidUTF8(packet[:min(len(packet), 30)], ""), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sc := newScript(t, nil)
				c := sc.net.Connect(overWebSocket(client.Config{}))
				var d diary
				d.follow(c.Socket)
				var why error
				c.OnDisconnect(func(_ context.Context, e *client.DisconnectError) { why = e.Err })
				say(sc.session(), packet)
				<-time.After(2 * time.Second)
				d.expect(t, "disconnect: parse error", "connect")
				var parse *sioparser.Error
				if !errors.As(why, &parse) {
					t.Errorf("%v", why)
				}
			})
		})
	}
}

// What is legal but has no place is ignored.
func TestPacketsOutOfPlace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		var d diary
		d.follow(c.Socket)
		d.record(c.Socket, "x")
		c.Of("/made").On("x", func(context.Context, *client.Event) error {
			d.add("an event of a namespace that was not joined")
			return nil
		})
		say(sc.session(),
			`2/never,["x"]`, `3/never,1[]`, `1/never,`, `4/never,{"message":"no"}`, `0/never,{"sid":"1"}`,
			`2/made,["x"]`, `1/made,`, `4/made,{"message":"no"}`, `0/made,{"sid":"1"}`,
			`0{"sid":"another"}`, `4{"message":"too late"}`, `37["nobody"]`, `2["x"]`)
		d.expect(t, "x ")
		if !c.Connected() || c.ID() != "id" {
			t.Error(c.Connected(), c.ID())
		}
		sc.expect("0")
	})
}

// More attachments, or larger ones, than the limits.
func TestHugeAttachments(t *testing.T) {
	for name, x := range map[string]struct {
		limits sioparser.Limits
		send   func(s *engineio.Session)
	}{
		"number": {sioparser.Limits{}, func(s *engineio.Session) { say(s, `511-["x"]`) }},
		"bytes": {sioparser.Limits{AttachmentBytes: 1000}, func(s *engineio.Session) {
			say(s, `52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
			_ = s.Send(engineio.Binary(make([]byte, 600)), engineio.Binary(make([]byte, 600)))
		}},
		"unexpected": {sioparser.Limits{}, func(s *engineio.Session) { _ = s.Send(engineio.Binary([]byte{1})) }},
		"missing": {sioparser.Limits{}, func(s *engineio.Session) {
			say(s, `51-["x",{"_placeholder":true,"num":0}]`, `2["x"]`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sc := newScript(t, nil)
				c := sc.net.Connect(overWebSocket(client.Config{Limits: x.limits}))
				var d diary
				d.follow(c.Socket)
				d.record(c.Socket, "x")
				x.send(sc.session())
				<-time.After(2 * time.Second)
				d.expect(t, "disconnect: parse error", "connect")
			})
		})
	}
}

// A server that sends faster than handlers work does not fill the memory.
func TestFlood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{Inbox: 10_000}))
		release := make(chan struct{})
		var d diary
		c.OnDisconnect(func(_ context.Context, why *client.DisconnectError) {
			d.add("%s %v", why.Reason, errors.Is(why, socketio.ErrInboxFull))
		})
		handled := 0
		c.On("x", func(context.Context, *client.Event) error {
			<-release
			handled++
			return nil
		})
		event := `2["x","` + strings.Repeat("x", 741) + `"]` // a thousand bytes each, as they are counted
		for range 100 {
			say(sc.session(), event)
		}
		synctest.Wait()
		close(release)
		<-time.After(2 * time.Second)
		d.expect(t, "transport error true")
		if handled != 10 || !c.Connected() {
			t.Error(handled, "events were handled; connected:", c.Connected())
		}
		handled = 0
		for range 100 { // one after the other they are no flood
			say(sc.session(), event)
			synctest.Wait()
		}
		if handled != 100 {
			t.Error(handled, "events were handled")
		}
	})
}

// Events before the answer to CONNECT wait for it, within the same bounds, and
// are forgotten if it is a refusal.
func TestEventsBeforeConnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		attempt := 0
		sc := newScript(t, func(s *engineio.Session, text string) {
			if text != "0" {
				return
			}
			attempt++
			switch say(s, `2["x",1]`, `20["x",2]`); attempt {
			case 1:
				say(s, `4{"message":"no"}`)
			case 2:
				s.Discard()
			case 3:
				for range 20 {
					say(s, `2["x","`+strings.Repeat("x", 934)+`"]`)
				}
			default:
				say(s, connected("/", "id"))
			}
		})
		c := sc.net.Client(overWebSocket(client.Config{Inbox: 10_000}))
		var d diary
		d.record(c.Socket, "x")
		c.OnConnect(func(context.Context) { d.add("connect") })
		if err := c.Connect(t.Context()); err == nil {
			t.Error("not refused")
		}
		if err := c.Connect(t.Context()); err != nil {
			t.Error(err)
		}
		d.expect(t, "x 1", "x 2", "connect")
		if attempt != 4 {
			t.Error(attempt, "attempts")
		}
	})
}

// Whatever state a namespace is in, a DISCONNECT of the server's ends it.
func TestDisconnectInsteadOfConnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, func(s *engineio.Session, text string) {
			if text == "0" {
				say(s, "1", "1", connected("/", "too late"))
			}
		})
		c := sc.net.Client(overWebSocket(client.Config{}))
		var why *client.DisconnectError
		if err := c.Connect(t.Context()); !errors.As(err, &why) || why.Reason != client.ServerDisconnect || c.Active() {
			t.Error(err)
		}
	})
}

// Acknowledgements that a server asks for and does not read are bounded too.
func TestAcksForADeafServer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		config := overWebSocket(client.Config{Buffer: 10_000, Inbox: 10_000})
		config.Engine.Outbox = 10_000
		c := sc.net.Connect(config)
		var d diary
		d.follow(c.Socket)
		padding := strings.Repeat("x", 1000)
		acked := 0
		c.On("x", func(_ context.Context, ev *client.Event) error {
			err := ev.Ack(padding)
			if err == nil {
				acked++
			} else if !errors.Is(err, socketio.ErrDisconnected) && !errors.Is(err, engineio.ErrClosed) {
				var ended *engineio.DisconnectError
				if !errors.As(err, &ended) {
					t.Errorf("%v", err)
				}
			}
			return nil
		})
		sc.receive = func(*engineio.Session, string) {}
		c.StallUp(true)
		for i := range 1000 {
			say(sc.session(), fmt.Sprintf(`2%d["x"]`, i))
			synctest.Wait()
		}
		d.expect(t, "disconnect: transport error")
		if acked > 500 {
			t.Error(acked, "acknowledgements were kept")
		}
		c.StallUp(false)
	})
}
