package client

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	engine "github.com/siokit/siokit/engineio/client"
)

// run connects, and connects again, as long as some socket wants to be joined.
// It is the goroutine that Client.running tells of.
func (c *Client) run() {
	delays := backoff{config: &c.config}
	for {
		ctx, cancel, ok := c.next()
		if !ok {
			return
		}
		attempt := delays.attempts
		if attempt > 0 {
			c.announce(&c.attempting, attempt)
		}
		err := c.connect(ctx, &delays)
		switch {
		case ctx.Err() != nil: // nobody wanted it any longer; somebody may by now
			delays.reset()
		case c.config.NoReconnection || delays.spent():
			c.resign(err, attempt > 0)
			delays.reset()
		default:
			sleep(ctx, delays.next())
		}
		cancel()
	}
}

// next returns the context of the next attempt and the connection that comes of
// it, or false if there is to be none.
func (c *Client) next() (context.Context, context.CancelFunc, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted() {
		c.running = false
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.stop = cancel
	return ctx, cancel, true
}

// wanted reports whether any socket wants to be joined. The caller holds mu.
func (c *Client) wanted() bool {
	for _, s := range c.sockets {
		if s.wanted {
			return !c.closed
		}
	}
	return false
}

// want starts what connects, unless it runs already; or joins over what is
// connected. The caller holds mu.
func (c *Client) want(s *Socket) {
	s.wanted = true
	switch {
	case c.conn != nil && !c.conn.leaving && s.attempt == nil:
		s.join(c.conn)
	case !c.running:
		c.running = true
		c.crew.start(c.run)
	}
}

// unwant ends what connects if nobody wants it any more. The caller holds mu.
func (c *Client) unwant() {
	if c.stop == nil || c.wanted() {
		return
	}
	c.stop()
	if c.conn != nil {
		c.conn.leaving = true
	}
}

// connect makes a connection and returns when it has ended, or failed.
func (c *Client) connect(ctx context.Context, delays *backoff) error {
	dial, cancel := ctx, context.CancelFunc(func() {})
	if c.config.Timeout > 0 {
		dial, cancel = context.WithTimeoutCause(ctx, c.config.Timeout, ErrTimeout)
	}
	k := &conn{client: c, ctx: ctx, attempt: delays.attempts, decoder: c.config.Codec.NewDecoder(c.config.Limits)}
	options, err := c.prepare(dial, delays.attempts)
	var session *engine.Session
	if err == nil {
		session, err = engine.Dial(dial, c.url, k, options)
	}
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			c.failed(err)
		}
		return err
	}
	delays.reset()
	select {
	case <-session.Done():
	case <-ctx.Done():
		k.part()
	}
	return k.why
}

// prepare returns the options of an attempt.
func (c *Client) prepare(ctx context.Context, attempt int) (options engine.Config, err error) {
	options = c.config.Engine
	if c.config.Prepare == nil {
		return options, nil
	}
	options.Query = maps.Clone(options.Query)
	if options.Header = options.Header.Clone(); options.Header == nil {
		options.Header = http.Header{}
	}
	defer recovered(&err)
	if err := c.config.Prepare(ctx, attempt, &options); err != nil {
		return options, fmt.Errorf("socketio: prepare: %w", err)
	}
	return options, nil
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// failed tells all sockets that an attempt to connect was in vain.
func (c *Client) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sockets {
		if s.wanted {
			s.refused(err)
		}
	}
}

// resign gives up: sockets don't wait for a connection any longer.
func (c *Client) resign(err error, tried bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sockets {
		if s.wanted {
			s.wanted = false
			s.settle(err)
		}
	}
	if tried {
		for _, h := range c.resigned.all {
			c.events.add(task{run: func() { c.call(func() { (*h)(c.ctx) }) }})
		}
	}
}

// announce calls hooks that tell of attempts.
func (c *Client) announce(h *hooks[func(context.Context, int)], attempt int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range h.all {
		c.events.add(task{run: func() { c.call(func() { (*h)(c.ctx, attempt) }) }})
	}
}
