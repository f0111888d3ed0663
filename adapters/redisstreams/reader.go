package redisstreams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
)

const (
	// blockFor is how long Redis may hold an XREAD when there is nothing. go-redis
	// waits ten seconds more for its answer, so that a Redis that freezes for less
	// goes on where it was.
	blockFor = time.Second
	// retryEvery is the pause between attempts to reach Redis.
	retryEvery = 100 * time.Millisecond
)

// reader hands on the entries of one stream, to the followers of the namespaces in
// it. Its goroutine and its connection exist until close.
type reader struct {
	log    *log
	stream string
	client redis.UniversalClient // of its own: blocked most of the time, closed to wake it
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	mu        sync.Mutex // held while followers are called
	begun     bool
	at        cluster.Offset // the last entry that was handed on
	followers map[string][]cluster.Follower
}

func startReader(l *log, stream string) (*reader, error) {
	client, err := duplicate(l.config.Client)
	if err != nil {
		return nil, err
	}
	r := &reader{log: l, stream: stream, client: client, done: make(chan struct{}), followers: make(map[string][]cluster.Follower)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go r.run() // close waits for it
	return r, nil
}

// duplicate returns a client with one connection to the same Redis.
func duplicate(client redis.UniversalClient) (redis.UniversalClient, error) {
	switch c := client.(type) {
	case *redis.Client:
		options := *c.Options()
		options.PoolSize, options.MinIdleConns, options.MaxRetries = 1, 0, -1
		options.PushNotificationProcessor = nil // the other client's
		return redis.NewClient(&options), nil
	case *redis.ClusterClient:
		options := *c.Options()
		options.PoolSize, options.MinIdleConns = 1, 0
		return redis.NewClusterClient(&options), nil
	}
	return nil, fmt.Errorf("redisstreams: a stream can't be followed with a %T", client)
}

func (r *reader) close() {
	r.cancel()
	_ = r.client.Close() // what it waits for ends
	<-r.done
}

// add begins to hand entries on to f.
func (r *reader) add(namespace string, f cluster.Follower) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.followers[namespace] = append(r.followers[namespace], f)
	if r.begun {
		f.Begin(r.at)
	}
}

// remove ends that, and reports whether nobody is left. f is not running when it
// returns.
func (r *reader) remove(namespace string, f cluster.Follower) (last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.DeleteFunc(r.followers[namespace], func(x cluster.Follower) bool { return x == f })
	if r.followers[namespace] = list; len(list) == 0 {
		delete(r.followers, namespace)
	}
	return len(r.followers) == 0
}

func (r *reader) run() {
	defer close(r.done)
	lost := true // the place has to be found, or checked
	for r.ctx.Err() == nil {
		err := error(nil)
		if lost {
			err = r.find()
		}
		if err == nil {
			lost = false
			err = r.read()
		}
		if err != nil && r.ctx.Err() == nil {
			lost = true
			r.log.config.Logger.Debug("redisstreams: the stream can't be read", "stream", r.stream, "error", err)
			select {
			case <-time.After(retryEvery):
			case <-r.ctx.Done():
			}
		}
	}
}

// find makes sure that reading can go on where it was. If entries may be missing
// in between, it goes on at the end.
func (r *reader) find() error {
	r.mu.Lock()
	begun, at := r.begun, r.at
	r.mu.Unlock()
	end, err := tail(r.ctx, r.client, r.stream)
	if err != nil {
		return err
	}
	if begun && !at.After(end) {
		switch err := kept(r.ctx, r.client, r.stream, at); {
		case err == nil:
			return nil
		case !errors.Is(err, cluster.ErrTrimmed):
			return err
		}
	}
	if begun {
		r.log.config.Logger.Warn("redisstreams: the stream has lost entries that were not read", "stream", r.stream)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun, r.at = true, end
	for _, list := range r.followers {
		for _, f := range list {
			f.Begin(end)
		}
	}
	return nil
}

// read waits for entries and hands them on.
func (r *reader) read() error {
	// Only this goroutine changes r.at.
	streams, err := r.client.XRead(r.ctx, &redis.XReadArgs{
		Streams: []string{r.stream, r.at.String()}, Count: r.log.config.ReadCount, Block: blockFor,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil // nothing came
	}
	if err != nil {
		return err
	}
	if err := r.gap(streams); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.passed()
	for _, s := range streams {
		for _, m := range s.Messages {
			at, err := cluster.ParseOffset(m.ID)
			if err != nil {
				return err
			}
			r.at = at
			e, namespace, err := entry(m)
			if err != nil {
				continue // no entry of any adapter's
			}
			for _, f := range r.followers[namespace] {
				f.Entry(e)
			}
		}
	}
	return nil
}

// gap says so if entries before those that were read may have been dropped unread.
// Only a reader that is far behind can miss any.
func (r *reader) gap(streams []redis.XStream) error {
	for _, s := range streams {
		n := int64(len(s.Messages))
		if n == 0 || n < min(r.log.config.ReadCount, r.log.config.MaxLen) {
			continue
		}
		switch err := kept(r.ctx, r.client, r.stream, r.at); {
		case errors.Is(err, cluster.ErrTrimmed):
		case err != nil:
			return err
		default:
			continue
		}
		r.log.config.Logger.Warn("redisstreams: the stream has lost entries that were not read", "stream", r.stream)
		first, err := cluster.ParseOffset(s.Messages[0].ID)
		if err != nil {
			return err
		}
		r.mu.Lock()
		for _, list := range r.followers {
			for _, f := range list {
				f.Begin(before(first))
			}
		}
		r.mu.Unlock()
	}
	return nil
}

// before returns the last place before o.
func before(o cluster.Offset) cluster.Offset {
	if o.Minor == 0 {
		o.Major--
	}
	o.Minor--
	return o
}

// passed tells all followers how far the stream was read. mu is held.
func (r *reader) passed() {
	for _, list := range r.followers {
		for _, f := range list {
			if p, ok := f.(cluster.Passer); ok {
				p.Passed(r.at)
			}
		}
	}
}
