package nats

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/siokit/siokit/adapters/cluster"
)

// saved is a session in the bucket: JSON, with the members that the sessions of
// official adapters have, and one of ours.
type saved struct {
	SocketID  string          `json:"sid"`
	PrivateID string          `json:"pid"`
	Rooms     []string        `json:"rooms"`
	Data      json.RawMessage `json:"data,omitempty"`
	Trail     []byte          `json:"trail,omitempty"`
}

// key is the name of a session in the bucket. A client may present anything.
func key(privateID string) string { return hex.EncodeToString([]byte(privateID)) }

// maxPrivateID is longer than any that a server makes.
const maxPrivateID = 256

// SaveSession implements [cluster.Log]. How long it is kept is a property of the
// bucket.
func (l *log) SaveSession(ctx context.Context, s *cluster.SavedSession, _ time.Duration) error {
	o, err := l.open(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(saved{s.SocketID, s.PrivateID, s.Rooms, s.Data, s.Trail})
	if err != nil {
		return fmt.Errorf("nats: session: %w", err)
	}
	if _, err := o.bucket.Put(ctx, key(s.PrivateID), text); err != nil {
		l.forget()
		return fmt.Errorf("nats: session: %w", err)
	}
	return nil
}

// TakeSession implements [cluster.Log]. Of two that take it, one deletes the
// revision that both have seen.
func (l *log) TakeSession(ctx context.Context, privateID string) (*cluster.SavedSession, error) {
	if privateID == "" || len(privateID) > maxPrivateID {
		return nil, cluster.ErrNoSession
	}
	o, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := o.kept.GetLastMsgForSubject(ctx, "$KV."+o.bucket.Bucket()+"."+key(privateID))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound), err == nil && entry.Header.Get("KV-Operation") != "":
		return nil, cluster.ErrNoSession
	case err != nil:
		return nil, fmt.Errorf("nats: session: %w", err)
	}
	if err := o.bucket.Delete(ctx, key(privateID), jetstream.LastRevision(entry.Sequence)); err != nil {
		return nil, fmt.Errorf("%w: %w", cluster.ErrNoSession, err)
	}
	return decodeSession(entry.Data)
}

func decodeSession(text []byte) (*cluster.SavedSession, error) {
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("nats: session: %w", err)
	}
	return &cluster.SavedSession{SocketID: s.SocketID, PrivateID: s.PrivateID, Rooms: s.Rooms, Data: s.Data, Trail: s.Trail}, nil
}
