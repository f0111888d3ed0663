package socketio_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// buffer is a log that handlers write while the test reads.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// troubles are the rows of the README's table: what brings each about. What is
// seen is the log, and what get, dial and frames returned.
var troubles = []struct {
	name string
	do   func(t trouble)
}{
	{"origin", func(t trouble) { t.dial("/socket.io/", http.Header{"Origin": {"https://app.example"}}) }},
	{"old client", func(t trouble) { t.get("/socket.io/?EIO=3&transport=polling") }},
	{"path", func(t trouble) { t.get("/socketio/?EIO=4&transport=polling") }},
	{"balancer", func(t trouble) { t.get("/socket.io/?EIO=4&transport=polling&sid=of-another-server") }},
	{"timeout handler", func(t trouble) { t.dial("/timeout/", nil) }},
	{"namespace", func(t trouble) { t.dial("/socket.io/", nil, "40/admin,") }},
	{"arguments", func(t trouble) { t.dial("/socket.io/", nil, "40", `42["chat","x"]`) }},
	{"too big", func(t trouble) { t.dial("/socket.io/", nil, "40", `42["x","`+strings.Repeat("x", 2000)+`"]`) }},
	{"slow", func(t trouble) { t.dial("/socket.io/", nil, "40", `42["flood"]`) }},
	{"panic", func(t trouble) { t.dial("/socket.io/", nil, "40", `42["panic"]`) }},
}

// trouble is a server with everything that may go wrong.
type trouble struct {
	*testing.T
	url  string
	seen *buffer
}

func (t trouble) get(path string) {
	t.Helper()
	response, err := http.Get(t.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(t.seen, response.Body); err != nil {
		t.Fatal(err)
	}
}

// dial opens a WebSocket, sends the frames and reads until it has seen enough.
func (t trouble) dial(path string, header http.Header, frames ...string) {
	t.Helper()
	address := "ws" + strings.TrimPrefix(t.url, "http") + path + "?EIO=4&transport=websocket"
	conn, _, err := websocket.DefaultDialer.Dial(address, header)
	if err != nil {
		return // the log tells why
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, f := range frames {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	go func() { // until Close
		for range 3 { // the handshake, the answer to CONNECT, and one more; then the client is slow
			_, frame, err := conn.ReadMessage()
			if err != nil {
				return
			}
			_, _ = t.seen.Write(frame)
		}
	}()
}

// TestTroubles: the README's texts are those that one gets to see.
func TestTroubles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "## When something does not work")
	rows := regexp.MustCompile(`(?m)^\| (log|client).*$`).FindAllString(section, -1)
	if len(rows) != len(troubles) {
		t.Fatalf("%d rows, %d of them are tried", len(rows), len(troubles))
	}
	for i, test := range troubles {
		t.Run(test.name, func(t *testing.T) {
			seen := &buffer{}
			test.do(trouble{t, troubled(t, seen), seen})
			sight, _, _ := strings.Cut(strings.Trim(rows[i], "| "), "|")
			sight, _, _ = strings.Cut(sight, "the client's reason")
			for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(sight, -1) {
				await(t, seen, quoted[1])
			}
		})
	}
}

// await waits until the text has been seen.
func await(t *testing.T, seen *buffer, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !strings.Contains(strings.ReplaceAll(seen.String(), `\"`, `"`), text) {
		select {
		case <-deadline:
			t.Fatalf("%q was not seen, but\n%s", text, seen)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// troubled starts the server that each row is tried on.
func troubled(t *testing.T, log *buffer) string {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	io, err := socketio.NewServer(socketio.Config{Logger: logger, EngineConfig: engineio.Config{
		MaxPayload: 1000, Limits: engineio.Limits{Outbox: 10_000}, Logger: logger,
	}})
	if err != nil {
		t.Fatal(err)
	}
	Chat := socketio.DefineEvent[int]("chat")
	Chat.On(io, func(context.Context, *socketio.Socket, int) error { return nil })
	io.On("panic", func(context.Context, *socketio.Event) error { panic("oh") })
	io.On("public", func(context.Context, *socketio.Event) error {
		return &socketio.PublicError{Message: "not in that room"}
	})
	io.On("flood", func(_ context.Context, ev *socketio.Event) error {
		for {
			if err := ev.Socket().Emit("x", strings.Repeat("y", 500)); err != nil {
				return err
			}
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.Handle("/timeout/", http.TimeoutHandler(io, time.Minute, "late"))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = io.Close()
		server.Close()
	})
	return server.URL
}

// TestPublicErrorOfAnEventIsLogged: an event has no answer that could tell it to
// the client, so that it would be lost.
func TestPublicErrorOfAnEventIsLogged(t *testing.T) {
	seen := &buffer{}
	trouble{t, troubled(t, seen), seen}.dial("/socket.io/", nil, "40", `42["public"]`)
	await(t, seen, `handler of "public": not in that room`)
}
