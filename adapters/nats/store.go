package nats

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// store is JetStream's part: a stream with the logs of all namespaces, and a
// bucket with the sessions. Both are made when they are first needed, and again
// when a server has come back without them.
type store struct {
	config *Config
	js     jetstream.JetStream

	mu     sync.Mutex // held while they are made
	opened *opened
}

// opened is a stream and a bucket that were there a moment ago.
type opened struct {
	stream jetstream.Stream
	bucket jetstream.KeyValue
	kept   jetstream.Stream // below the bucket
}

const (
	// requestTimeout bounds one request to JetStream.
	requestTimeout = 3 * time.Second
	// maxPending is how many appended messages may wait for JetStream's word.
	maxPending = 4096
)

func newStore(config *Config) (*store, error) {
	js, err := jetstream.New(config.Conn,
		jetstream.WithDefaultTimeout(requestTimeout),
		jetstream.WithPublishAsyncMaxPending(maxPending),
		jetstream.WithPublishAsyncTimeout(requestTimeout))
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return &store{config: config, js: js}, nil
}

// open returns the stream and the bucket.
func (s *store) open(ctx context.Context) (*opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened != nil {
		return s.opened, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r := s.config.Recovery
	subjects := []string{s.config.Prefix + ".log.>"}
	if there, err := s.js.Stream(ctx, r.Stream); err == nil && !slices.Equal(there.CachedInfo().Config.Subjects, subjects) {
		return nil, fmt.Errorf("nats: stream %s is for %q, another application's: set Recovery.Stream and Bucket", r.Stream, there.CachedInfo().Config.Subjects)
	}
	stream, err := s.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: r.Stream, Description: "what Socket.IO clients may have missed",
		Subjects: subjects,
		MaxAge:   r.MaxAge, MaxBytes: r.MaxBytes, Discard: jetstream.DiscardOld,
		Storage: r.storage(), Replicas: r.Replicas, // no AllowDirect: a replica may be behind
	})
	if err != nil {
		return nil, fmt.Errorf("nats: stream %s: %w", r.Stream, err)
	}
	bucket, err := s.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: r.Bucket, Description: "sessions of Socket.IO clients that may come back",
		TTL: r.MaxDisconnection, Storage: r.storage(), Replicas: r.Replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("nats: bucket %s: %w", r.Bucket, err)
	}
	kept, err := s.js.Stream(ctx, "KV_"+r.Bucket)
	if err != nil {
		return nil, fmt.Errorf("nats: bucket %s: %w", r.Bucket, err)
	}
	kept.CachedInfo().Config.AllowDirect = false // ask the leader: a replica may be behind
	s.opened = &opened{stream, bucket, kept}
	return s.opened, nil
}

// forget has them looked for again: after a failure they may be gone.
func (s *store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = nil
}

// append puts messages at the end of a log, and returns how many are there.
func (s *store) append(ctx context.Context, subject string, batch [][]byte) (n int, err error) {
	if _, err := s.open(ctx); err != nil {
		return 0, err
	}
	acks := make([]jetstream.PubAckFuture, 0, len(batch))
	for _, data := range batch {
		if int64(len(data)) > s.config.Conn.MaxPayload() { // it would be refused for ever, and hold up all others
			s.config.Logger.Warn("nats: a message for other servers was dropped: it is larger than the server's max_payload",
				"subject", subject, "bytes", len(data))
			acks = append(acks, nil)
			continue
		}
		// A copy, as the client may still be busy with it when ctx has ended.
		ack, failed := s.js.PublishMsgAsync(&natsgo.Msg{Subject: subject, Data: append([]byte(nil), data...)})
		if failed != nil {
			err = failed
			break
		}
		acks = append(acks, ack)
	}
	for i, ack := range acks {
		if ack == nil {
			continue
		}
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			s.forget()
			return i, fmt.Errorf("nats: append: %w", err)
		case <-ctx.Done():
			return i, context.Cause(ctx)
		}
	}
	if err != nil {
		err = fmt.Errorf("nats: append: %w", err)
	}
	return len(acks), err
}
