package client_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
)

const opening = `{"sid":"a","upgrades":["b"],"pingInterval":25000,"pingTimeout":20000}`

// toLink is a transport that leads to one link.
type toLink struct {
	name string
	link client.Link
}

func (t toLink) Name() string { return t.name }

func (t toLink) Dial(context.Context, client.Target) (client.Link, error) { return t.link, nil }

// slowUpgrade is a link on which the upgrade packet takes its time.
type slowUpgrade struct {
	*scriptedLink
	takes time.Duration
}

func (l slowUpgrade) Send(packets []eioparser.Packet) error {
	if packets[0].Type == eioparser.Upgrade {
		defer func() { <-time.After(l.takes) }()
	}
	return l.scriptedLink.Send(packets)
}

// TestUpgradeTimeoutBehindTheUpgrade: the time is over when the server has been told
// that the session has moved. The link that carries it stays.
func TestUpgradeTimeoutBehindTheUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := newScriptedLink(), newScriptedLink()
		old.packets <- eioparser.Packet{Type: eioparser.Open, Data: []byte(opening)}
		next.packets <- eioparser.Packet{Type: eioparser.Pong, Data: []byte("probe")}
		old.leave = func(context.Context) error {
			old.fails <- client.ErrLeft
			return nil
		}
		r := newRecorder()
		s, err := client.Dial(t.Context(), "http://x", r, client.Config{
			Transports:     []client.Transport{toLink{"a", old}, toLink{"b", slowUpgrade{next, 2 * time.Second}}},
			UpgradeTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		if u := <-r.upgrades; u.err != nil || s.Transport() != "b" {
			t.Errorf("%+v", u)
		}
		synctest.Wait()
		if s.State() != engineio.Open {
			t.Errorf("%v: %+v", s.State(), <-r.closes)
		}
		s.Discard()
		<-s.Done()
		<-next.closed
	})
}

// TestOldLinkIsReadToItsEnd: what the server sent over it before it heard of the move
// arrives, though the time for the upgrade is over.
func TestOldLinkIsReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := newScriptedLink(), newScriptedLink()
		old.packets <- eioparser.Packet{Type: eioparser.Open, Data: []byte(opening)}
		next.packets <- eioparser.Packet{Type: eioparser.Pong, Data: []byte("probe")}
		old.leave = func(context.Context) error { return nil }
		r := newRecorder()
		s, err := client.Dial(t.Context(), "http://x", r, client.Config{
			Transports:     []client.Transport{toLink{"a", old}, toLink{"b", slowUpgrade{next, 900 * time.Millisecond}}},
			UpgradeTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(1500 * time.Millisecond)
		old.packets <- eioparser.Packet{Type: eioparser.Message, Data: []byte("last")}
		synctest.Wait()
		select {
		case m := <-r.messages:
			if string(m.Data) != "last" {
				t.Errorf("%q", m.Data)
			}
		default:
			t.Error("lost")
		}
		s.Discard()
		<-s.Done()
	})
}

// TestLateSilence: the timer for the server's silence had fired when its ping was
// handled. The session goes on, until the next ping is due.
func TestLateSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := newScriptedLink()
		link.packets <- eioparser.Packet{Type: eioparser.Open, Data: []byte(opening)}
		r := newRecorder()
		s, err := client.Dial(t.Context(), "http://x", r, client.Config{Transports: []client.Transport{toLink{"a", link}}})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(45*time.Second - 1)
		link.packets <- eioparser.Packet{Type: eioparser.Ping}
		<-r.pings
		s.Silent()
		if s.State() != engineio.Open {
			t.Errorf("%+v", <-r.closes)
		}
		from := time.Now()
		<-s.Done()
		if d := time.Since(from); d != 45*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}
