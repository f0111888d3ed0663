package socketio_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/socketio"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// serve starts a server for one test and ends it afterwards.
func serve(t testing.TB, srv *socketio.Server) (url string) {
	t.Helper()
	front := httptest.NewServer(srv)
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := srv.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		front.Close()
	})
	return front.URL
}

// wire is a client that speaks frames over a WebSocket and knows nothing of
// Socket.IO. Engine.IO's pings are answered and not shown.
type wire struct {
	t      testing.TB
	ws     *websocket.Conn
	frames chan string   // text as it is, binary as <bin hex>; closed at the end
	code   int           // of the close frame, when frames is closed
	sid    string        // Engine.IO's
	done   chan struct{} // the reader has ended

	writing sync.Mutex
}

// dial connects over WebSocket; query may hold further parameters.
func dial(t testing.TB, url string, query ...string) *wire {
	t.Helper()
	return dialRevision(t, url, 4, query...)
}

func dialRevision(t testing.TB, url string, revision int, query ...string) *wire {
	t.Helper()
	address := "ws" + strings.TrimPrefix(url, "http") + fmt.Sprintf("/socket.io/?EIO=%d&transport=websocket", revision) + strings.Join(query, "")
	ws, res, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		t.Fatal(err, res)
	}
	c := &wire{t: t, ws: ws, frames: make(chan string, 10_000), done: make(chan struct{})}
	go c.read()
	t.Cleanup(c.kill)
	open := c.next()
	match := regexp.MustCompile(`^0\{"sid":"([\w-]{20})"`).FindStringSubmatch(open)
	if match == nil {
		t.Fatalf("handshake %q", open)
	}
	c.sid = match[1]
	return c
}

func (c *wire) read() {
	defer close(c.done)
	defer close(c.frames)
	for {
		kind, data, err := c.ws.ReadMessage()
		if err != nil {
			c.code = websocket.CloseAbnormalClosure
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				c.code = closed.Code
			}
			return
		}
		switch {
		case kind == websocket.BinaryMessage:
			c.frames <- "<bin " + hex.EncodeToString(data) + ">"
		case string(data) == "2":
			_ = c.write(websocket.TextMessage, []byte("3"))
		default:
			c.frames <- string(data)
		}
	}
}

func (c *wire) write(kind int, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.ws.WriteMessage(kind, data)
}

// kill cuts the connection without a word.
func (c *wire) kill() {
	c.ws.NetConn().Close()
	<-c.done
}

// send sends frames: text, or binary written as <bin hex>.
func (c *wire) send(frames ...string) {
	c.t.Helper()
	for _, f := range frames {
		kind, data := websocket.TextMessage, []byte(f)
		if h, ok := strings.CutPrefix(f, "<bin "); ok {
			b, err := hex.DecodeString(strings.TrimSuffix(h, ">"))
			if err != nil {
				c.t.Fatal(err)
			}
			kind, data = websocket.BinaryMessage, b
		}
		_ = c.write(kind, data) // a connection that ended shows in what comes
	}
}

// next returns the next frame, or "CLOSE(code)".
func (c *wire) next() string {
	c.t.Helper()
	select {
	case f, ok := <-c.frames:
		if !ok {
			return fmt.Sprintf("CLOSE(%d)", c.code)
		}
		return f
	case <-time.After(patience):
		c.t.Fatal("no frame")
		return ""
	}
}

// expect compares the next frames with patterns: see matches.
func (c *wire) expect(patterns ...string) {
	c.t.Helper()
	for _, p := range patterns {
		if f := c.next(); !matches(p, f) {
			c.t.Fatalf("frame %q, want %q", f, p)
		}
	}
}

// matches compares literally, but <sid> stands for an id and <n> for a number.
func matches(pattern, frame string) bool {
	p := regexp.QuoteMeta(pattern)
	p = strings.ReplaceAll(p, "<sid>", `[\w-]{20}`)
	p = strings.ReplaceAll(p, "<n>", `\d+`)
	return regexp.MustCompile("^" + p + "$").MatchString(frame)
}

// join sends CONNECT and reads the answer.
func (c *wire) join(namespace string) {
	c.t.Helper()
	if namespace == "/" {
		c.send("40")
		c.expect(`40{"sid":"<sid>"}`)
		return
	}
	c.send("40" + namespace + ",")
	c.expect("40" + namespace + `,{"sid":"<sid>"}`)
}

// idOf joins and returns the socket's id.
func (c *wire) idOf(namespace string) string {
	c.t.Helper()
	prefix := "40"
	if namespace != "/" {
		prefix += namespace + ","
	}
	c.send(prefix)
	f := c.next()
	match := regexp.MustCompile(`^` + prefix + `\{"sid":"([\w-]{20})"`).FindStringSubmatch(f)
	if match == nil {
		c.t.Fatalf("answer to CONNECT: %q", f)
	}
	return match[1]
}

// poller is a client that speaks Engine.IO over HTTP long-polling.
type poller struct {
	t      testing.TB
	url    string
	client *http.Client
}

func startPolling(t testing.TB, url string) *poller {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	p := &poller{t, url + "/socket.io/?EIO=4&transport=polling", &http.Client{Transport: transport}}
	open := p.get()
	match := regexp.MustCompile(`^0\{"sid":"([\w-]{20})"`).FindStringSubmatch(open)
	if match == nil {
		t.Fatalf("handshake %q", open)
	}
	p.url += "&sid=" + match[1]
	return p
}

func (p *poller) get() string {
	p.t.Helper()
	return p.do(http.MethodGet, nil)
}

// post sends a payload; packets are joined by the record separator.
func (p *poller) post(packets ...string) {
	p.t.Helper()
	if got := p.do(http.MethodPost, []byte(strings.Join(packets, "\x1e"))); got != "ok" {
		p.t.Fatalf("POST answered %q", got)
	}
}

func (p *poller) do(method string, body []byte) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// expect polls until as many packets have come as there are patterns, and
// compares.
func (p *poller) expect(patterns ...string) {
	p.t.Helper()
	var packets []string
	for len(packets) < len(patterns) {
		for packet := range strings.SplitSeq(p.get(), "\x1e") {
			if packet == "2" {
				p.post("3")
				continue
			}
			packets = append(packets, packet)
		}
	}
	for i, pattern := range patterns {
		if !matches(pattern, packets[i]) {
			p.t.Fatalf("packets %q, want %q", packets, patterns)
		}
	}
}
