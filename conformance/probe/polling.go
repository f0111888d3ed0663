package probe

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/internal/match"
	"github.com/siokit/siokit/conformance/wire"
)

// Polling is an Engine.IO session over HTTP long-polling.
type Polling struct {
	Open
	// URL is the target of the session's requests.
	URL string
	// Asked is a moment just before the handshake was sent, Opened just after
	// its answer came: the session began in between.
	Asked, Opened time.Time

	t      *T
	header []wire.Field
	queue  []string  // packets that came and were not looked at yet
	over   bool      // the case has ended the session itself
	ponged time.Time // when the last pong was sent that was accepted
}

// Polling opens a session by polling. path may carry a query.
func (t *T) Polling(path string, header ...wire.Field) *Polling {
	p := &Polling{t: t, header: header, Asked: time.Now()}
	base := withQuery(path, "EIO=4&transport=polling")
	a := t.Get(base, header...).Status(200)
	p.Opened = time.Now()
	packets := a.Packets()
	p.Open = t.parseOpen(packets[0])
	p.queue = packets[1:]
	p.URL = withQuery(base, "sid="+p.SID)
	t.Cleanup(p.leave)
	return p
}

// leave ends the session so that it does not disturb other cases, for example
// as a receiver of their broadcasts.
func (p *Polling) leave() {
	if p.over {
		return
	}
	p.t.Note("the case is over: its polling session is closed")
	p.t.dialer.Do(p.t.ctx, p.t.prepare(PostRequest(p.URL, "1", p.header...)), time.Now().Add(time.Second))
}

func withQuery(target, query string) string {
	for i := range len(target) {
		if target[i] == '?' {
			return target + "&" + query
		}
	}
	return target + "?" + query
}

// Get sends one poll and waits for its answer. Pings in it are answered and left
// out, and a poll that brought nothing else is repeated: heartbeats have a
// chapter of their own, which uses [Polling.GetAll].
func (p *Polling) Get() *Answer { return p.withoutPings(p.GetAll()) }

// GetAll sends one poll and waits for its answer, whatever it holds.
func (p *Polling) GetAll() *Answer { return p.own(p.t.Get(p.URL, p.header...)) }

// Poll sends one poll in the background; pings are treated as by [Polling.Get].
func (p *Polling) Poll() *Pending {
	pending := p.t.Start(wire.Request{Target: p.URL, Header: p.header})
	pending.poll = p
	return pending
}

func (p *Polling) withoutPings(a *Answer) *Answer {
	p.own(a)
	deadline := p.t.deadline()
	for a.Response.Status == 200 {
		packets := a.Packets()
		kept := slices.DeleteFunc(slices.Clone(packets), func(packet string) bool { return packet == "2" })
		if len(kept) == len(packets) {
			return a
		}
		p.Post("3")
		if len(kept) > 0 {
			response := *a.Response
			response.Body = []byte(strings.Join(kept, "\x1e"))
			return p.own(&Answer{Response: &response, t: p.t, what: a.what})
		}
		if time.Now().After(deadline) {
			p.t.Failf("no packet but pings within %v", p.t.Patience)
		}
		a = p.GetAll()
	}
	return a
}

// own marks an answer as one of this session.
func (p *Polling) own(a *Answer) *Answer {
	a.polling = p
	return a
}

// age is the time since the client's last sign of life that counts for the
// heartbeat.
func (p *Polling) age() time.Duration {
	if p.ponged.After(p.Opened) {
		return time.Since(p.ponged)
	}
	return time.Since(p.Opened)
}

// Post sends a payload as it is.
func (p *Polling) Post(body string) *Answer {
	sent := time.Now()
	a := p.own(p.t.Post(p.URL, body, p.header...))
	if body == "3" && a.Response.Status == 200 {
		p.ponged = sent
	}
	return a
}

// Send sends one payload of packets; the server must accept it.
func (p *Polling) Send(packets ...string) {
	body := ""
	for i, packet := range packets {
		if i > 0 {
			body += "\x1e"
		}
		body += packet
	}
	p.Post(body).Status(200)
}

// Next returns the next packet that is not a ping; pings are answered.
func (p *Polling) Next() string {
	deadline := p.t.deadline()
	for {
		for len(p.queue) > 0 {
			packet := p.queue[0]
			p.queue = p.queue[1:]
			if packet != "2" { // one of the handshake's answer
				return packet
			}
			p.Post("3")
		}
		if time.Now().After(deadline) {
			p.t.Failf("no packet within %v", p.t.Patience)
		}
		p.queue = p.Get().Status(200).Packets()
	}
}

// Expect polls until the packets came, in this order and nothing in between.
func (p *Polling) Expect(packets ...string) match.Captures {
	all := match.Captures{}
	for i, want := range packets {
		for k, v := range p.t.Match(fmt.Sprintf("packet %d of %d over polling", i+1, len(packets)), want, p.Next()) {
			all[k] = v
		}
	}
	return all
}

// Binary returns the packet as it stands in a payload for a binary message.
func Binary(data ...byte) string { return "b" + base64.StdEncoding.EncodeToString(data) }

// Alive checks that the session of an echo server still works and that nothing
// else was sent before.
func (p *Polling) Alive() {
	p.Send("4alive")
	p.Expect("4alive")
}

// NextNot returns the next packet that is neither a ping nor the given one.
// A server may repeat that one in every poll, so polls are not sent as fast as
// can be.
func (p *Polling) NextNot(skip string) string {
	deadline := p.t.deadline()
	for {
		if packet := p.Next(); packet != skip {
			return packet
		}
		if time.Now().After(deadline) {
			p.t.Failf("nothing but %s within %v", show(skip), p.t.Patience)
		}
		p.t.Wait(10 * time.Millisecond)
	}
}

// ExpectAfterNoops is [Polling.Expect] during an upgrade, when polls may be
// answered with noops before.
func (p *Polling) ExpectAfterNoops(want string) {
	p.t.Match("packet over polling", want, p.NextNot("6"))
}

// Forget tells that the session is no longer polling's: it need not be closed.
func (p *Polling) Forget() { p.over = true }

// Gone checks that the server has ended the session: at once, or at the latest
// well before a heartbeat could have ended it.
func (p *Polling) Gone() {
	a := p.Get()
	// A session that was closed in good order may hand over what was queued.
	if a.Response.Status == 200 && isFarewell(a.Packets()) {
		a = p.Get()
	}
	a.Refused()
	p.over = true
	if age := p.age(); age > p.Heartbeat() {
		p.t.Fail(&Failure{
			Message:      fmt.Sprintf("the session is gone %v after its last sign of life, but its heartbeat allows %v: no evidence that it was closed for this", age.Round(time.Millisecond), p.Heartbeat()),
			Inconclusive: true,
		})
	}
}

// isFarewell reports whether a poll carried nothing but the end of the session.
func isFarewell(packets []string) bool {
	for _, packet := range packets {
		if packet != "1" && packet != "6" {
			return false
		}
	}
	return true
}
