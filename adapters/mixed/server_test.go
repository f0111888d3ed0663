package mixed

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// selection says who is meant.
type selection struct {
	rooms, except   []string
	local, volatile bool
}

// told is a socket as fetchSockets tells of it.
type told struct {
	ID    string   `json:"id"`
	Rooms []string `json:"rooms"`
	Name  string   `json:"name"` // from the socket's data
	Auth  string   `json:"auth"` // the same, from its handshake
}

// server is a server of either kind.
type server interface {
	url() string
	emit(sel selection, event string, args ...any) error
	// emitWithAck returns the answers, and whether some were missing in the end.
	emitWithAck(sel selection, timeout time.Duration, event string) (answers []string, partial bool, err error)
	fetch(sel selection) ([]told, error)
	join(sel selection, rooms ...string) error
	leave(sel selection, rooms ...string) error
	disconnect(sel selection) error
	tell(arg string) error // a server-side event
	ask(arg string) (answers []string, err error)
	heard() ([]string, error) // arguments of the events of tell
	count() (int, error)
	has(socket string) (bool, error)
	close() error
}

// goServer is one of ours.
type goServer struct {
	io   *socketio.Server
	http *httptest.Server

	mu   sync.Mutex
	args []string
}

func startGo(t *testing.T, newAdapter adapter.New, recovery bool, label string) *goServer {
	t.Helper()
	config := socketio.Config{Adapter: newAdapter, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), AckTimeout: within}
	if recovery {
		config.Recovery = &socketio.Recovery{}
	}
	srv, err := socketio.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	g := &goServer{io: srv}
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		if s.Recovered() {
			return
		}
		var auth struct {
			Name  string   `json:"name"`
			Rooms []string `json:"rooms"`
		}
		err := errors.Join(s.Auth(&auth), s.Data().Set("name", auth.Name), s.Join(auth.Rooms...), s.Emit("ready"))
		if err != nil {
			t.Errorf("connection: %v", err)
		}
	})
	srv.OnServerSide("told", func(_ context.Context, ev *socketio.ServerEvent) error {
		var arg string
		err := ev.Bind(&arg)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.args = append(g.args, arg)
		return err
	})
	srv.OnServerSide("asked", func(_ context.Context, ev *socketio.ServerEvent) error {
		var arg string
		if err := ev.Bind(&arg); err != nil {
			return err
		}
		return ev.Ack(label + " " + arg)
	})
	g.http = httptest.NewServer(srv)
	t.Cleanup(func() {
		if err := g.close(); err != nil {
			t.Errorf("%s: %v", label, err)
		}
	})
	return g
}

func (g *goServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := g.io.Shutdown(ctx)
	g.http.Close()
	return err
}

func (g *goServer) to(sel selection) socketio.Broadcast {
	b := g.io.To(sel.rooms...).Except(sel.except...)
	if sel.local {
		b = b.Local()
	}
	if sel.volatile {
		b = b.Volatile()
	}
	return b
}

func (g *goServer) url() string { return g.http.URL }

func (g *goServer) emit(sel selection, event string, args ...any) error {
	return g.to(sel).Emit(event, args...)
}

func (g *goServer) emitWithAck(sel selection, timeout time.Duration, event string) (answers []string, partial bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	for r, err := range g.to(sel).EmitWithAck(ctx, event) {
		var missing *socketio.PartialError
		if errors.As(err, &missing) {
			return answers, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		var name string
		if err := r.Value.Bind(&name); err != nil {
			return nil, false, err
		}
		answers = append(answers, name)
	}
	return answers, false, nil
}

func (g *goServer) fetch(sel selection) (list []told, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for s, err := range g.to(sel).FetchSockets(ctx) {
		if err != nil {
			return nil, err
		}
		var handshake struct {
			Auth struct {
				Name string `json:"name"`
			} `json:"auth"`
		}
		t := told{ID: s.ID(), Rooms: s.Rooms()}
		if l := s.Local(); l != nil {
			t.Rooms = l.Rooms()
		}
		if err := json.Unmarshal(s.Handshake(), &handshake); err != nil {
			return nil, fmt.Errorf("handshake %s: %w", s.Handshake(), err)
		}
		if _, err := s.Data().Bind("name", &t.Name); err != nil {
			return nil, err
		}
		t.Auth = handshake.Auth.Name
		list = append(list, t)
	}
	return list, nil
}

func (g *goServer) join(sel selection, rooms ...string) error { return g.to(sel).SocketsJoin(rooms...) }
func (g *goServer) leave(sel selection, rooms ...string) error {
	return g.to(sel).SocketsLeave(rooms...)
}
func (g *goServer) disconnect(sel selection) error { return g.to(sel).DisconnectSockets(false) }
func (g *goServer) tell(arg string) error          { return g.io.ServerSideEmit("told", arg) }

func (g *goServer) ask(arg string) (answers []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for r, err := range g.io.ServerSideEmitWithAck(ctx, "asked", arg) {
		if err != nil {
			return nil, err
		}
		var text string
		if err := r.Value.Bind(&text); err != nil {
			return nil, err
		}
		answers = append(answers, text)
	}
	return answers, nil
}

func (g *goServer) heard() ([]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.args...), nil
}

func (g *goServer) count() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return g.io.Adapter().(adapter.Counter).Servers(ctx)
}

func (g *goServer) has(socket string) (bool, error) {
	return g.io.Adapter().(adapter.Index).SocketRooms(socket) != nil, nil
}

// nodeServer is one of the reference.
type nodeServer struct {
	peer    *peer
	number  int
	address string
}

func startNode(t *testing.T, p *peer, bus string, options any, recovery bool, label string) *nodeServer {
	t.Helper()
	var made struct {
		Server int    `json:"server"`
		URL    string `json:"url"`
	}
	err := p.call("server", object{"bus": bus, "options": options, "recovery": recovery, "label": label}, &made)
	if err != nil {
		t.Fatal(err)
	}
	n := &nodeServer{p, made.Server, made.URL}
	t.Cleanup(func() {
		if err := n.close(); err != nil {
			t.Errorf("%s: %v", label, err)
		}
	})
	return n
}

// request returns a request about a selection.
func (n *nodeServer) request(sel selection, more object) object {
	r := sel.object()
	r["server"] = n.number
	for k, v := range more {
		r[k] = v
	}
	return r
}

func (sel selection) object() object {
	flags := []string{}
	if sel.local {
		flags = append(flags, "local")
	}
	if sel.volatile {
		flags = append(flags, "volatile")
	}
	return object{"rooms": append([]string{}, sel.rooms...), "except": append([]string{}, sel.except...), "flags": flags}
}

// wire returns arguments as peer.js reads them.
func wire(args []any) []any {
	list := make([]any, len(args))
	for i, arg := range args {
		list[i] = arg
		if b, ok := arg.([]byte); ok {
			list[i] = object{"$bytes": base64.StdEncoding.EncodeToString(b)}
		}
	}
	return list
}

func (n *nodeServer) url() string { return n.address }

func (n *nodeServer) emit(sel selection, event string, args ...any) error {
	return n.peer.call("emit", n.request(sel, object{"event": event, "args": wire(args)}), nil)
}

type replies struct {
	Replies []string `json:"replies"`
	Failure string   `json:"failure"`
}

func (n *nodeServer) emitWithAck(sel selection, timeout time.Duration, event string) ([]string, bool, error) {
	var r replies
	err := n.peer.call("emitWithAck", n.request(sel, object{"event": event, "args": []any{}, "timeout": timeout.Milliseconds()}), &r)
	return r.Replies, r.Failure != "", err
}

func (n *nodeServer) fetch(sel selection) (list []told, err error) {
	err = n.peer.call("fetchSockets", n.request(sel, nil), &list)
	return list, err
}

func (n *nodeServer) join(sel selection, rooms ...string) error {
	return n.peer.call("socketsJoin", n.request(sel, object{"join": rooms}), nil)
}

func (n *nodeServer) leave(sel selection, rooms ...string) error {
	return n.peer.call("socketsLeave", n.request(sel, object{"leave": rooms}), nil)
}

func (n *nodeServer) disconnect(sel selection) error {
	return n.peer.call("disconnectSockets", n.request(sel, object{"close": false}), nil)
}

func (n *nodeServer) tell(arg string) error {
	return n.peer.call("serverSideEmit", object{"server": n.number, "args": []any{arg}}, nil)
}

func (n *nodeServer) ask(arg string) ([]string, error) {
	var r replies
	err := n.peer.call("serverSideEmitWithAck", object{"server": n.number, "args": []any{arg}}, &r)
	if err == nil && r.Failure != "" {
		err = errors.New(r.Failure)
	}
	return r.Replies, err
}

func (n *nodeServer) heard() ([]string, error) {
	var events [][]string
	err := n.peer.call("serverEvents", object{"server": n.number}, &events)
	var list []string
	for _, args := range events {
		list = append(list, args...)
	}
	return list, err
}

func (n *nodeServer) count() (count int, err error) {
	err = n.peer.call("serverCount", object{"server": n.number}, &count)
	return count, err
}

func (n *nodeServer) has(socket string) (has bool, err error) {
	err = n.peer.call("has", object{"server": n.number, "socket": socket}, &has)
	return has, err
}

func (n *nodeServer) close() error {
	return n.peer.call("closeServer", object{"server": n.number}, nil)
}
