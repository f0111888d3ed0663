package transporttest_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWebSocket(t *testing.T) {
	transporttest.Run(t, transporttest.Subject{Transport: engineio.WebSocket{}, Dial: dialWS})
}

func TestPolling(t *testing.T) {
	transporttest.Run(t, transporttest.Subject{Transport: engineio.Polling{}, Dial: dialPolling, Unpushed: true})
}

// fault names, in the environment of a child process, what is wrong with the
// transport of TestFault.
const fault = "TRANSPORTTEST_FAULT"

// TestFault runs the suite on a link of a third party's around a WebSocket's,
// which does nothing wrong unless it is told to.
func TestFault(t *testing.T) {
	sub := transporttest.Subject{Transport: broken{kind: os.Getenv(fault)}, Dial: dialWS}
	if os.Getenv(fault) != "" {
		sub.Patience = 2 * time.Second // it will be waited in vain
	}
	transporttest.Run(t, sub)
}

// TestBrokenTransportsAreFound runs the suite, in child processes, on
// transports that are wrong in one way each.
func TestBrokenTransportsAreFound(t *testing.T) {
	for kind, finds := range map[string]string{
		"loses a packet":       "OrderToClient",
		"doubles a packet":     "OrderToClient",
		"reorders packets":     "OrderToClient",
		"changes a packet":     "Contents",
		"mixes up kinds":       "Contents",
		"makes up input":       "OrderFromClient",
		"writes after close":   "NothingAfterDiscard",
		"leaks a goroutine":    "Handshake",
		"ignores the deadline": "WriteTimeout",
		"outlives its session": "Shutdown",
		"does not notice":      "ClientLeaves",
		"blocks in TryWrite":   "SendersNeverBlock",
		"forgets what is left": "Backlog",
		"does not close":       "NothingAfterDiscard",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFault$/^"+finds+"$", "-test.v")
			cmd.Env = append(os.Environ(), fault+"="+kind)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestFault/"+finds) {
				t.Errorf("%s finds nothing: %v\n%s", finds, err, out)
			}
		})
	}
}

// broken is a WebSocket transport that is wrong in one way.
type broken struct {
	engineio.WebSocket
	kind string
}

func (b broken) Accept(w http.ResponseWriter, r *http.Request, p *engineio.Port) (engineio.Link, error) {
	l, err := b.WebSocket.Accept(w, r, p)
	if err != nil {
		return nil, err
	}
	if b.kind == "leaks a goroutine" {
		go func() { select {} }()
	}
	return &brokenLink{inner: l.(wsLink), kind: b.kind, port: p, closed: make(chan struct{})}, nil
}

// wsLink is what a WebSocket link can do.
type wsLink interface {
	engineio.Link
	engineio.Reader
	engineio.TryWriter
}

type brokenLink struct {
	inner  wsLink
	kind   string
	port   *engineio.Port
	once   sync.Once
	closed chan struct{}
	n      int
}

// spoil changes a batch. It is called by whoever writes.
func (l *brokenLink) spoil(batch []engineio.Outgoing) []engineio.Outgoing {
	out := append([]engineio.Outgoing(nil), batch...)
	for i, o := range batch {
		l.n++
		p := o.Packets()[0]
		if p.Type != eioparser.Message {
			continue
		}
		switch l.kind {
		case "loses a packet":
			if l.n%40 == 0 {
				return append(out[:i], batch[i+1:]...)
			}
		case "doubles a packet":
			if l.n%40 == 0 {
				return append(out[:i+1], batch[i:]...)
			}
		case "reorders packets":
			if i > 0 && batch[i-1].Packets()[0].Type == eioparser.Message {
				out[i-1], out[i] = out[i], out[i-1]
				return out
			}
		case "changes a packet":
			if len(p.Data) > 0 {
				data := append([]byte(nil), p.Data...)
				data[len(data)-1] ^= 1
				out[i].Prepared = engineio.Prepare(engineio.Message{Binary: p.Binary, Data: data})
			}
		case "mixes up kinds":
			out[i].Prepared = engineio.Prepare(engineio.Binary(p.Data))
		}
	}
	return out
}

func (l *brokenLink) TryWrite(batch []engineio.Outgoing) error {
	err := l.inner.TryWrite(l.spoil(batch))
	if err == engineio.ErrWouldBlock {
		switch l.kind {
		case "blocks in TryWrite":
			<-l.closed
		case "forgets what is left":
			return nil
		}
	}
	return err
}

func (l *brokenLink) Write(batch []engineio.Outgoing) error {
	if l.kind == "ignores the deadline" {
		<-l.closed
		return errors.New("closed")
	}
	return l.inner.Write(l.spoil(batch))
}

func (l *brokenLink) Read() error {
	switch l.kind {
	case "makes up input":
		if err := l.port.Receive(eioparser.Packet{Type: eioparser.Message, Data: []byte("made up")}); err != nil {
			return err
		}
	case "does not notice":
		<-l.closed
		return nil
	}
	err := l.inner.Read()
	if l.kind == "outlives its session" {
		select {}
	}
	return err
}

func (l *brokenLink) Close() {
	l.once.Do(func() {
		close(l.closed)
		switch l.kind {
		case "writes after close":
			_ = l.inner.TryWrite([]engineio.Outgoing{{Prepared: engineio.Prepare(engineio.Text("late"))}})
		case "does not close":
			return
		}
		l.inner.Close()
	})
}
