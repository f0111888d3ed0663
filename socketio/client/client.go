package client

import (
	"context"
	"sync"
	"time"
)

// closeTime is how long Close waits for the connection, and then for handlers.
const closeTime = 5 * time.Second

// Client is a connection to a server that comes back by itself, and the sockets
// of the namespaces that are joined over it. It embeds the Socket of the main
// namespace: c.On, c.Emit and so on are those of "/". All methods may be called
// from any goroutine.
type Client struct {
	*Socket

	// Immutable.
	config Config
	url    string
	ctx    context.Context // ends with Close; handlers get it
	cancel context.CancelCauseFunc
	cut    context.Context // ends when a goodbye is not waited for any longer
	hurry  context.CancelFunc

	crew crew

	// mu guards everything below, and the fields of sockets and connections that
	// say so. No user code runs under it.
	mu      sync.Mutex
	closed  bool
	sockets map[string]*Socket
	running bool               // the goroutine that connects exists
	stop    context.CancelFunc // ends its present attempt or connection
	conn    *conn              // the open connection; nil: none
	events  dispatcher         // for the hooks below

	attempting hooks[func(ctx context.Context, attempt int)]
	returned   hooks[func(ctx context.Context, attempt int)]
	resigned   hooks[func(ctx context.Context)]
	upgraded   hooks[func(ctx context.Context, transport string, err error)]
}

// New makes a client of the server at url: http, https, ws or wss. A path in it
// is where the server is mounted, by default /socket.io/; it is not a
// namespace. A query is sent with every request. Nothing is opened before
// Connect or Open.
func New(url string, config Config) (*Client, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	url, err := endpoint(url)
	if err != nil {
		return nil, err
	}
	if config.Engine.Logger == nil {
		config.Engine.Logger = config.Logger
	}
	c := &Client{config: config, url: url, sockets: make(map[string]*Socket)}
	c.ctx, c.cancel = context.WithCancelCause(context.WithValue(context.Background(), clientKey{}, c))
	c.cut, c.hurry = context.WithCancel(context.Background())
	c.events.client = c
	c.Socket = c.Of("/")
	return c, nil
}

// clientKey finds the client in the context of its handlers.
type clientKey struct{}

// Of returns the socket of a namespace, always the same one. Its name begins
// with a slash, which may be left out.
func (c *Client) Of(namespace string) *Socket {
	if namespace == "" || namespace[0] != '/' {
		namespace = "/" + namespace
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sockets[namespace]
	if s == nil {
		s = newSocket(c, namespace)
		c.sockets[namespace] = s
	}
	return s
}

// OnReconnectAttempt calls h before each attempt to connect after the first one.
func (c *Client) OnReconnectAttempt(h func(ctx context.Context, attempt int)) (stop func()) {
	return c.attempting.add(&c.mu, h)
}

// OnReconnect calls h when an attempt after the first one has led to a
// connection. Its sockets have not joined their namespaces yet.
func (c *Client) OnReconnect(h func(ctx context.Context, attempt int)) (stop func()) {
	return c.returned.add(&c.mu, h)
}

// OnReconnectFailed calls h when Config.ReconnectionAttempts are used up. Open or
// Connect begins anew.
func (c *Client) OnReconnectFailed(h func(ctx context.Context)) (stop func()) {
	return c.resigned.add(&c.mu, h)
}

// OnUpgrade calls h when the connection has moved to another transport, or, with
// an error, when an attempt to do so has failed: it goes on as it was then.
func (c *Client) OnUpgrade(h func(ctx context.Context, transport string, err error)) (stop func()) {
	return c.upgraded.add(&c.mu, h)
}

// Transport names what carries the connection at the moment, "" if there is
// none.
func (c *Client) Transport() string {
	c.mu.Lock()
	k := c.conn
	c.mu.Unlock()
	if k == nil {
		return ""
	}
	return k.session.Transport()
}

// Close is Shutdown that gives the connection five seconds to send what is
// queued, and handlers five more to return; if they don't, the error is
// ErrHandlersRun. A handler calls Shutdown, or Disconnect, instead.
func (c *Client) Close() error {
	defer time.AfterFunc(closeTime, c.hurry).Stop()
	ctx, cancel := context.WithTimeoutCause(context.Background(), 2*closeTime, ErrHandlersRun)
	defer cancel()
	return c.Shutdown(ctx)
}

// Shutdown sends what Emit has queued for the connection, leaves all namespaces,
// closes the connection and waits: until nothing of the client runs any more, or
// ctx ends, which cuts the connection. Handlers' contexts end at once, and
// events that wait for a handler are dropped. What waits for a connection or,
// with Config.Retries, for an acknowledgement, fails with ErrClosed. A handler
// may call it with its own ctx; then that one is not waited for.
func (c *Client) Shutdown(ctx context.Context) error {
	own := 0
	if ctx.Value(clientKey{}) == c {
		own = 1 // and closing ends ctx
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(context.WithoutCancel(ctx), closeTime, ErrHandlersRun)
		defer cancel()
	}
	c.mu.Lock()
	c.closed = true
	for _, s := range c.sockets {
		s.disconnect(&DisconnectError{Reason: ClientDisconnect}, ErrClosed)
	}
	c.mu.Unlock()
	c.cancel(ErrClosed)
	defer context.AfterFunc(ctx, c.hurry)()
	return c.crew.wait(ctx, own)
}
