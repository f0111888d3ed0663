package wire_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/conformance/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a server that reads the head of one request and answers with bytes;
// with hold it then keeps the connection open until the client closes.
func peer(t *testing.T, answer string, hold bool) *wire.Dialer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with the connection; the cleanup waits
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil || line == "\r\n" {
				break
			}
		}
		io.WriteString(c, answer)
		if hold {
			io.Copy(io.Discard, r)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return &wire.Dialer{Addr: l.Addr().String(), Trace: wire.NewTrace()}
}

func soon() time.Time { return time.Now().Add(5 * time.Second) }

func TestRequestBytes(t *testing.T) {
	tests := map[string]struct {
		request wire.Request
		want    string
	}{
		"plain":      {wire.Request{Target: "/x"}, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"},
		"body":       {wire.Request{Method: "POST", Target: "/x", Body: []byte("ab")}, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"},
		"empty POST": {wire.Request{Method: "POST", Target: "/x"}, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
		"half":       {wire.Request{Method: "POST", Target: "/x", Body: []byte("ab"), Announce: 9}, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"},
		"chunks":     {wire.Request{Method: "POST", Target: "/x", Body: []byte("abc"), Chunked: true, ChunkSize: 2}, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"},
		"illegal":    {wire.Request{Target: "/x y", Proto: "HTTP/1.0", NoHost: true, Header: []wire.Field{{Name: "A", Value: "\x01"}}}, "GET /x y HTTP/1.0\r\nA: \x01\r\n\r\n"},
		"own host":   {wire.Request{Target: "/", Header: []wire.Field{{Name: "host", Value: "o"}}}, "GET / HTTP/1.1\r\nhost: o\r\n\r\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(tt.request.Bytes("h"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDo(t *testing.T) {
	tests := map[string]struct {
		answer string
		hold   bool
		status int
		body   string
		err    error
	}{
		"with a length":  {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, 200, "ok", nil},
		"until the end":  {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno", false, 400, "no", nil},
		"nothing":        {"", true, 0, "", wire.ErrNoAnswer},
		"half an answer": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", false, 0, "", wire.ErrClosed},
		"hang-up":        {"", false, 0, "", wire.ErrClosed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			deadline := soon()
			if errors.Is(tt.err, wire.ErrNoAnswer) {
				deadline = time.Now().Add(50 * time.Millisecond)
			}
			resp, err := peer(t, tt.answer, tt.hold).Do(t.Context(), wire.Request{Target: "/"}, deadline)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && (resp.Status != tt.status || string(resp.Body) != tt.body) {
				t.Errorf("%d %q, want %d %q", resp.Status, resp.Body, tt.status, tt.body)
			}
		})
	}
	if _, err := peer(t, "SIP/2.0 200 OK\r\n\r\n", false).Do(t.Context(), wire.Request{Target: "/"}, soon()); err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("error %v for an answer that is not HTTP", err)
	}
}

// accept is the answer to the suite's handshake.
const accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: im8JfbsItfD8ZPx3JbOXzNYSGg8=\r\n"

func TestReadMessages(t *testing.T) {
	long := strings.Repeat("x", 70000)
	frames := []wire.Frame{
		{Fin: true, Op: wire.Text, Payload: []byte("4é")},
		{Op: wire.Binary, Payload: []byte{1}},
		{Fin: true, Op: wire.Ping, Payload: []byte("p")},
		{Fin: true, Op: wire.Continuation, Payload: []byte{2}},
		{Fin: true, Op: wire.Text, Payload: []byte(long)},
		{Fin: true, Op: wire.Text, Payload: []byte(long[:126])},
		{Fin: true, Op: wire.Text, RSV: wire.RSV1, Payload: wire.Deflate([]byte(long))},
		{Fin: true, Op: wire.Close, Payload: wire.ClosePayload(1009, "big")},
	}
	var b bytes.Buffer
	b.WriteString(accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	for _, f := range frames {
		b.Write(f.Append(nil))
	}
	ws, _, err := peer(t, b.String(), true).WebSocket(t.Context(), wire.UpgradeRequest("/"), soon())
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	type short struct {
		op         wire.Opcode
		payload    string
		fragments  int
		compressed bool
	}
	want := []short{
		{wire.Text, "4é", 1, false}, {wire.Ping, "p", 1, false}, {wire.Binary, "\x01\x02", 1, false}, {wire.Text, long, 1, false},
		{wire.Text, long[:126], 1, false}, {wire.Text, long, 1, true}, {wire.Close, "\x03\xf1big", 1, false},
	}
	for i, w := range want {
		m, err := ws.Read()
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if got := (short{m.Op, string(m.Payload), m.Fragments, m.Compressed}); got.op != w.op || got.payload != w.payload || got.compressed != w.compressed {
			t.Errorf("message %d is %v %.40q, want %v %.40q", i, got.op, got.payload, w.op, w.payload)
		}
		if m.Op == wire.Close && m.CloseCode() != 1009 {
			t.Errorf("close code %d", m.CloseCode())
		}
	}
}

// A server that breaks RFC 6455 itself is noticed.
func TestIllegalFramesOfTheServer(t *testing.T) {
	text := func(f wire.Frame) []byte {
		if f.Op == 0 && !f.Fin {
			f.Fin, f.Op = true, wire.Text
		}
		return f.Append(nil)
	}
	tests := map[string][]byte{
		"masked":                        text(wire.Frame{Masked: true, Payload: []byte("x")}),
		"reserved bit":                  text(wire.Frame{RSV: wire.RSV2, Payload: []byte("x")}),
		"compression nobody asked for":  text(wire.Frame{RSV: wire.RSV1, Payload: []byte("x")}),
		"reserved opcode":               text(wire.Frame{Fin: true, Op: 3}),
		"fragmented control frame":      wire.Frame{Op: wire.Ping}.Append(nil),
		"long control frame":            text(wire.Frame{Fin: true, Op: wire.Ping, Payload: make([]byte, 126)}),
		"length wider than needed":      text(wire.Frame{Wide: true, Payload: []byte("x")}),
		"two bytes for a short length":  {0x81, 126, 0, 1, 'x'},
		"text that is not UTF-8":        text(wire.Frame{Payload: []byte{0xff}}),
		"continuation without a start":  text(wire.Frame{Fin: true, Op: wire.Continuation}),
		"message inside a fragmented":   append(wire.Frame{Op: wire.Text}.Append(nil), text(wire.Frame{})...),
		"more bytes than anybody needs": text(wire.Frame{Announce: 1 << 40}),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if name == "continuation without a start" {
				data = wire.Frame{Fin: true, Op: wire.Continuation}.Append(nil)
			}
			ws, _, err := peer(t, accept+"\r\n"+string(data), true).WebSocket(t.Context(), wire.UpgradeRequest("/"), soon())
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			if m, err := ws.Read(); !errors.Is(err, wire.ErrFrame) {
				t.Errorf("read %v, %v; want ErrFrame", m, err)
			}
		})
	}
}

func TestHandshakeAnswers(t *testing.T) {
	tests := map[string]struct {
		answer string
		status int
		err    string
	}{
		"refused":      {"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", 400, ""},
		"wrong accept": {strings.Replace(accept, "im8J", "xxxx", 1) + "\r\n", 101, "Sec-WebSocket-Accept"},
		"no upgrade":   {strings.Replace(accept, "Upgrade: websocket\r\n", "", 1) + "\r\n", 101, "101 with Upgrade"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ws, resp, err := peer(t, tt.answer, false).WebSocket(t.Context(), wire.UpgradeRequest("/"), soon())
			if ws != nil || resp == nil || resp.Status != tt.status {
				t.Fatalf("%v, %v, %v", ws, resp, err)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestClientFrames(t *testing.T) {
	tests := map[string]struct {
		frame wire.Frame
		want  string
	}{
		"masked":    {wire.Frame{Fin: true, Op: wire.Text, Masked: true, Payload: []byte("4x")}, "\x81\x82\x12\x34\x56\x78\x26\x4c"},
		"unmasked":  {wire.Frame{Fin: true, Op: wire.Binary, Payload: []byte{7}}, "\x82\x01\x07"},
		"announced": {wire.Frame{Fin: true, Op: wire.Text, Announce: 70000}, "\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70"},
		"wide":      {wire.Frame{Fin: true, Op: wire.Text, Wide: true, Payload: []byte("x")}, "\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x01x"},
		"fragment":  {wire.Frame{Op: wire.Text, RSV: wire.RSV3}, "\x11\x00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(tt.frame.Append(nil))); diff != "" {
				t.Error(diff)
			}
		})
	}
	if code := (wire.Frame{Op: wire.Close}).CloseCode(); code != 1005 {
		t.Errorf("a close frame without a status has the code %d", code)
	}
}

func TestTraceIsBounded(t *testing.T) {
	trace := wire.NewTrace()
	for range 3000 {
		trace.Add(trace.Name("ws"), wire.Sent, "text", make([]byte, 10000))
	}
	entries := trace.Entries()
	if len(entries) > 2000 || len(entries[0].Data) > 4096 || entries[0].Size != 10000 {
		t.Errorf("%d entries of %d bytes, size %d", len(entries), len(entries[0].Data), entries[0].Size)
	}
	var b strings.Builder
	if _, err := trace.WriteTo(&b); err != nil || !strings.Contains(b.String(), "1000 more") {
		t.Errorf("the text does not tell what is left out (%v)", err)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"4a\x1eb": "4a␞b", "\xff\x00\r\n\x7f": `\xff\x00\r\n\x7f`, "é😀": "é😀"} {
		if got := wire.Printable([]byte(in), len(in)); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if got := wire.Printable(make([]byte, 1000), 5000); !strings.HasSuffix(got, "(5000 bytes)") {
		t.Errorf("a long text is shown as %q", got)
	}
}
