package redisstreams

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"sync"
	"unicode/utf16"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub"
)

// log is the [cluster.Log] of a server: streams for what may be replayed, channels
// for requests and responses. Readers of streams exist while they are followed.
type log struct {
	*redispubsub.Bus
	config Config

	mu      sync.Mutex
	readers map[string]*reader // by stream
}

var (
	_ cluster.Log               = (*log)(nil)
	_ cluster.SubscriberCounter = (*log)(nil)
	_ cluster.BatchPublisher    = (*log)(nil)
)

func newLog(config Config) *log {
	return &log{
		Bus:     redispubsub.NewBus(config.Client, config.ShardedChannels, config.Logger),
		config:  config,
		readers: make(map[string]*reader),
	}
}

// stream returns the name of the stream that a namespace is in.
func (l *log) stream(namespace string) string {
	if l.config.Streams == 1 {
		return l.config.Stream
	}
	return l.config.Stream + "-" + strconv.Itoa(int(hash(namespace))%l.config.Streams)
}

// hash is that of the official adapter: over UTF-16, in 32 bits with a sign, so
// that a stream's number may be negative.
func hash(s string) (h int32) {
	for _, c := range utf16.Encode([]rune(s)) {
		h = h*31 + int32(c)
	}
	return h
}

// once is a command that go-redis must not send again: it may have been executed.
type once struct{ *redis.StringCmd }

// NoRetry implements [redis.Cmder].
func (once) NoRetry() bool { return true }

// Append implements [cluster.Log]. A batch is one transaction: all of it is in the
// stream or nothing.
func (l *log) Append(ctx context.Context, namespace string, batch [][]byte) (n int, err error) {
	stream := l.stream(namespace)
	tx := l.config.Client.TxPipeline()
	for _, data := range batch {
		var f fields
		if err := f.unpack(data); err != nil {
			return 0, err
		}
		args := []any{"xadd", stream, "maxlen", "~", l.config.MaxLen, "*"}
		for i, v := range f {
			if v != "" || i < fieldData {
				args = append(args, fieldNames[i], v)
			}
		}
		_ = tx.Process(ctx, once{redis.NewStringCmd(ctx, args...)}) // only queues
	}
	if _, err := tx.Exec(ctx); err != nil {
		return 0, fmt.Errorf("redisstreams: append: %w", err)
	}
	return len(batch), nil
}

// Follow implements [cluster.Log].
func (l *log) Follow(namespace string, f cluster.Follower) (stop func(), err error) {
	name := l.stream(namespace)
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.readers[name]
	if r == nil {
		if r, err = startReader(l, name); err != nil {
			return nil, err
		}
		l.readers[name] = r
	}
	r.add(namespace, f)
	return sync.OnceFunc(func() {
		l.mu.Lock()
		last := r.remove(namespace, f)
		if last {
			delete(l.readers, name)
		}
		l.mu.Unlock()
		if last {
			r.close()
		}
	}), nil
}

// pageSize is how many entries are read at once for a replay.
const pageSize = 1000

// Read implements [cluster.Log].
func (l *log) Read(ctx context.Context, namespace string, after cluster.Offset) iter.Seq2[cluster.Entry, error] {
	return func(yield func(cluster.Entry, error) bool) {
		stream := l.stream(namespace)
		end, err := tail(ctx, l.config.Client, stream)
		if err != nil {
			yield(cluster.Entry{}, err)
			return
		}
		for at := after; end.After(at); {
			page, err := l.config.Client.XRangeN(ctx, stream, next(at).String(), end.String(), pageSize).Result()
			if err != nil {
				yield(cluster.Entry{}, fmt.Errorf("redisstreams: read: %w", err))
				return
			}
			for _, m := range page {
				e, nsp, err := entry(m)
				if (e.At != cluster.Offset{}) {
					at = e.At
				}
				if err != nil {
					continue // no entry of any adapter's
				}
				if nsp == namespace && !yield(e, nil) {
					return
				}
			}
			if len(page) < pageSize {
				break
			}
		}
		// What follows an entry that is still there was not dropped meanwhile.
		if err := kept(ctx, l.config.Client, stream, after); err != nil {
			yield(cluster.Entry{}, err)
		}
	}
}

// next returns the first place behind o.
func next(o cluster.Offset) cluster.Offset {
	o.Minor++
	if o.Minor == 0 {
		o.Major++
	}
	return o
}

// tail returns the offset of the last entry of a stream, zero if it is empty.
func tail(ctx context.Context, client redis.Cmdable, stream string) (cluster.Offset, error) {
	last, err := client.XRevRangeN(ctx, stream, "+", "-", 1).Result()
	if err != nil {
		return cluster.Offset{}, fmt.Errorf("redisstreams: read: %w", err)
	}
	if len(last) == 0 {
		return cluster.Offset{}, nil
	}
	return cluster.ParseOffset(last[0].ID)
}

// kept returns nil if nothing after the place at can have been dropped: its entry
// is there. Of the place before all entries only a stream that was never trimmed
// can say so.
func kept(ctx context.Context, client redis.Cmdable, stream string, at cluster.Offset) error {
	if (at == cluster.Offset{}) {
		info, err := client.XInfoStream(ctx, stream).Result()
		switch {
		case err != nil && isMissing(err):
			return nil
		case err != nil:
			return fmt.Errorf("redisstreams: read: %w", err)
		case info.EntriesAdded != info.Length:
			return cluster.ErrTrimmed
		}
		return nil
	}
	found, err := client.XRangeN(ctx, stream, at.String(), at.String(), 1).Result()
	switch {
	case err != nil:
		return fmt.Errorf("redisstreams: read: %w", err)
	case len(found) == 0:
		return cluster.ErrTrimmed
	}
	return nil
}

func isMissing(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && reply.Error() == "ERR no such key"
}

// entry turns what Redis has into what a follower gets.
func entry(m redis.XMessage) (e cluster.Entry, namespace string, err error) {
	if e.At, err = cluster.ParseOffset(m.ID); err != nil {
		return e, "", err
	}
	var f fields
	for name, value := range m.Values {
		if text, ok := value.(string); ok {
			f.set(name, text)
		}
	}
	if f[fieldNamespace] == "" {
		return e, "", errFields
	}
	e.Data = f.pack(nil)
	return e, f[fieldNamespace], nil
}
