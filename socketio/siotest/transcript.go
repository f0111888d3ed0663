package siotest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	engine "github.com/siokit/siokit/engineio/client"

	"github.com/siokit/siokit/eioparser"
)

// A transcript is what went over the wire, a line for each packet: the last ones
// of them.
type transcript struct {
	mu      sync.Mutex
	start   time.Time
	lines   []string
	dropped int
}

func newTranscript() *transcript { return &transcript{start: time.Now()} }

// logger returns one that writes into the transcript.
func (t *transcript) logger(who string) *slog.Logger {
	return slog.New(slog.NewTextHandler(logged{who, t}, nil))
}

// maxLines and maxText bound a transcript.
const (
	maxLines = 500
	maxText  = 200
)

func (t *transcript) add(client, transport, arrow, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(text) > maxText {
		text = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxText], ""), len(text))
	}
	if len(t.lines) == maxLines {
		t.lines = append(t.lines[:0], t.lines[maxLines/2:]...)
		t.dropped += maxLines / 2
	}
	t.lines = append(t.lines, fmt.Sprintf("%10.3fs %-8s %-9s %s %s", time.Since(t.start).Seconds(), client, transport, arrow, text))
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	head := "the wire, as the clients saw it (-> to the server):\n"
	if t.dropped > 0 {
		head += fmt.Sprintf("… %d packets before\n", t.dropped)
	}
	return head + strings.Join(t.lines, "\n")
}

// recorded is a transport whose packets are written into the transcript.
type recorded struct {
	engine.Transport
	client     string
	transcript *transcript
}

func (r recorded) Dial(ctx context.Context, target engine.Target) (engine.Link, error) {
	what := "dial"
	if target.URL.Query().Has("sid") {
		what = "dial to upgrade"
	}
	r.write("--", what)
	link, err := r.Transport.Dial(ctx, target)
	if err != nil {
		r.write("--", err.Error())
		return nil, err
	}
	tapped := tap{link, r}
	if leaver, ok := link.(engine.Leaver); ok {
		return leavingTap{tapped, leaver}, nil
	}
	return tapped, nil
}

func (r recorded) write(arrow, text string) {
	r.transcript.add(r.client, r.Name(), arrow, text)
}

func (r recorded) packet(arrow string, p eioparser.Packet) {
	if p.Binary {
		r.write(arrow, fmt.Sprintf("binary %d bytes % x", len(p.Data), p.Data[:min(16, len(p.Data))]))
		return
	}
	r.write(arrow, string(eioparser.AppendPacket(nil, p)))
}

// tap is a link of such a transport.
type tap struct {
	engine.Link
	to recorded
}

func (t tap) Receive() (eioparser.Packet, error) {
	p, err := t.Link.Receive()
	if err != nil {
		t.to.write("--", err.Error())
	} else {
		t.to.packet("<-", p)
	}
	return p, err
}

func (t tap) Send(packets []eioparser.Packet) error {
	for _, p := range packets {
		t.to.packet("->", p)
	}
	return t.Link.Send(packets)
}

// leavingTap is one that the session can leave.
type leavingTap struct {
	tap
	engine.Leaver
}

// logged is where a client, or the server, logs to.
type logged struct {
	who        string
	transcript *transcript
}

func (l logged) Write(line []byte) (int, error) {
	l.transcript.add(l.who, "log", "--", strings.TrimRight(string(line), "\n"))
	return len(line), nil
}
