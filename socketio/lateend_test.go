package socketio_test

import (
	"context"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// interrupted is a store that calls cut once, in a step of a return.
type interrupted struct {
	*adapter.Recovery
	step string
	cut  func()
}

func (i *interrupted) at(step string) {
	if cut := i.cut; cut != nil && step == i.step {
		i.cut = nil
		cut()
	}
}

func (i *interrupted) Take(ctx context.Context, privateID, offset string) (*adapter.Session, error) {
	session, err := i.Recovery.Take(ctx, privateID, offset)
	i.at("taken")
	return session, err
}

func (i *interrupted) Resume(ctx context.Context, s adapter.Socket, session *adapter.Session) error {
	i.at("before")
	err := i.Recovery.Resume(ctx, s, session)
	i.at("resumed")
	return err
}

// TestCutWhileTheSessionIsTaken: a connection ends between the store and the socket,
// which have the session one after the other. The client gets it the next time.
func TestCutWhileTheSessionIsTaken(t *testing.T) {
	for _, step := range []string{"taken", "before", "resumed"} {
		t.Run(step, func(t *testing.T) {
			store := &interrupted{step: step}
			config := quiet()
			config.Recovery = &socketio.Recovery{MaxDisconnection: time.Minute}
			config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
				a, err := adapter.NewRecovery(adapter.RecoveryConfig{})(l)
				if l.Namespace() != "/" {
					return a, err
				}
				store.Recovery = a.(*adapter.Recovery)
				return store, err
			}
			srv := fixture(t, config)
			url := serve(t, srv)
			c, s := begin(t, url)
			cut(t, srv, c)
			for _, name := range []string{"a", "b"} {
				if err := srv.Emit(name); err != nil {
					t.Error(err)
				}
			}
			c = dial(t, url)
			over := make(chan struct{})
			store.cut = func() {
				cut(t, srv, c)
				close(over)
			}
			c.send(s.connect())
			receive(t, over)
			eventually(t, "the CONNECT is over", func() bool { return srv.Running() == 0 })
			again := s
			c = dial(t, url)
			c.send(s.connect())
			for _, want := range []string{`"a"`, `"b"`} {
				if got := c.event(&again); got != want {
					t.Fatalf("replayed %s, want %s", got, want)
				}
			}
			if c.answered(&again); again.sid != s.sid {
				t.Error("another session")
			}
		})
	}
}

// TestRoomsWhenTheStoreIsClosed: whose session can't be stored any more has left its
// rooms as well.
func TestRoomsWhenTheStoreIsClosed(t *testing.T) {
	srv, url := recovering(t, socketio.Recovery{})
	rooms := make(chan []string, 1)
	srv.OnDisconnecting(func(_ context.Context, s *socketio.Socket, _ *socketio.DisconnectError) { rooms <- s.Rooms() })
	c, s := begin(t, url)
	if err := srv.Adapter().Close(t.Context()); err != nil {
		t.Error(err)
	}
	cut(t, srv, c)
	if got := receive(t, rooms); !slices.Contains(got, s.sid) {
		t.Errorf("rooms %q", got)
	}
}

// slow is an adapter whose goodbye takes a while, like that of any bus.
type slow struct {
	adapter.Adapter
	closed chan<- error
}

func (s slow) Close(ctx context.Context) error {
	var err error
	select {
	case <-time.After(time.Second):
		err = s.Adapter.Close(ctx)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.closed <- err
	return err
}

// TestGoodbyeOfChildInShutdown: a child that is cleaned up because Shutdown ends its
// sockets says goodbye like any other namespace.
func TestGoodbyeOfChildInShutdown(t *testing.T) {
	config := quiet()
	config.CleanupEmptyChildNamespaces = true
	closed := make(chan error, 2)
	config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
		a, err := adapter.NewMemory(l)
		if l.Namespace() != "/" {
			a = slow{a, closed}
		}
		return a, err
	}
	inBubbleOf(t, config, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		srv.OfPattern(regexp.MustCompile("^/child$"))
		c.send("0/child,")
		synctest.Wait()
		if srv.Of("/child").Len() != 1 {
			t.Fatal("it has not joined")
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-closed; err != nil {
			t.Errorf("goodbye: %v", err)
		}
	})
}

// TestNamespaceMadeDuringShutdown: the adapter of a namespace that comes too late is
// not waited for longer than others.
func TestNamespaceMadeDuringShutdown(t *testing.T) {
	config := quiet()
	var closed chan error
	var making, made chan struct{}
	config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
		a, err := adapter.NewMemory(l)
		if l.Namespace() != "/" {
			close(making)
			<-made
			a = stuck{a, closed}
		}
		return a, err
	}
	synctest.Test(t, func(t *testing.T) {
		closed, making, made = make(chan error, 1), make(chan struct{}), make(chan struct{})
		srv := newServer(t, config)
		done := make(chan struct{})
		go func() {
			defer close(done)
			srv.Of("/late")
		}()
		<-making
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		close(made)
		select {
		case <-done:
		case <-time.After(time.Hour):
			t.Fatal("Of has not returned")
		}
		if err := <-closed; err != context.DeadlineExceeded {
			t.Error(err)
		}
	})
}

// stuck is an adapter on a bus that is frozen.
type stuck struct {
	adapter.Adapter
	closed chan<- error
}

func (s stuck) Close(ctx context.Context) error {
	<-ctx.Done()
	s.closed <- ctx.Err()
	return ctx.Err()
}
