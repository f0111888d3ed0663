package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/internal/match"
	"github.com/siokit/siokit/conformance/wire"
)

// Answer is an HTTP response under test.
type Answer struct {
	*wire.Response
	t       *T
	what    string
	polling *Polling // set for requests of a session
}

// Target turns a path of the contract into the server's own: /engine.io/ and
// /socket.io/ are replaced where the server has other paths.
func (t *T) Target(target string) string {
	for name, own := range map[string]string{"/engine.io/": t.env.Server.EnginePath, "/socket.io/": t.env.Server.SocketPath} {
		if own != "" && strings.HasPrefix(target, name) {
			return own + strings.TrimPrefix(target, name)
		}
	}
	return target
}

// prepare completes a request with what the server under test asks for.
func (t *T) prepare(r wire.Request) wire.Request {
	r.Target = t.Target(r.Target)
	r.Header = append(append([]wire.Field(nil), t.env.Server.Header...), r.Header...)
	return r
}

// Do sends a request over a connection of its own; an answer must come.
func (t *T) Do(r wire.Request) *Answer {
	what := fmt.Sprintf("%s %s", cmpOr(r.Method, "GET"), r.Target)
	resp, err := t.dialer.Do(t.ctx, t.prepare(r), t.deadline())
	if err != nil {
		t.Failf("%s: %s", what, reason(err, t.Patience))
	}
	return &Answer{Response: resp, t: t, what: what}
}

// Get sends a GET; see [T.Do].
func (t *T) Get(target string, header ...wire.Field) *Answer {
	return t.Do(wire.Request{Target: target, Header: header})
}

// textPlain is how the official clients send a payload.
var textPlain = wire.Field{Name: "Content-Type", Value: "text/plain;charset=UTF-8"}

// Post sends a POST with a text body, as the official clients do, unless a
// Content-Type is given; see [T.Do].
func (t *T) Post(target, body string, header ...wire.Field) *Answer {
	return t.Do(PostRequest(target, body, header...))
}

// PostRequest is the request of [T.Post].
func PostRequest(target, body string, header ...wire.Field) wire.Request {
	for _, f := range header {
		if strings.EqualFold(f.Name, "Content-Type") {
			return wire.Request{Method: "POST", Target: target, Header: header, Body: []byte(body)}
		}
	}
	return wire.Request{Method: "POST", Target: target, Header: append([]wire.Field{textPlain}, header...), Body: []byte(body)}
}

// Pending is a request whose answer is still awaited.
type Pending struct {
	t    *T
	poll *Polling // set for a poll of a session, whose pings are left out
	what string
	conn *wire.Conn
	done chan struct{}
	resp *wire.Response
	err  error
}

// Start sends a request in the background. The whole request is written when
// Start returns. The answer is awaited until the case ends or [Pending.Abort].
func (t *T) Start(r wire.Request) *Pending {
	p := &Pending{t: t, what: fmt.Sprintf("%s %s", cmpOr(r.Method, "GET"), r.Target), done: make(chan struct{})}
	conn, err := t.dialer.Dial(t.ctx, "http")
	if err != nil {
		t.Failf("%s: %v", p.what, err)
	}
	p.conn = conn
	t.Cleanup(func() { conn.Close() })
	if err := conn.WriteRequest(t.prepare(r)); err != nil {
		t.Failf("%s: %v", p.what, err)
	}
	t.tasks.Go(func() { // ends with the answer, or when finish closes the connection
		defer close(p.done)
		p.resp, p.err = conn.ReadResponse(time.Time{}, r.Method)
	})
	return p
}

// Answer waits for the answer.
func (p *Pending) Answer() *Answer {
	resp, err := p.wait(p.t.Patience)
	if err != nil {
		p.t.Failf("%s: %s", p.what, reason(err, p.t.Patience))
	}
	a := &Answer{Response: resp, t: p.t, what: p.what}
	if p.poll != nil {
		return p.poll.withoutPings(a)
	}
	return a
}

// AnswerOrEnd waits for the answer or the end of the connection, which gives nil.
func (p *Pending) AnswerOrEnd() *Answer {
	resp, err := p.wait(p.t.Patience)
	switch {
	case err == nil:
		return &Answer{Response: resp, t: p.t, what: p.what}
	case errors.Is(err, wire.ErrClosed):
		return nil
	case !errors.Is(err, wire.ErrNoAnswer):
		p.t.Failf("%s: %v", p.what, err)
	}
	p.t.Failf("%s: neither an answer nor the end of the connection within %v", p.what, p.t.Patience)
	return nil
}

// Silent ends the case if an answer comes within d.
func (p *Pending) Silent(d time.Duration) {
	resp, err := p.wait(d)
	if err == nil {
		p.t.Fail(&Failure{Message: p.what + " was answered too early", Want: fmt.Sprintf("no answer within %v", d), Got: summary(resp)})
	}
	if !errors.Is(err, wire.ErrNoAnswer) {
		p.t.Failf("%s: %v", p.what, err)
	}
}

func (p *Pending) wait(d time.Duration) (*wire.Response, error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.resp, p.err
	case <-timer.C:
		return nil, wire.ErrNoAnswer
	case <-p.t.ctx.Done():
		return nil, context.Cause(p.t.ctx)
	}
}

// Abort ends the connection as a browser does that leaves the page.
func (p *Pending) Abort() {
	p.conn.Close()
	<-p.done
}

// Dial opens a raw connection that the case drives itself; it is closed at the
// end.
func (t *T) Dial() *wire.Conn {
	c, err := t.dialer.Dial(t.ctx, "tcp")
	if err != nil {
		t.Failf("cannot connect: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Read reads one answer from a raw connection.
func (t *T) Read(c *wire.Conn, method string) *Answer {
	resp, err := c.ReadResponse(t.deadline(), method)
	if err != nil {
		t.Failf("no answer on the raw connection: %s", reason(err, t.Patience))
	}
	return &Answer{Response: resp, t: t, what: "the raw request"}
}

// Is checks status and body; the body may hold masks.
func (a *Answer) Is(status int, body string) *Answer {
	a.Status(status)
	if _, err := match.Packet(body, string(a.Body)); err != nil {
		a.t.Fail(&Failure{Message: a.what + ": " + err.Error(), Want: fmt.Sprintf("%d %s", status, show(body)), Got: summary(a.Response)})
	}
	return a
}

// Status checks the status alone.
func (a *Answer) Status(status ...int) *Answer {
	for _, s := range status {
		if a.Response.Status == s {
			return a
		}
	}
	want := strings.Trim(strings.ReplaceAll(fmt.Sprint(status), " ", " or "), "[]")
	f := &Failure{Message: a.what + ": another status", Want: want, Got: summary(a.Response)}
	if a.Response.Status == 400 && a.polling != nil && a.polling.age() > a.polling.Heartbeat() {
		f.Message += ", but so late that the heartbeat may have ended the session"
		f.Inconclusive = true
	}
	a.t.Fail(f)
	return a
}

// Error checks for an error answer of Engine.IO: its status, code and message
// as JSON.
func (a *Answer) Error(status, code int, message string) *Answer {
	return a.Is(status, fmt.Sprintf(`{"code":%d,"message":%q}`, code, message))
}

// Carries checks that a poll was answered with these packets, and perhaps pings.
func (a *Answer) Carries(packets ...string) *Answer {
	a.Status(200)
	got := slices.DeleteFunc(a.Packets(), func(packet string) bool { return packet == "2" })
	if !slices.Equal(got, packets) {
		a.t.Fail(&Failure{Message: a.what + ": other packets", Want: show(strings.Join(packets, "\x1e")), Got: summary(a.Response)})
	}
	return a
}

// Refused checks that a request was refused as the protocol asks: with status
// 400. What the body says is the reference's own and has cases of its own.
func (a *Answer) Refused() *Answer { return a.Status(400) }

// Accepted checks that a POST was accepted. The body, ok, has a case of its own.
func (a *Answer) Accepted() *Answer { return a.Status(200) }

// Contains checks that the body holds a text.
func (a *Answer) Contains(text string) *Answer {
	if !strings.Contains(string(a.Body), text) {
		a.t.Fail(&Failure{Message: a.what + ": the body", Want: "… " + text + " …", Got: summary(a.Response)})
	}
	return a
}

// Field checks a response header; want is compared without regard to case, and
// empty means that the header must be absent.
func (a *Answer) Field(name, want string) *Answer {
	got := strings.Join(a.Header.Values(name), ", ")
	if !strings.EqualFold(got, want) {
		a.t.Fail(&Failure{Message: a.what + ": header " + name, Want: cmpOr(want, "(absent)"), Got: cmpOr(got, "(absent)")})
	}
	return a
}

// Media checks the content type without its parameters.
func (a *Answer) Media(want string) *Answer {
	got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(got), want) {
		a.t.Fail(&Failure{Message: a.what + ": content type", Want: want, Got: cmpOr(a.Header.Get("Content-Type"), "(absent)")})
	}
	return a
}

// Closing checks that the server announces the end of the connection.
func (a *Answer) Closing() *Answer {
	if a.KeepAlive {
		a.t.Fail(&Failure{Message: a.what + ": the connection", Want: "Connection: close", Got: "kept alive"})
	}
	return a
}

// Packets cuts the body of a poll into packets.
func (a *Answer) Packets() []string { return strings.Split(string(a.Body), "\x1e") }

func summary(r *wire.Response) string {
	if len(r.Body) == 0 {
		return fmt.Sprintf("%d (empty body)", r.Status)
	}
	return fmt.Sprintf("%d %s", r.Status, show(string(r.Body)))
}

func reason(err error, patience time.Duration) string {
	switch {
	case errors.Is(err, wire.ErrNoAnswer):
		return fmt.Sprintf("no answer within %v", patience)
	case errors.Is(err, wire.ErrClosed):
		return "the connection was closed without an answer"
	default:
		return err.Error()
	}
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
