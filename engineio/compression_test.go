package engineio_test

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

func compressing(max int64) engineio.Config {
	return engineio.Config{
		MaxPayload: max, Logger: quiet,
		Transports: []engineio.Transport{engineio.WebSocket{Compression: &engineio.Deflate{Threshold: 10}}},
	}
}

const wsQuery = "EIO=4&transport=websocket"

// TestCompressionNegotiation is E-HS-61, and what is declined.
func TestCompressionNegotiation(t *testing.T) {
	s := eiotest.Start(t, compressing(0), eiotest.Handler{OnMessage: eiotest.Echo})
	const accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for offer, want := range map[string]string{
		"permessage-deflate":                                                    accepted,
		"permessage-deflate; client_max_window_bits":                            accepted,
		"permessage-deflate; client_max_window_bits=12":                         accepted,
		"permessage-deflate; server_no_context_takeover":                        accepted,
		"x-other, permessage-deflate":                                           accepted,
		"permessage-deflate; server_max_window_bits=10":                         "",
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":     accepted,
		"permessage-deflate; client_max_window_bits=7":                          "",
		"permessage-deflate; unknown":                                           "",
		"permessage-deflate; server_no_context_takeover=1":                      "",
		"permessage-deflate; client_max_window_bits; client_max_window_bits=12": "",
		"x-webkit-deflate-frame":                                                "",
	} {
		ws, _ := s.Upgrade(wsQuery, "Sec-WebSocket-Extensions", offer)
		if got := ws.Header.Get("Sec-Websocket-Extensions"); got != want {
			t.Errorf("%s: %q", offer, got)
		}
	}
	off := eiotest.Start(t, engineio.Config{}, eiotest.Handler{})
	ws, _ := off.Upgrade(wsQuery, "Sec-WebSocket-Extensions", "permessage-deflate")
	if got := ws.Header.Get("Sec-Websocket-Extensions"); got != "" {
		t.Errorf("off: %q", got)
	}
}

func deflated(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestCompressedMessages(t *testing.T) {
	s := eiotest.Start(t, compressing(100), eiotest.Handler{OnMessage: eiotest.Echo})
	start := func(t *testing.T) *eiotest.WS {
		ws, _ := s.Upgrade(wsQuery, "Sec-WebSocket-Extensions", "permessage-deflate")
		ws.Read()
		return ws
	}
	first := func(op byte) byte { return 0xc0 | op }
	t.Run("both ways", func(t *testing.T) {
		ws := start(t)
		ws.Raw(eiotest.AppendFrame(nil, first(eiotest.Text), deflated(t, "4"+strings.Repeat("a", 99))))
		b0, p, err := ws.Frame()
		if err != nil || b0 != first(eiotest.Text) {
			t.Fatalf("%#x %v", b0, err)
		}
		plain, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
		if err != nil || string(plain) != "4"+strings.Repeat("a", 99) {
			t.Errorf("%q %v", plain, err)
		}
	})
	for name, c := range map[string]struct {
		send []byte
		want string
	}{
		"below the threshold":       {frame(eiotest.Text, "4x"), "4x"},
		"counts decompressed bytes": {eiotest.AppendFrame(nil, first(eiotest.Text), deflated(t, "4"+strings.Repeat("a", 100))), "CLOSE(1009)"},
		"a bomb":                    {eiotest.AppendFrame(nil, first(eiotest.Binary), deflated(t, strings.Repeat("\x00", 50_000))), "CLOSE(1009)"},
		"corrupt":                   {eiotest.AppendFrame(nil, first(eiotest.Text), []byte("\xff\xff\xff\xff")), "CLOSE(1007)"},
		"cut off":                   {eiotest.AppendFrame(nil, first(eiotest.Text), []byte("\x00\xff\xff\x00\x004")), "CLOSE(1007)"},
		"not UTF-8":                 {eiotest.AppendFrame(nil, first(eiotest.Text), deflated(t, "4\xff")), "CLOSE(1007)"},
		"the bit on a continuation": {append(eiotest.AppendFrame(nil, 0x41, deflated(t, "4x")), eiotest.AppendFrame(nil, 0xc0, nil)...), "CLOSE(1002)"},
		"the bit on a ping":         {eiotest.AppendFrame(nil, first(eiotest.Ping), nil), "CLOSE(1002)"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := start(t)
			ws.Raw(c.send)
			if got := ws.Read(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestCompressionWithGorilla talks to a client that is not ours, in all sizes
// and kinds, several messages in a batch, shared and not.
func TestCompressionWithGorilla(t *testing.T) {
	s := eiotest.Start(t, compressing(0), eiotest.Handler{
		OnOpen:    func(ss *engineio.Session) error { ss.Subscribe("all"); return nil },
		OnMessage: func(ss *engineio.Session, m engineio.Message) { _ = ss.Send(m, m) },
	})
	d := websocket.Dialer{EnableCompression: true}
	var conns []*websocket.Conn
	for range 2 {
		c, _, err := d.DialContext(t.Context(), "ws://"+s.Addr+"/engine.io/?"+wsQuery, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	expect := func(c *websocket.Conn, kind int, text string) {
		t.Helper()
		k, b, err := c.ReadMessage()
		if err != nil || k != kind || string(b) != text {
			t.Fatalf("%d, %d bytes, %v; want %d, %d", k, len(b), err, kind, len(text))
		}
	}
	for _, n := range []int{0, 1, 9, 10, 1000, 100_000} {
		text := strings.Repeat("abc", n/3+1)[:n]
		for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
			wire := text
			if kind == websocket.TextMessage {
				wire = "4" + text
			}
			if err := conns[0].WriteMessage(kind, []byte(wire)); err != nil {
				t.Fatal(err)
			}
			expect(conns[0], kind, wire)
			expect(conns[0], kind, wire)
			m := engineio.Message{Binary: kind == websocket.BinaryMessage, Data: []byte(text)}
			s.Publish([]string{"all"}, m, 0)
			s.Publish([]string{"all"}, m, engineio.NoCompress)
			for _, c := range conns {
				expect(c, kind, wire)
				expect(c, kind, wire)
			}
		}
	}
}
