package redisstreams

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// session is what stands under a session's key: the members that the official
// adapter writes, in MessagePack and base64, and one of ours, which it ignores.
type session struct {
	SocketID  string         `json:"sid"`
	PrivateID string         `json:"pid"`
	Rooms     []string       `json:"rooms"`
	Data      jsontext.Value `json:"data"`
	Trail     string         `json:"trail,omitzero"` // base64
}

// What clients send is kept as it came.
var readOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// SaveSession implements [cluster.Log].
func (l *log) SaveSession(ctx context.Context, s *cluster.SavedSession, keep time.Duration) error {
	data, err := encodeSession(s)
	if err != nil {
		return err
	}
	return l.config.Client.Set(ctx, l.config.SessionPrefix+s.PrivateID, data, max(keep, time.Millisecond)).Err()
}

func encodeSession(s *cluster.SavedSession) (string, error) {
	saved := session{
		SocketID: s.SocketID, PrivateID: s.PrivateID, Rooms: s.Rooms, Data: s.Data,
		Trail: base64.StdEncoding.EncodeToString(s.Trail),
	}
	if len(saved.Data) == 0 {
		saved.Data = jsontext.Value("{}")
	}
	text, err := json.Marshal([]session{saved}, readOptions)
	if err != nil {
		return "", fmt.Errorf("redisstreams: session: %w", err)
	}
	args, err := sioparser.ParseArgs(text, nil)
	if err != nil {
		return "", fmt.Errorf("redisstreams: session: %w", err)
	}
	return base64.StdEncoding.EncodeToString(msgpack.AppendFromArgs(nil, args)[1:]), nil // less the array
}

// TakeSession implements [cluster.Log].
func (l *log) TakeSession(ctx context.Context, privateID string) (*cluster.SavedSession, error) {
	key := l.config.SessionPrefix + privateID
	tx := l.config.Client.TxPipeline()
	got := tx.Get(ctx, key)
	tx.Del(ctx, key)
	if _, err := tx.Exec(ctx); err != nil {
		if errors.Is(err, redis.Nil) {
			return nil, cluster.ErrNoSession
		}
		return nil, fmt.Errorf("redisstreams: session: %w", err)
	}
	return decodeSession([]byte(got.Val()))
}

func decodeSession(encoded []byte) (*cluster.SavedSession, error) {
	packed, err := base64.StdEncoding.AppendDecode([]byte{arrayOf1}, encoded)
	if err != nil {
		return nil, fmt.Errorf("redisstreams: session: %w", err)
	}
	args, err := msgpack.ToArgs(packed, sioparser.Limits{Attachments: -1})
	if err != nil {
		return nil, fmt.Errorf("redisstreams: session: %w", err)
	}
	var saved session
	if err := json.Unmarshal(args.Raw(), &saved, readOptions); err != nil {
		return nil, fmt.Errorf("redisstreams: session: %w", err)
	}
	trail, err := base64.StdEncoding.DecodeString(saved.Trail)
	if err != nil {
		return nil, fmt.Errorf("redisstreams: session: %w", err)
	}
	s := &cluster.SavedSession{SocketID: saved.SocketID, PrivateID: saved.PrivateID, Rooms: saved.Rooms, Data: bytes.Clone(saved.Data)}
	if len(trail) > 0 {
		s.Trail = trail
	}
	return s, nil
}
