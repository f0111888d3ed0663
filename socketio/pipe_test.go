package socketio_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// pipe is a transport within the process: no network, no system call. It is
// for what is measured, and for what needs a clock of its own.
type pipe struct{}

func (pipe) Name() string { return "pipe" }

func (pipe) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

// pipeEnd is one client on a pipe.
type pipeEnd struct {
	port   *engineio.Port
	in     chan func()                           // what the reader does next
	out    func(e *pipeEnd, p *eioparser.Packet) // what happens with each packet that is sent
	closed chan struct{}
	broken chan error  // what Read returns next
	plain  atomic.Bool // the last packet was not to be compressed
	once   sync.Once
	served chan struct{} // ServeConn has returned
}

// piped is a configuration with a pipe as its transport.
func piped(config socketio.Config) socketio.Config {
	config.EngineConfig.Transports = []engineio.Transport{pipe{}}
	return config
}

// connectPipe opens a session whose packets go to out.
func connectPipe(t testing.TB, srv *socketio.Server, out func(*pipeEnd, *eioparser.Packet)) *pipeEnd {
	t.Helper()
	return connectPipeOf(t, srv, "/?EIO=4&transport=pipe", out)
}

func connectPipeOf(t testing.TB, srv *socketio.Server, address string, out func(*pipeEnd, *eioparser.Packet)) *pipeEnd {
	t.Helper()
	e := &pipeEnd{in: make(chan func()), out: out, broken: make(chan error, 1), closed: make(chan struct{}), served: make(chan struct{})}
	linked := make(chan struct{})
	go func() {
		defer close(e.served)
		r := httptest.NewRequest(http.MethodGet, address, nil)
		err := srv.Engine().ServeConn(r, func(p *engineio.Port) (engineio.Link, error) {
			e.port = p
			close(linked)
			return e, nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	<-linked
	return e
}

func (e *pipeEnd) Read() error {
	for {
		select {
		case act := <-e.in:
			act()
		case err := <-e.broken:
			return err
		case <-e.closed:
			return io.EOF
		}
	}
}

func (e *pipeEnd) TryWrite(batch []engineio.Outgoing) error {
	for _, o := range batch {
		packets := o.Packets()
		for i := range packets {
			e.plain.Store(o.NoCompress)
			e.out(e, &packets[i])
		}
	}
	return nil
}

func (e *pipeEnd) Write(batch []engineio.Outgoing) error { return e.TryWrite(batch) }

func (e *pipeEnd) Close() { e.once.Do(func() { close(e.closed) }) }

// fail breaks the link.
func (e *pipeEnd) fail(err error) { e.broken <- err }

// do runs act on the goroutine that reads, unless the link is closed.
func (e *pipeEnd) do(act func()) {
	select {
	case e.in <- act:
	case <-e.closed:
	}
}

// pong answers a ping.
func (e *pipeEnd) pong() {
	go e.do(func() { _ = e.port.Receive(eioparser.Packet{Type: eioparser.Pong}) })
}

// send hands messages to the session, as one batch of input.
func (e *pipeEnd) send(messages ...string) {
	e.do(func() {
		e.port.Cork()
		defer e.port.Uncork()
		for _, m := range messages {
			_ = e.port.Receive(eioparser.Packet{Type: eioparser.Message, Data: []byte(m)})
		}
	})
}
