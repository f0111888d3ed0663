package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/siokit/siokit/adapters/cluster"
)

// log is a bus with a log: the part of the stream that has the subject of the
// namespace. An offset is the time at which the stream was made, in milliseconds,
// and the number of the message: a stream that was made anew knows the offsets of
// the one before as none of its own.
type log struct {
	*bus
	*store
}

var _ cluster.Log = (*log)(nil)

func newLog(b *bus, s *store) *log { return &log{b, s} }

func (l *log) subject(namespace string) string { return subjects{l.prefix, namespace}.log() }

// Append implements [cluster.Log].
func (l *log) Append(ctx context.Context, namespace string, batch [][]byte) (int, error) {
	return l.append(ctx, l.subject(namespace), batch)
}

// extent is what a stream holds.
type extent struct {
	made        uint64 // when, in milliseconds
	first, last uint64 // numbers of messages; first is last+1 if there is none
}

func (s *store) extent(ctx context.Context, o *opened) (extent, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := o.stream.Info(ctx)
	if err != nil {
		s.forget()
		return extent{}, fmt.Errorf("nats: stream: %w", err)
	}
	x := extent{uint64(info.Created.UnixMilli()), info.State.FirstSeq, info.State.LastSeq}
	if info.State.Msgs == 0 {
		x.first = x.last + 1
	}
	return x, nil
}

// holds reports whether everything after the given place is there.
func (x extent) holds(after cluster.Offset) bool {
	if after == (cluster.Offset{}) {
		return x.first == 1
	}
	return after.Major == x.made && after.Minor+1 >= x.first && after.Minor <= x.last
}

// few is how many entries are asked for one by one before a consumer is made.
const few = 16

// Read implements [cluster.Log].
func (l *log) Read(ctx context.Context, namespace string, after cluster.Offset) iter.Seq2[cluster.Entry, error] {
	return func(yield func(cluster.Entry, error) bool) {
		o, err := l.open(ctx)
		if err != nil {
			yield(cluster.Entry{}, err)
			return
		}
		x, err := l.extent(ctx, o)
		if err == nil && !x.holds(after) {
			err = cluster.ErrTrimmed
		}
		if err != nil {
			yield(cluster.Entry{}, err)
			return
		}
		subject := l.subject(namespace)
		newest, err := o.stream.GetLastMsgForSubject(ctx, subject)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return
		case err != nil:
			yield(cluster.Entry{}, fmt.Errorf("nats: read: %w", err))
			return
		}
		next := after.Minor + 1
		for range few {
			if next > newest.Sequence {
				return
			}
			m, err := o.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
			if err != nil {
				yield(cluster.Entry{}, fmt.Errorf("nats: read: %w", err))
				return
			}
			if !yield(cluster.Entry{At: cluster.Offset{Major: x.made, Minor: m.Sequence}, Data: m.Data}, nil) {
				return
			}
			next = m.Sequence + 1
		}
		if next > newest.Sequence {
			return
		}
		err = l.consume(ctx, o, subject, x.made, next, func(e cluster.Entry) bool {
			return yield(e, nil) && e.At.Minor < newest.Sequence
		})
		if err != nil {
			yield(cluster.Entry{}, fmt.Errorf("nats: read: %w", err))
		}
	}
}

const (
	// idle is how often JetStream says that there is nothing, and twice that how
	// long a consumer is believed to be there when it says nothing at all.
	idle = 500 * time.Millisecond
	// expiry is for how long a consumer is asked at once.
	expiry = 10 * time.Second
	// inactive is after how long JetStream forgets a consumer that nobody asks.
	inactive = 30 * time.Second
)

var errGap = errors.New("a message is missing")

// consume calls f with the entries from a number on until it returns false, ctx
// ends, or the consumer is lost.
func (l *log) consume(ctx context.Context, o *opened, subject string, made, from uint64, f func(cluster.Entry) bool) error {
	request, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	consumer, err := o.stream.CreateConsumer(request, jetstream.ConsumerConfig{
		FilterSubject: subject, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: inactive,
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), idle)
		defer cancel()
		_ = o.stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) // else it is forgotten
	}()
	messages, err := consumer.Messages(jetstream.PullExpiry(expiry), jetstream.PullHeartbeat(idle),
		jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for count := uint64(1); ; count++ {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != count {
			return errGap
		}
		if !f(cluster.Entry{At: cluster.Offset{Major: made, Minor: meta.Sequence.Stream}, Data: m.Data()}) {
			return nil
		}
	}
}
