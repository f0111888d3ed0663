package socketio_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// What changed in the reference between its checkout 4.8.3 and the npm versions
// that we follow has a test each, named D1 to D10. Two of them are of Node alone
// and have none: D3, since a middleware here is an http.Handler, and D4, the
// events of Node's answer to an upgrade. D10 is in bundle_test.go.

// D1: an upgrade that speaks another revision than its session is refused, and
// harms nobody.
func TestD1ProtocolMismatch(t *testing.T) {
	refused := make(chan *engineio.ConnectionError, 1)
	config := quiet()
	config.EngineConfig.AllowEIO3 = true
	config.EngineConfig.OnConnectionError = func(e *engineio.ConnectionError) { refused <- e }
	url := serve(t, newServer(t, config))
	p := startPolling(t, url)
	address := "ws" + strings.TrimPrefix(strings.NewReplacer("EIO=4", "EIO=3", "transport=polling", "transport=websocket").Replace(p.url), "http")
	ws, res, err := websocket.DefaultDialer.Dial(address, nil)
	if err == nil {
		ws.Close()
		t.Fatal("it was let in")
	}
	if res.StatusCode != http.StatusBadRequest {
		t.Error(res.Status)
	}
	e := receive(t, refused)
	if e.Code != engineio.BadRequest || e.Context["name"] != "PROTOCOL_MISMATCH" || e.Context["protocol"] != 3 || e.Context["previousProtocol"] != 4 {
		t.Errorf("%v %v", e.Code, e.Context)
	}
	p.post("40")
	p.expect(`40{"sid":"<sid>"}`)
}

// D2: a client that sends something else while its pong is due gets the time
// once more, and only once.
func TestD2BusyClientsHaveMoreTimeForThePong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, piped(quiet()))
		pings := make(chan struct{}, 10)
		e := connectPipe(t, srv, func(_ *pipeEnd, p *eioparser.Packet) {
			if p.Type == eioparser.Ping {
				pings <- struct{}{}
			}
		})
		e.send("0")
		<-pings
		due := time.Now().Add(20 * time.Second) // Config.PingTimeout
		<-time.After(15 * time.Second)
		e.send(`2["x"]`)
		<-time.After(15 * time.Second)
		e.send(`2["x"]`)
		<-e.served
		if late := time.Since(due); late < 14*time.Second || late > 16*time.Second {
			t.Errorf("given up %v after the pong was due", late)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// D5: a compressed answer to a poll is streamed, without a length.
func TestD5CompressedPollsAreStreamed(t *testing.T) {
	config := quiet()
	config.EngineConfig.Transports = []engineio.Transport{engineio.Polling{}}
	srv := newServer(t, config)
	text := strings.Repeat("compress me ", 1000)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("long", text) })
	p := startPolling(t, serve(t, srv))
	p.post("40")
	get := fetcher(t)
	var found []byte
	for !bytes.Contains(found, []byte("compress me")) {
		res, body := get(http.MethodGet, p.url, "Accept-Encoding", "gzip")
		if res.Header.Get("Content-Encoding") == "" {
			continue // the answer to CONNECT alone
		}
		if res.ContentLength >= 0 {
			t.Error("a length of", res.ContentLength)
		}
		r, err := gzip.NewReader(strings.NewReader(body))
		found = []byte(inflated(t, r, err))
	}
}

// D6: names of the query that mean something in JavaScript are names like any
// other.
func TestD6QueryNames(t *testing.T) {
	srv := newServer(t, quiet())
	handshakes := make(chan *socketio.Handshake, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { handshakes <- s.Handshake() })
	c := dial(t, serve(t, srv), "&__proto__=x&constructor=y&toString=z")
	c.join("/")
	text, err := receive(t, handshakes).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var h struct{ Query map[string]string }
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	if h.Query["__proto__"] != "x" || h.Query["constructor"] != "y" || h.Query["toString"] != "z" {
		t.Error(h.Query)
	}
}

// D7: a binary packet without attachments is none.
func TestD7BinaryWithoutAttachments(t *testing.T) {
	srv := fixture(t, quiet())
	url := serve(t, srv)
	for _, packet := range []string{`450-["message"]`, `460-1[]`, `450-["message",{"_placeholder":true,"num":0}]`} {
		c := dial(t, url)
		c.join("/")
		c.next()
		c.send(packet)
		c.expect("CLOSE(1005)")
	}
}

// pixels marshals itself, and holds bytes.
type pixels struct{ bytes []byte }

func (p pixels) MarshalJSONTo(enc *jsontext.Encoder) error {
	return jsonv2.MarshalEncode(enc, map[string]any{"width": 2, "data": p.bytes})
}

// D8: bytes are found in what a value's own method writes.
func TestD8BinaryWithinMarshaledValues(t *testing.T) {
	srv := newServer(t, quiet())
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("picture", pixels{[]byte{1, 2}}) })
	c := dial(t, serve(t, srv))
	c.join("/")
	f := c.next()
	if !strings.HasPrefix(f, `451-["picture",{`) || !strings.Contains(f, `"data":{"_placeholder":true,"num":0}`) {
		t.Error(f)
	}
	c.expect("<bin 0102>")
}

// D9: when a broadcast's acknowledgements have timed out, no socket waits for
// its own any more.
func TestD9BroadcastTimeoutForgetsAcknowledgements(t *testing.T) {
	srv := newServer(t, quiet())
	sockets := make(chan *socketio.Socket, 3)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	url := serve(t, srv)
	var all []*socketio.Socket
	for range 3 {
		dial(t, url).join("/")
		all = append(all, receive(t, sockets))
	}
	var last error
	for _, err := range srv.Timeout(10*time.Millisecond).EmitWithAck(t.Context(), "question") {
		last = err
	}
	if !errors.Is(last, socketio.ErrAckTimeout) {
		t.Error(last)
	}
	for _, s := range all {
		if n := s.PendingAcks(); n != 0 {
			t.Errorf("%d acknowledgements are awaited", n)
		}
	}
}
