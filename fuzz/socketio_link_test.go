package fuzz_test

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// socketioLink is one client of a server on a transport within the process:
// what it sends is worked on before send returns, as far as the goroutine that
// reads does it.
type socketioLink struct {
	port   *engineio.Port
	once   sync.Once
	closed chan struct{}
	served chan struct{} // the session is over

	mu       sync.Mutex
	received []string // messages; of binary ones, "<bin>"
	arrived  chan struct{}
}

type socketioTransport struct{}

func (socketioTransport) Name() string { return "memory" }

func (socketioTransport) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

func socketioServer(t testing.TB, config socketio.Config) *socketio.Server {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	config.EngineConfig.Logger = config.Logger
	config.EngineConfig.Transports = []engineio.Transport{socketioTransport{}}
	srv, err := socketio.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = srv.Close()
		_ = srv.Shutdown(t.Context())
	})
	return srv
}

func linkTo(t testing.TB, srv *socketio.Server) *socketioLink {
	t.Helper()
	l := &socketioLink{closed: make(chan struct{}), served: make(chan struct{}), arrived: make(chan struct{}, 1)}
	ready := make(chan struct{})
	r, err := http.NewRequest(http.MethodGet, "/?EIO=4&transport=memory", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.served)
		if err := srv.Engine().ServeConn(r, func(p *engineio.Port) (engineio.Link, error) {
			l.port = p
			return l, nil
		}); err != nil {
			t.Error(err)
			close(ready)
		}
	}()
	// The handshake's packet says that Receive may be called.
	go func() {
		<-l.arrived
		close(ready)
	}()
	<-ready
	return l
}

func (l *socketioLink) Read() error {
	<-l.closed
	return io.EOF
}

func (l *socketioLink) TryWrite(batch []engineio.Outgoing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range batch {
		for _, p := range o.Packets() {
			switch {
			case p.Type != eioparser.Message:
			case p.Binary:
				l.received = append(l.received, "<bin>")
			default:
				l.received = append(l.received, string(p.Data))
			}
		}
	}
	select {
	case l.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (l *socketioLink) Write(batch []engineio.Outgoing) error { return l.TryWrite(batch) }

func (l *socketioLink) Close() { l.once.Do(func() { close(l.closed) }) }

// send hands over one message; false when the connection is over.
func (l *socketioLink) send(data []byte, binary bool) bool {
	return l.port.Receive(eioparser.Packet{Type: eioparser.Message, Binary: binary, Data: data}) == nil
}

// wait returns what has arrived as soon as it satisfies done, or when the
// connection is over.
func (l *socketioLink) wait(t testing.TB, done func(received []string) bool) []string {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		received := l.received[:len(l.received):len(l.received)]
		l.mu.Unlock()
		if done(received) {
			return received
		}
		select {
		case <-l.arrived:
		case <-l.served:
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.received
		case <-deadline.C:
			t.Fatalf("nothing more came after %q", received)
		}
	}
}

// hangUp ends the connection as a client does.
func (l *socketioLink) hangUp() {
	l.Close()
	<-l.served
}
