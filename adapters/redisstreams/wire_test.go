package redisstreams_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// follow returns what a server hands to a socket in room "red" while do runs,
// until there are n packets.
func follow(t *testing.T, server *redistest.Server, config redisstreams.Config, n int, do func(*redis.Client)) (*adaptertest.Server, []adaptertest.Packet) {
	t.Helper()
	config.Client, config.Logger = server.Open(t), slog.New(slog.DiscardHandler)
	local := adaptertest.NewServer("/")
	a, err := redisstreams.New(config)(local)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := a.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	s := adaptertest.NewSocket("s")
	if err := a.Join(s, "s", "red"); err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t}
	client := server.Open(t)
	p.until("it has subscribed", 20*time.Second, func() bool {
		counts, err := client.PubSubNumSub(t.Context(), config.ChannelPrefix+"#/#").Result()
		return err == nil && counts[config.ChannelPrefix+"#/#"] == 1
	})
	if c, ok := a.(cluster.Recovering); ok { // it reads the stream once it delivers
		p.until("it follows the stream", 20*time.Second, func() bool {
			_ = client.XAdd(t.Context(), &redis.XAddArgs{Stream: config.Stream, Values: []any{"nsp", "/", "type", "x"}}).Err()
			return c.Stats().Dropped > 0
		})
	}
	do(client)
	p.until("everything has arrived", 20*time.Second, func() bool { return len(s.Received()) >= n })
	return local, s.Received()
}

// What the source of @socket.io/redis-streams-emitter adds for
// io.to("red").emit(…), with and without binary, and for serverSideEmit.
//
// Source: packages/socket.io-redis-streams-emitter of socketio/socket.io; the package
// could not be had from npm.
func TestOfficialStreamsEmitter(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(redisstreams.Config{MaxDisconnection: time.Minute})
	// {packet: {type: 2, data: ["blob", <Buffer 01 02>], nsp: "/"}, opts: {rooms: [], flags: {}, except: []}}
	binary := "\x82\xa6packet\x83\xa4type\x02\xa4data\x92\xa4blob\xc4\x02\x01\x02\xa3nsp\xa1/\xa4opts\x83\xa5rooms\x90\xa5flags\x80\xa6except\x90"
	local, got := follow(t, server, config, 2, func(client *redis.Client) {
		for _, values := range [][]any{
			{"uid", "emitter", "nsp", "/", "type", "3", "data", `{"packet":{"type":2,"data":["plain",1],"nsp":"/"},"opts":{"rooms":["red"],"flags":{},"except":[]}}`},
			{"uid", "emitter", "nsp", "/", "type", "9", "data", `{"packet":["told","x"]}`},
			{"uid", "emitter", "nsp", "/", "type", "3", "data", base64.StdEncoding.EncodeToString([]byte(binary))},
		} {
			if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: config.Stream, ID: "*", Values: values}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got[0].Name != "plain" || got[1].Name != "blob" || !cmp.Equal(got[1].Attachments, [][]byte{{1, 2}}) {
		t.Errorf("got %+v", got)
	}
	if events := local.Events(); len(events) != 1 || events[0].Name != "told" || events[0].Args != `["x"]` {
		t.Errorf("server-side events %+v", events)
	}
}

// A session as @socket.io/redis-streams-adapter 0.3.1 saves it.
func TestOfficialSession(t *testing.T) {
	replayOfficial(t, func(string, redis.Cmdable) {})
}

// What somebody else adds to the stream does not hold up a replay, however much
// it is.
func TestReplayPassesOverForeignEntries(t *testing.T) {
	replayOfficial(t, func(stream string, client redis.Cmdable) {
		if _, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for range 2500 { // more than a page
				p.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{"something", "else"}})
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// replayOfficial has a client of an official server come back, which was sent one
// event after what between adds.
func replayOfficial(t *testing.T, between func(stream string, client redis.Cmdable)) {
	t.Helper()
	server := redistest.Start(t)
	config := fresh(redisstreams.Config{MaxDisconnection: time.Minute})
	config.Client, config.Logger = server.Open(t), slog.New(slog.DiscardHandler)
	// {sid: "socket", pid: "private", rooms: ["socket", "red"], data: {name: "x"}}
	saved := "\x84\xa3sid\xa6socket\xa3pid\xa7private\xa5rooms\x92\xa6socket\xa3red\xa4data\x81\xa4name\xa1x"
	if err := config.Client.Set(t.Context(), config.SessionPrefix+"private", base64.StdEncoding.EncodeToString([]byte(saved)), time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	var offsets []string
	for _, event := range []string{"seen", "missed"} {
		if event == "missed" {
			between(config.Stream, config.Client)
		}
		id, err := config.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: config.Stream, Values: []any{
			"uid", "theirs", "nsp", "/", "type", "3", "data", `{"packet":{"type":2,"data":["` + event + `"],"nsp":"/"},"opts":{"rooms":["red"],"flags":{},"except":[]}}`,
		}}).Result()
		if err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, id)
	}
	a, err := redisstreams.New(config)(adaptertest.NewServer("/"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	defer a.Close(ctx)
	store := a.(adapter.SessionStore)
	session, err := store.Take(ctx, "private", offsets[0])
	if err != nil {
		t.Fatal(err)
	}
	s := adaptertest.NewSocket(session.SocketID)
	if err := store.Resume(ctx, s, session); err != nil {
		t.Fatal(err)
	}
	s.Flush()
	got := s.Received()
	if len(got) != 1 || got[0].Name != "missed" || got[0].Args != `["`+offsets[1]+`"]` {
		t.Errorf("replayed %+v", got)
	}
	if session.SocketID != "socket" || string(session.Data) != `{"name":"x"}` {
		t.Errorf("session %+v, data %s", session, session.Data)
	}
}
