package socketio

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Server is a Socket.IO server. It is an http.Handler, and has all methods of
// its main namespace, "/". All methods may be called from any goroutine.
type Server struct {
	*Namespace // "/"

	config     Config
	engine     *engineio.Server
	inboxLimit int64
	bundle     *bundle // nil without ServeClient
	crew       crew
	ctx        context.Context // of what runs for no socket; ends when the server is closed
	cancel     context.CancelCauseFunc
	clients    clients
	decoders   sync.Pool // of sioparser.Decoder: a connection that is idle needs none
	created    list[func(*Namespace)]
	hinted     sync.Map // names of events that hint has warned of

	mu         sync.RWMutex
	namespaces map[string]*Namespace
	changing   map[string]chan struct{} // names of namespaces that are being made or closed; closed when that is over
	parents    []*ParentNamespace
	closed     bool // nothing new comes into being
}

// NewServer makes a server. It answers requests until Shutdown or Close.
func NewServer(config Config) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	srv := &Server{config: config, namespaces: make(map[string]*Namespace), changing: make(map[string]chan struct{})}
	srv.ctx, srv.cancel = context.WithCancelCause(context.WithValue(context.Background(), peersKey{}, true))
	if srv.engine, err = srv.config.newEngine(); err != nil {
		return nil, err
	}
	srv.decoders.New = func() any { return config.Codec.NewDecoder(config.Limits) }
	srv.inboxLimit = inboxFactor * srv.engine.MaxPayload()
	if srv.bundle, err = newBundle(config.ServeClient, config.Path); err != nil {
		return nil, err
	}
	if srv.bundle != nil {
		srv.bundle.serve = srv.engine.WithCORS(srv.bundle.serve)
	}
	if srv.Namespace, err = srv.newNamespace("/", nil); err != nil {
		return nil, err
	}
	srv.namespaces["/"] = srv.Namespace
	close(srv.ready)
	if err := srv.engine.Handle(sessions{srv}); err != nil {
		return nil, errors.Join(err, srv.adapter.Close(context.Background()))
	}
	return srv, nil
}

// ServeHTTP answers the requests of clients: of all that are given to it, or,
// with Config.Path, of those below that path.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path := srv.config.Path; path != "" && !strings.HasPrefix(r.URL.Path, path) {
		http.NotFound(w, r)
		return
	}
	if srv.bundle.find(r) != nil {
		srv.bundle.serve.ServeHTTP(w, r)
		return
	}
	srv.engine.ServeHTTP(w, r)
}

// Engine is the Engine.IO server below.
func (srv *Server) Engine() *engineio.Server { return srv.engine }

// Of returns the namespace of that name, and makes it if there is none. A slash
// is put in front of a name that has none. If it matches a pattern of OfPattern,
// it becomes a child of that parent. If its adapter can't be made, the error is
// logged and every use of the namespace fails with it.
func (srv *Server) Of(name string) *Namespace {
	name = "/" + strings.TrimPrefix(name, "/")
	if n := srv.namespace(name); n != nil {
		return n
	}
	var parent *ParentNamespace
	for _, p := range srv.parentList() {
		if p.pattern != nil && p.pattern.MatchString(name) {
			parent = p
			break
		}
	}
	n, err := srv.create(srv.ctx, name, parent)
	if err != nil {
		srv.config.Logger.Error("socketio: adapter", "namespace", name, "error", err)
	}
	return n
}

// OfPattern lets namespaces come into being whose names match: when a client
// asks for one, or Of does. Parents are asked in the order of their making.
func (srv *Server) OfPattern(pattern *regexp.Regexp) *ParentNamespace {
	mustNotBeNil(pattern)
	return srv.addParent(&ParentNamespace{pattern: pattern, match: func(_ context.Context, name string, _ *Handshake) bool {
		return pattern.MatchString(name)
	}})
}

// OfMatch lets namespaces come into being that match says yes to when a client
// asks for one. It is called on the goroutine of that client's new socket.
func (srv *Server) OfMatch(match Matcher) *ParentNamespace {
	mustNotBeNil(match)
	return srv.addParent(&ParentNamespace{match: match})
}

func (srv *Server) addParent(p *ParentNamespace) *ParentNamespace {
	p.server = srv
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.parents = append(slices.Clip(srv.parents), p)
	return p
}

// Namespaces yields the namespaces as they are now, in no order.
func (srv *Server) Namespaces() iter.Seq[*Namespace] {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	return slices.Values(slices.Collect(maps.Values(srv.namespaces)))
}

// OnNewNamespace calls h for each namespace that comes into being from now on,
// before anybody joins it. h must not wait for Shutdown, which waits for h.
func (srv *Server) OnNewNamespace(h func(*Namespace)) (stop func()) { return srv.created.add(h) }

// namespace returns a namespace that exists, or nil.
func (srv *Server) namespace(name string) *Namespace {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	return srv.namespaces[name]
}

func (srv *Server) parentList() []*ParentNamespace {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	return srv.parents
}

// mayMake reports whether a namespace that does not exist may come into being:
// a pattern matches, or a function has to be asked.
func (srv *Server) mayMake(name string) bool {
	for _, p := range srv.parentList() {
		if p.pattern == nil || p.pattern.MatchString(name) {
			return true
		}
	}
	return false
}

// resolve finds the namespace that a socket asks for, or the first parent that
// lets it come into being.
func (srv *Server) resolve(ctx context.Context, s *Socket) (*Namespace, error) {
	if n := srv.namespace(s.name); n != nil {
		return n, nil
	}
	for _, p := range srv.parentList() {
		matches, err := s.matches(ctx, p)
		if err != nil {
			return nil, err
		}
		if matches {
			return srv.create(ctx, s.name, p)
		}
	}
	return nil, errInvalidNamespace
}

func (s *Socket) matches(ctx context.Context, p *ParentNamespace) (ok bool, err error) {
	defer recovered(&err)
	return p.match(ctx, s.name, s.Handshake()), nil
}

// create makes a namespace, unless somebody else was faster. With an error it
// returns one that is good for nothing.
func (srv *Server) create(ctx context.Context, name string, parent *ParentNamespace) (*Namespace, error) {
	existing, err := srv.reserve(ctx, name)
	if existing != nil {
		return existing, nil
	}
	if err != nil {
		return srv.brokenNamespace(name, parent, err)
	}
	n, err := srv.newNamespace(name, parent)
	srv.mu.Lock()
	if srv.closed && err == nil {
		err = ErrClosed
		defer func(made adapter.Adapter) {
			ctx, cancel := context.WithTimeout(context.Background(), goodbyeTimeout)
			defer cancel()
			_ = made.Close(ctx)
		}(n.adapter)
		n.adapter = brokenAdapter{err}
	}
	if err == nil || parent == nil {
		srv.namespaces[name] = n
	}
	if err != nil {
		close(n.ready)
	}
	if err == nil && parent != nil {
		parent.adopt(n)
	}
	srv.vacate(name)
	srv.mu.Unlock()
	if err != nil {
		return n, err
	}
	defer close(n.ready)
	for _, h := range srv.created.all() {
		if err := n.announce(*h); err != nil {
			srv.config.warn("hook for new namespaces", err, "namespace", name)
		}
	}
	return n, nil
}

// reserve waits until nobody else makes or closes a namespace of that name, and
// returns the one that there is then. If there is none, the name is the caller's
// until it calls vacate: an adapter greets the other servers when it is made and
// says goodbye when it is closed, and two of one name must not do so in between.
func (srv *Server) reserve(ctx context.Context, name string) (existing *Namespace, err error) {
	for {
		srv.mu.Lock()
		existing, busy := srv.namespaces[name], srv.changing[name]
		if existing == nil && busy == nil {
			srv.changing[name] = make(chan struct{})
		}
		srv.mu.Unlock()
		if existing != nil || busy == nil {
			return existing, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// vacate undoes reserve. srv.mu is held.
func (srv *Server) vacate(name string) {
	close(srv.changing[name])
	delete(srv.changing, name)
}

func (n *Namespace) announce(h func(*Namespace)) (err error) {
	defer recovered(&err)
	h(n)
	return nil
}

func (srv *Server) newNamespace(name string, parent *ParentNamespace) (*Namespace, error) {
	n := &Namespace{server: srv, name: name, parent: parent, sockets: make(map[string]*Socket), ready: make(chan struct{})}
	n.peers.inbox.limit = srv.inboxLimit
	n.goodbye = sync.OnceValues(func() (*engineio.Prepared, error) {
		return encode(srv.config.Codec, &sioparser.Packet{Type: sioparser.Disconnect, Namespace: name})
	})
	a, err := srv.config.newAdapter(name, srv.engine.Outbox(), local{n})
	if err != nil {
		err = fmt.Errorf("socketio: adapter of %s: %w", name, err)
		n.adapter = brokenAdapter{err}
		return n, err
	}
	n.adapter = a
	if srv.config.Recovery != nil {
		store, ok := a.(adapter.SessionStore)
		if !ok {
			err = fmt.Errorf("socketio: Config.Recovery: the adapter of %s (%T) keeps no sessions; leave it nil, or use an adapter that keeps a log and set its MaxDisconnection", name, a)
			n.adapter = brokenAdapter{err}
			return n, errors.Join(err, a.Close(context.Background()))
		}
		n.store, n.byPID = store, make(map[string]*Socket)
	}
	return n, nil
}

// brokenNamespace is one that nobody finds, and whose every use fails with err.
func (srv *Server) brokenNamespace(name string, parent *ParentNamespace, err error) (*Namespace, error) {
	n := &Namespace{server: srv, name: name, parent: parent, adapter: brokenAdapter{err}, ready: make(chan struct{})}
	close(n.ready)
	return n, err
}

// goodbyeTimeout bounds how long the adapter of a namespace that was cleaned up
// may take to end: until then nobody gets another namespace of that name.
const goodbyeTimeout = 10 * time.Second

// drop removes a dynamic namespace that is empty.
func (srv *Server) drop(n *Namespace) {
	srv.mu.Lock()
	delete(srv.namespaces, n.name)
	srv.changing[n.name] = make(chan struct{})
	srv.mu.Unlock()
	n.parent.abandon(n)
	srv.crew.enter()
	go func() { // an adapter may take its time to say goodbye; Shutdown waits through the crew
		defer srv.crew.leave()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(srv.ctx), goodbyeTimeout) // Shutdown's is a goodbye, too
		defer cancel()
		if err := n.adapter.Close(ctx); err != nil && !errors.Is(err, ErrClosed) {
			srv.config.Logger.Warn("socketio: adapter", "namespace", n.name, "error", err)
		}
		srv.mu.Lock()
		srv.vacate(n.name)
		srv.mu.Unlock()
	}()
}
