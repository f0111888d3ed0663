package chapters

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// probed opens a polling session, attaches a WebSocket and exchanges the probe.
func probed(t *probe.T, path string) (*probe.Polling, *probe.Socket) {
	p := t.Polling(path)
	s := p.Attach()
	s.Send("2probe")
	s.Expect("3probe")
	return p, s
}

// upgraded takes a session over to WebSocket with no poll pending.
func upgraded(t *probe.T, path string) (*probe.Polling, *probe.Socket) {
	p, s := probed(t, path)
	s.Send("5")
	p.Forget()
	s.Alive()
	return p, s
}

// abandons sends a text on a WebSocket that is being probed: the WebSocket must
// close, and polling go on.
func abandons(afterProbe bool, text string) func(*probe.T) {
	return func(t *probe.T) {
		p := t.Polling(unhurried(t))
		s := p.Attach()
		if afterProbe {
			s.Send("2probe")
			s.Expect("3probe")
		}
		s.Send(text)
		s.Closed()
		p.Send("4y")
		p.ExpectAfterNoops("4y")
	}
}

// unhurried is the echo path for upgrades where the case is about anything but
// time: neither a heartbeat nor a short upgrade timeout comes in between.
func unhurried(t *probe.T) string {
	if t.Has(string(spec.FeatOptions)) {
		return "/eio-gzip/"
	}
	return "/engine.io/"
}

func upgrade() []spec.Case {
	c := &chapter{
		prefix: "E-UP", source: engineDoc + "Upgrade",
		profiles: []spec.Profile{spec.Upgrade}, needs: []spec.Feature{spec.FeatUpgrade, spec.FeatEcho},
	}
	upgradeProbe(c)
	upgradeAbandoned(c)
	upgradeDone(c)
	upgradeRefused(c)
	return c.cases
}

// upgradeProbe: the exchange of probe and noop.
func upgradeProbe(c *chapter) {
	c.must("01", "the probe", "A ping with the payload probe is answered with a pong with the same payload.",
		func(t *probe.T) { probed(t, unhurried(t)) }, official)
	c.must("02", "nothing before the probe", "The server sends nothing on the new WebSocket before the probe, not even an open packet.",
		func(t *probe.T) {
			p := t.Polling(unhurried(t))
			s := p.Attach()
			s.SilentFor(min(t.Quiet, p.PingTimeout/2)) // nobody polls for a ping, which may have come at once
			s.Send("2probe")
			s.Expect("3probe")
		})
	c.must("03", "the pending poll is released", "After the probe a pending poll is answered with a noop soon.",
		func(t *probe.T) {
			p := t.Polling(unhurried(t))
			poll := p.Poll()
			arrived(t)
			s := p.Attach()
			s.Send("2probe")
			s.Expect("3probe")
			at := time.Now()
			poll.Answer().Is(200, "6")
			t.Check(time.Since(at) < 150*time.Millisecond+t.Slack, "it took %v", time.Since(at))
		})
	c.must("27", "a poll after the probe", "A poll that begins after the probe is answered with a noop too.",
		func(t *probe.T) {
			p, _ := probed(t, unhurried(t))
			p.Get().Is(200, "6")
		}, official)
	c.ref("04", "polls while the probe lasts", "Every poll during the probe is answered with a noop.",
		func(t *probe.T) {
			p, _ := probed(t, unhurried(t))
			p.Get().Is(200, "6")
			p.Get().Is(200, "6")
		})
	c.ref("28", "messages during the probe", "Until the upgrade is complete, messages go over polling both ways.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			p.Send("4x")
			p.ExpectAfterNoops("4x")
			s.Silent()
		})
	c.ref("37", "no noop on the WebSocket", "A noop answers polls only: on the new WebSocket comes nothing but the answer to the probe and the messages.",
		func(t *probe.T) {
			p := t.Polling(unhurried(t))
			s := p.AttachStrictly()
			s.Send("2probe")
			s.Expect("3probe")
			s.Send("5")
			p.Forget()
			s.Alive()
			s.Silent()
		})
	c.quirk("05", "an upgrade packet without a probe", "The session is taken over without a probe.",
		func(t *probe.T) {
			p := t.Polling(unhurried(t))
			s := p.Attach()
			s.Send("5", "4x")
			s.Expect("4x")
			p.Get().Refused()
			p.Forget()
		})
}

// upgradeAbandoned: attempts that must fail and leave the session as it was.
func upgradeAbandoned(c *chapter) {
	c.ref("06", "a message before the probe", "Anything but the probe closes the new WebSocket; polling goes on.", abandons(false, "4x"))
	c.ref("07", "a ping without a payload", "A ping that is no probe closes the new WebSocket; polling goes on.", abandons(false, "2"))
	c.ref("08", "a ping with another payload", "A ping with another payload is no probe.", abandons(false, "2hello"))
	c.ref("09", "a message between probe and upgrade", "A message before the upgrade packet closes the new WebSocket; polling goes on.", abandons(true, "4x"))
	c.ref("16", "no upgrade packet in time", "A WebSocket that does not complete the upgrade in time is closed; polling goes on.",
		func(t *probe.T) {
			p, s := probed(t, "/eio-slow/") // upgradeTimeout 300 ms
			s.EndedWithin(300*time.Millisecond + t.Slack)
			p.Send("4y")
			p.ExpectAfterNoops("4y")
		}, needs(spec.FeatLongPing))
	c.ref("29", "no probe in time", "A WebSocket on which nothing is ever sent is closed; polling goes on.",
		func(t *probe.T) {
			p := t.Polling("/eio-slow/")
			p.Attach().EndedWithin(300*time.Millisecond + t.Slack)
			p.Alive()
		}, needs(spec.FeatLongPing))
	c.ref("17", "the client drops the WebSocket", "Polling goes on after an upgrade that broke off, and another may be tried.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			s.Hang()
			arrived(t)
			p.Send("4y")
			p.ExpectAfterNoops("4y")
			// The server may notice the end of the first attempt a little later.
			retry := time.Now().Add(t.Patience)
			for {
				again, refusal := p.TryAttach()
				if refusal == nil {
					again.Send("2probe")
					if f := again.Take(t.Quiet); f != nil {
						t.Match("answer to the probe", "3probe", f.Text)
						return
					}
				}
				t.Check(time.Now().Before(retry), "no second attempt is accepted")
			}
		})
	c.ref("30", "the client closes the WebSocket with a close frame", "Polling goes on after an upgrade that the client called off.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			s.CloseWith(1000)
			s.Ended()
			p.Send("4y")
			p.ExpectAfterNoops("4y")
		})
	c.ref("21", "close over polling during the probe", "A session that is closed over polling takes the WebSocket along.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			p.Send("1")
			s.Closed()
			p.Gone()
		})
	c.ref("31", "frames that are too large during the probe", "The limit holds for a WebSocket that is being probed; polling goes on.",
		func(t *probe.T) {
			p := t.Polling("/eio-small/")
			s := p.Attach()
			s.Send("2" + strings.Repeat("p", 200))
			s.Ended()
			p.Send("4y")
			p.ExpectAfterNoops("4y")
		}, needs(spec.FeatLimits))
}

// upgradeDone: the session after the upgrade.
func upgradeDone(c *chapter) {
	c.must("10", "a complete upgrade", "After the upgrade packet messages go over the WebSocket; what was still to be sent comes there.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			p.Send("4buffered")
			s.Send("5")
			s.Expect("4buffered")
			p.Forget()
			s.Alive()
		}, official)
	c.must("32", "order across the upgrade", "Messages sent over polling before and over the WebSocket after the upgrade come back in their order, each once.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			for i := range 10 {
				p.Send(fmt.Sprintf("4p%d", i))
			}
			s.Send("5")
			p.Forget()
			for i := range 10 {
				s.Send(fmt.Sprintf("4w%d", i))
			}
			for _, kind := range []string{"p", "w"} {
				for i := range 10 {
					s.Expect(fmt.Sprintf("4%s%d", kind, i))
				}
			}
			s.Alive()
		})
	c.must("33", "an upgrade as the official clients do it", "With a poll pending all the time the upgrade completes and nothing is lost.",
		func(t *probe.T) {
			s := t.Polling("/engine.io/").Upgrade()
			s.Send("4hello")
			s.Expect("4hello")
			s.Alive()
		})
	c.ref("11", "upgrade while a poll is pending", "A poll that is still pending when the upgrade packet comes is released.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			poll := p.Poll()
			t.Wait(t.Quiet / 10)
			s.Send("5")
			p.Forget()
			a := poll.Answer()
			if a.Response.Status == 400 {
				t.Unclear("the poll came after the upgrade packet")
			}
			body := string(a.Status(200).Body)
			t.Check(body == "6" || body == "1", "the poll was answered with %q", body)
			s.Send("4z")
			s.Expect("4z")
		})
	c.must("12", "a poll after the upgrade", "A poll of a session that has moved to WebSocket is refused with status 400.",
		func(t *probe.T) {
			p, s := upgraded(t, unhurried(t))
			p.Get().Refused()
			s.Alive()
		}, official)
	c.must("13", "a POST after the upgrade", "A POST of a session that has moved to WebSocket is refused with status 400, and delivers nothing.",
		func(t *probe.T) {
			p, s := upgraded(t, unhurried(t))
			p.Post("4x").Refused()
			s.Alive()
		})
	c.must("14", "a second WebSocket after the upgrade", "A further WebSocket for an upgraded session is closed; the session goes on.",
		func(t *probe.T) {
			p, s := upgraded(t, unhurried(t))
			if second, refusal := p.TryAttach(); refusal == nil {
				second.Ended()
			}
			s.Send("4x")
			s.Expect("4x")
		}, official)
	c.quirk("15", "a second WebSocket during the probe", "The second is closed; the first goes on.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			p.Attach().Closed(1005)
			s.Send("5", "4x")
			s.Expect("4x")
			p.Forget()
		})
	c.must("34", "two WebSockets during the probe", "A second attempt to upgrade does not harm the first.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			if second, refusal := p.TryAttach(); refusal == nil {
				second.Send("2probe")
			}
			s.Send("5", "4x")
			s.Expect("4x")
			p.Forget()
		})
	c.must("23", "binary after the upgrade", "Binary messages of an upgraded session are binary frames.",
		func(t *probe.T) {
			_, s := upgraded(t, unhurried(t))
			s.SendBinary(1, 2)
			s.Expect(probe.Bin(1, 2))
		})
	c.quirk("22", "a close packet after the upgrade", "It changes nothing by itself.",
		func(t *probe.T) {
			_, s := upgraded(t, "/engine.io/")
			s.Send("1")
			s.Silent()
		})
	c.quirk("24", "a POST in flight during the upgrade", "A POST whose body ends after the upgrade is delivered or refused, in one piece.",
		func(t *probe.T) {
			p, s := probed(t, unhurried(t))
			conn := t.Dial()
			whole := probe.PostRequest(t.Target(p.URL), "4flight").Bytes(t.Server().Addr)
			conn.WriteRaw(whole[:len(whole)-3])
			arrived(t)
			s.Send("5")
			p.Forget()
			conn.WriteRaw(whole[len(whole)-3:])
			resp, err := conn.ReadResponse(deadline(t), "POST")
			t.Check(!errors.Is(err, wire.ErrNoAnswer), "the POST hangs")
			if err == nil && resp.Status == 200 {
				s.Expect("4flight")
			}
			s.Alive()
		})
	c.ref("25", "heartbeat across the upgrade", "The upgrade does not put off the next ping.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			s := p.Attach()
			s.Deafen()
			s.Send("2probe")
			s.Expect("3probe")
			s.Send("5")
			p.Forget()
			f := s.Next()
			probe.Equal(t, "the ping", "2", f.Text)
			t.Between("the first ping", p.PingInterval, p.Asked, p.Opened, f.At)
		})
	c.must("35", "heartbeat after the upgrade", "An upgraded client that answers no ping is closed.",
		func(t *probe.T) {
			_, s := upgraded(t, "/engine.io/")
			s.Deafen()
			s.TakePing(s.PingInterval + t.Slack)
			s.EndedWithin(s.Heartbeat() + t.Slack)
		})
	c.must("36", "an upgraded client that answers stays", "An upgraded client that answers every ping stays connected.",
		func(t *probe.T) {
			_, s := upgraded(t, "/engine.io/")
			s.SilentFor(2 * s.Heartbeat())
			s.Alive()
		})
	c.quirk("26", "upgrade while a pong is due", "The upgrade calls off the ping timeout: the client is not closed.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			p.GetAll().Is(200, "2")
			s := p.Attach()
			s.Deafen()
			s.Send("2probe")
			s.Expect("3probe")
			s.Send("5")
			p.Forget()
			s.SilentFor(p.PingTimeout + t.Slack)
		})
}

// upgradeRefused: attempts that get no WebSocket.
func upgradeRefused(c *chapter) {
	c.quirk("18", "upgrade where it is not offered", "A server that offers no upgrade answers a probe all the same.",
		func(t *probe.T) { probed(t, "/eio-noup/") }, needs(spec.FeatOptions))
	c.ref("19", "upgrade on a polling-only server", "A WebSocket for a session of a server without websocket gets status 400.",
		func(t *probe.T) {
			p := t.Polling("/eio-polling/")
			_, refusal := p.TryAttach()
			t.Check(refusal != nil, "the upgrade was accepted")
			refusal.Refused()
		}, needs(spec.FeatOptions))
	c.ref("20", "upgrade with EIO=3", "A WebSocket whose version is not the session's is refused with status 400; polling goes on.",
		func(t *probe.T) {
			p := t.Polling(unhurried(t))
			wsRefused(t, strings.NewReplacer("EIO=4", "EIO=3", "transport=polling", "transport=websocket").Replace(p.URL)).Status(400).Contains("Bad request")
			p.Alive()
		})
}
