package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how an adapter takes part in a cluster. Bus must be set; all
// servers of a cluster need the same Prefix and Codec, and timeouts that go
// together.
type Config struct {
	// Bus carries the messages. It stays open when the adapter is closed: there is
	// one adapter for each namespace, and they share it.
	Bus Bus
	// Codec is the form of messages on the bus; nil means JSON.
	Codec Codec
	// LogCodec is their form in the log of a Bus that is a Log; nil means Codec.
	LogCodec Codec
	// Prefix begins every topic; empty means "socket.io".
	Prefix string
	// UID names this server in the cluster, at most 64 letters, digits and
	// "-_.:"; two servers never share one. It is what a PartialError calls a
	// server that did not answer. Empty means 16 random hex digits for each
	// namespace, as in the reference.
	UID string

	// HeartbeatInterval is how long a server is silent at most. Zero means five
	// seconds. Negative means no heartbeats: then Bus must be a SubscriberCounter,
	// the count of servers is asked of it for each request, and servers that don't
	// answer have no names.
	HeartbeatInterval time.Duration
	// CountSubscribers asks Bus, which must be a SubscriberCounter, for the count of
	// servers beside the heartbeats. It is for clusters with servers that send
	// none, as some official adapters: requests wait for them too, and if they
	// don't answer they have no names.
	CountSubscribers bool
	// HeartbeatTimeout is after how much silence another server is given up. Zero
	// means twice the interval.
	HeartbeatTimeout time.Duration
	// RequestTimeout is how long a request to other servers waits if its context
	// has no deadline. Zero means five seconds.
	RequestTimeout time.Duration

	// MaxDisconnection switches connection state recovery on, if Bus is a Log: it is
	// for how long a client can come back. Zero means no recovery. The adapters are
	// [Recovering] then.
	MaxDisconnection time.Duration
	// OffsetTimeout is for how long, with recovery, this server's sockets wait for a
	// packet until the log has given it an offset. A log that is slower is taken for
	// frozen: then packets go out without one, and who has such a packet can't be
	// recovered until one with an offset has followed. Zero means a second.
	OffsetTimeout time.Duration

	// MaxQueued bounds the bytes that wait for a bus that is slow or out of reach:
	// while so much waits, further messages are dropped with ErrBusFull. Zero means
	// 16 MiB.
	MaxQueued int64

	// Logger takes warnings about the bus; nil means slog.Default.
	Logger *slog.Logger
}

// ErrBusFull is returned when so much waits for the bus that a message for the
// other servers was dropped. This server's sockets have it.
var ErrBusFull = errors.New("cluster: too much is waiting for the bus")

// ErrSilent is the Err of a PartialError about a server whose heartbeats have
// stopped.
var ErrSilent = errors.New("cluster: a server has fallen silent")

const (
	defaultPrefix   = "socket.io"
	defaultInterval = 5 * time.Second
	defaultRequest  = 5 * time.Second
	defaultOffset   = time.Second
	defaultQueued   = 16 << 20
)

func (c Config) withDefaults() (Config, error) {
	if c.Bus == nil {
		return c, errors.New("cluster: Config.Bus is nil")
	}
	if c.Codec == nil {
		c.Codec = JSON
	}
	if c.LogCodec == nil {
		c.LogCodec = c.Codec
	}
	if _, ok := c.Bus.(Log); !ok && c.MaxDisconnection != 0 {
		return c, errors.New("cluster: Config.MaxDisconnection: the bus keeps no log")
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	switch {
	case c.UID == "":
		c.UID = randomID()
	case !validUID(c.UID) || c.UID == emitterUID:
		return c, fmt.Errorf(`cluster: Config.UID is %q; it has 1 to %d letters, digits and "-_.:", and is not %q`, c.UID, maxUID, emitterUID)
	}
	if c.HeartbeatInterval == 0 {
		c.HeartbeatInterval = defaultInterval
	}
	if _, ok := c.Bus.(SubscriberCounter); !ok && c.counts() {
		return c, errors.New("cluster: without heartbeats, or to CountSubscribers, Config.Bus must count them")
	}
	if c.HeartbeatTimeout == 0 {
		c.HeartbeatTimeout = 2 * c.HeartbeatInterval
	}
	if c.HeartbeatInterval > 0 && c.HeartbeatTimeout <= c.HeartbeatInterval {
		return c, errors.New("cluster: Config.HeartbeatTimeout must be longer than the interval")
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultRequest
	}
	if c.OffsetTimeout == 0 {
		c.OffsetTimeout = defaultOffset
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = defaultQueued
	}
	if c.RequestTimeout < 0 || c.OffsetTimeout < 0 || c.MaxQueued < 0 || c.MaxDisconnection < 0 {
		return c, errors.New("cluster: negative timeout or limit in Config")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

// counts reports whether the bus is asked how many servers there are.
func (c *Config) counts() bool { return c.CountSubscribers || c.HeartbeatInterval < 0 }

// emitterUID is the sender of messages from processes without sockets. They are
// no servers of the cluster.
const emitterUID = "emitter"

func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// maxUID is the length of the longest name.
const maxUID = 64

// validUID holds for what may become part of a topic: other servers' names come
// from the network.
func validUID(s string) bool {
	if s == "" || len(s) > maxUID {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}
