package socketio_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// OnDisconnect that OnConnection registers, as everybody writes it, is called for
// a socket that ended before OnConnection came that far.
func TestHookOfASocketThatHasEnded(t *testing.T) {
	pass := func(context.Context, *socketio.Socket) error { return nil }
	for name, prepare := range map[string]func(*socketio.Server){
		"unguarded": func(*socketio.Server) {},
		"guarded":   func(srv *socketio.Server) { srv.Use(pass) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
				prepare(srv)
				began, release := make(chan struct{}), make(chan struct{})
				gone := make(chan socketio.Reason, 2)
				srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
					close(began)
					<-release
					s.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { gone <- why.Reason })
				})
				c.send("0")
				<-began
				c.send("1")
				synctest.Wait()
				close(release)
				if reason := receive(t, gone); reason != socketio.ClientNamespaceDisconnect {
					t.Error(reason)
				}
			})
		})
	}
}

// OnConnection comes before OnDisconnect also if the socket ends at the moment
// of its answer.
func TestHooksOfASocketThatEndsAtOnce(t *testing.T) {
	var srv *socketio.Server
	config := quiet()
	config.EngineConfig.Trace = &engineio.Trace{Sending: func(_ *engineio.Session, p eioparser.Packet) {
		if bytes.HasPrefix(p.Data, []byte("0{")) {
			if err := srv.DisconnectSockets(false); err != nil {
				t.Error(err)
			}
		}
	}}
	inBubbleOf(t, config, func(t *testing.T, s *socketio.Server, c *pipeClient) {
		srv = s
		calls := make(chan string, 4)
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { calls <- "disconnect" })
		srv.OnConnection(func(context.Context, *socketio.Socket) { calls <- "connection" })
		c.do(func() { _ = c.port.Receive(eioparser.Packet{Type: eioparser.Message, Data: []byte("0")}) }) // uncorked
		if first, second := <-calls, <-calls; first != "connection" || second != "disconnect" {
			t.Error(first, second)
		}
	})
}
