package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// maxChannel is PostgreSQL's limit for the name of a channel, in bytes.
	maxChannel = 63
	// quiet is after how much silence the connection is tried.
	quiet = 5 * time.Second
	// connectTimeout bounds one attempt; the pauses between attempts grow between
	// the other two, less up to a half.
	connectTimeout = 2 * time.Second
	pauseFirst     = 50 * time.Millisecond
	pauseLast      = time.Second
)

// listener has the connection that listens for all namespaces of a server. Its
// two goroutines, one for that and one that cleans up, exist while there is a
// channel; who removes the last one waits for them.
type listener struct {
	config *Config
	fetch  string // the query for an attachment

	mu       sync.Mutex
	channels map[string]*channel
	changed  bool               // channels are not those that are listened to
	wake     context.CancelFunc // ends the wait for a notification
	cancel   context.CancelFunc // ends the goroutines
	running  *sync.WaitGroup    // these goroutines
}

// channel is one namespace's.
type channel struct {
	uid     string
	receive func([]byte)
	ready   chan struct{} // closed when it was listened to for the first time
	begun   bool          // ready is closed; the goroutine's

	mu      sync.Mutex // held while receive runs
	stopped bool
}

func newListener(config *Config) *listener {
	return &listener{
		config:   config,
		fetch:    "SELECT payload FROM " + quoteTable(config.TableName) + " WHERE id = $1::text::bigint",
		channels: make(map[string]*channel),
	}
}

// add has what comes on a channel handed to receive, except what uid itself has
// put into the table. stop waits for receive.
func (l *listener) add(name, uid string, receive func([]byte)) (ready <-chan struct{}, stop func(), err error) {
	if len(name) > maxChannel {
		return nil, nil, fmt.Errorf("postgres: the channel %.80q is longer than %d bytes", name, maxChannel)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.channels[name] != nil {
		return nil, nil, fmt.Errorf("postgres: the channel %q is in use", name)
	}
	ch := &channel{uid: uid, receive: receive, ready: make(chan struct{})}
	l.channels[name] = ch
	l.change()
	if l.cancel == nil {
		var ctx context.Context
		ctx, l.cancel = context.WithCancel(context.Background())
		l.running = new(sync.WaitGroup) // the last ones may still be ending
		l.running.Go(func() { l.run(ctx) })
		l.running.Go(func() { cleanup(ctx, l.config) })
	}
	return ch.ready, func() { l.remove(name, ch) }, nil
}

func (l *listener) remove(name string, ch *channel) {
	l.mu.Lock()
	delete(l.channels, name)
	l.change()
	last, running := len(l.channels) == 0, l.running
	if last {
		l.cancel()
		l.cancel = nil
	}
	l.mu.Unlock()
	ch.mu.Lock()
	ch.stopped = true
	ch.mu.Unlock()
	if last {
		running.Wait()
	}
}

// change is called with mu held.
func (l *listener) change() {
	l.changed = true
	if l.wake != nil {
		l.wake()
	}
}

// run listens, on one connection after the other.
func (l *listener) run(ctx context.Context) {
	for pause := pauseFirst; ; pause = min(2*pause, pauseLast) {
		begun := time.Now()
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		l.config.OnError(failed("listen", err))
		if time.Since(begun) > 2*connectTimeout {
			pause = pauseFirst // it had worked
		}
		wait := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}

// listen does so on one connection, until that or ctx ends.
func (l *listener) listen(ctx context.Context) error {
	attempt, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	config := l.config.Pool.Config()
	if config.BeforeConnect != nil { // it may be what knows the password
		if err := config.BeforeConnect(attempt, config.ConnConfig); err != nil {
			return err
		}
	}
	conn, err := pgx.ConnectConfig(attempt, config.ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_ = conn.Close(bye) // it has ended, or is not needed
	}()
	if config.AfterConnect != nil {
		if err := config.AfterConnect(attempt, conn); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.changed = true
	l.mu.Unlock()
	listening := make(map[string]struct{})
	for {
		wait, cancel := context.WithTimeout(ctx, quiet)
		err := l.next(wait, cancel, conn, listening)
		cancel()
		switch {
		case err == nil:
		case ctx.Err() != nil || conn.IsClosed():
			return err
		case errors.Is(err, context.DeadlineExceeded):
			if err := try(ctx, conn); err != nil {
				return err
			}
		case !errors.Is(err, context.Canceled): // by change
			return err
		}
	}
}

// try finds out whether the connection still works.
func try(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	return conn.Ping(ctx)
}

// next listens to what is to be listened to, and hands on the next notification.
// wake ends wait.
func (l *listener) next(wait context.Context, wake context.CancelFunc, conn *pgx.Conn, listening map[string]struct{}) error {
	l.mu.Lock()
	if err := wait.Err(); err != nil { // changes are for those who listen now
		l.mu.Unlock()
		return err
	}
	l.wake = wake
	changed := l.changed
	l.changed = false
	want := make(map[string]*channel)
	if changed {
		for name, ch := range l.channels {
			want[name] = ch
		}
	}
	l.mu.Unlock()
	if changed {
		if err := tune(conn, want, listening); err != nil {
			return err
		}
	}
	n, err := conn.WaitForNotification(wait)
	if err != nil {
		return err
	}
	l.mu.Lock()
	ch := l.channels[n.Channel]
	l.mu.Unlock()
	if ch != nil {
		ch.hand(l.message(ch, n.Payload))
	}
	return nil
}

// tune makes the connection listen to what is wanted.
func tune(conn *pgx.Conn, want map[string]*channel, listening map[string]struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	for name, ch := range want {
		if _, on := listening[name]; !on {
			if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
				return err
			}
			listening[name] = struct{}{}
		}
		if !ch.begun {
			ch.begun = true
			close(ch.ready)
		}
	}
	for name := range listening {
		if want[name] == nil {
			if _, err := conn.Exec(ctx, "UNLISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
				return err
			}
			delete(listening, name)
		}
	}
	return nil
}

// message returns what a notification is about: itself, or what is in the table.
// nil is nothing.
func (l *listener) message(ch *channel, text string) []byte {
	data := []byte(text)
	h, ok := readHeader(data)
	if !ok {
		return data // for the adapter to judge
	}
	if h.UID == ch.uid {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	var payload []byte
	err := l.config.Pool.QueryRow(ctx, l.fetch, h.AttachmentID.String()).Scan(&payload)
	if err != nil {
		l.config.OnError(failed("attachment", err))
	}
	if payload == nil {
		return data // which the adapter counts as a bad message
	}
	return payload
}

func (ch *channel) hand(data []byte) {
	if data == nil {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.stopped {
		ch.receive(data)
	}
}
