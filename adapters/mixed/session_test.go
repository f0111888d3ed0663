package mixed

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio"
)

// savingLog tells when it has saved a session.
type savingLog struct {
	*cluster.MemoryLog
	saved chan struct{}
}

func (l savingLog) SaveSession(ctx context.Context, s *cluster.SavedSession, keep time.Duration) error {
	err := l.MemoryLog.SaveSession(ctx, s, keep)
	l.saved <- struct{}{}
	return err
}

// raw connects over WebSocket, sends a CONNECT and reads n packets of Socket.IO.
func raw(t *testing.T, g *goServer, connect string, n int) (*websocket.Conn, []string) {
	t.Helper()
	url := "ws" + strings.TrimPrefix(g.url(), "http") + "/socket.io/?EIO=4&transport=websocket"
	c, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.WriteMessage(websocket.TextMessage, []byte(connect)); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	var list []string
	for len(list) < n {
		_, frame, err := c.ReadMessage()
		if err != nil {
			t.Fatalf("after %q: %v", list, err)
		}
		if frame[0] == '4' {
			list = append(list, string(frame))
		}
	}
	return c, list
}

func group(t *testing.T, pattern, text string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("%q does not match %s", text, pattern)
	}
	return match[1]
}

// A session lets its client pass the middlewares of the namespace that it was
// saved in, of no other. That of an official adapter does not say which that was.
func TestSessionPassesNoOtherNamespacesMiddlewares(t *testing.T) {
	log := savingLog{&cluster.MemoryLog{}, make(chan struct{}, 10)}
	g := startGo(t, cluster.New(cluster.Config{Bus: log, MaxDisconnection: time.Minute, Logger: quiet}), true, "ours")
	var asked atomic.Int64
	admin := g.io.Of("/admin")
	admin.Use(func(_ context.Context, s *socketio.Socket) error {
		asked.Add(1)
		var auth struct {
			Key string `json:"key"`
		}
		if err := s.Auth(&auth); err != nil || auth.Key != "right" {
			return errors.New("wrong key")
		}
		return nil
	})
	admin.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("welcome") })

	_, got := raw(t, g, `40/admin,{"key":"right"}`, 2)
	offset := group(t, `^42/admin,\["welcome","(.+)"\]$`, got[1])
	c, got := raw(t, g, `40{"name":"visitor"}`, 2)
	pid, seen := group(t, `"pid":"(.+)"`, got[0]), group(t, `^42\["ready","(.+)"\]$`, got[1])
	_ = c.NetConn().Close()
	<-log.saved
	refused := func(whose, pid, offset string) {
		t.Helper()
		before := asked.Load()
		_, got := raw(t, g, `40/admin,{"pid":"`+pid+`","offset":"`+offset+`"}`, 1)
		if !strings.HasPrefix(got[0], "44/admin,") || asked.Load() != before+1 {
			t.Errorf("with %s: %s, middlewares were called %d times", whose, got[0], asked.Load()-before)
		}
	}
	refused("a session of /", pid, seen)

	official := &cluster.SavedSession{SocketID: "theirs", PrivateID: "official", Rooms: []string{"theirs"}, Data: []byte("{}")}
	save := func() {
		if err := log.MemoryLog.SaveSession(t.Context(), official, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	save()
	refused("a session of an official server", "official", offset)
	save()
	before := asked.Load()
	_, got = raw(t, g, `40/admin,{"pid":"official","offset":"`+offset+`","key":"right"}`, 1)
	if id := group(t, `"sid":"([^"]+)"`, got[0]); id != "theirs" || asked.Load() != before+1 {
		t.Errorf("with the right key: %s, middlewares were called %d times", got[0], asked.Load()-before)
	}
}
