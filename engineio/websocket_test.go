package engineio_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// frame is a masked client frame that is not fragmented.
func frame(op byte, payload string) []byte { return eiotest.AppendFrame(nil, 0x80|op, []byte(payload)) }

func TestWebSocket(t *testing.T) {
	e := new(echoing)
	s := eiotest.Start(t, slow(), e)
	tiny := eiotest.Start(t, small(), e)
	text := func(p string) []byte { return frame(eiotest.Text, p) }
	x := text("4x")
	for _, c := range []struct {
		id   string
		srv  *eiotest.Server
		send []byte
		want string // frames, separated by " , "
	}{
		{"E-WS-01", s, text("4hello"), "4hello"},
		{"E-WS-02", s, text("4"), "4"},
		{"E-WS-03", s, text(""), "CLOSE(1005)"},
		{"E-WS-04", s, frame(eiotest.Binary, ""), "<bin >"},
		{"E-WS-05", s, frame(eiotest.Binary, "\x01\x02\x03\x04"), "<bin 01020304>"},
		{"E-WS-06", s, text("bAQIDBA=="), "<bin 01020304>"},
		{"E-WS-07", s, text("abc"), "CLOSE(1005)"},
		{"E-WS-08", s, text("7"), "CLOSE(1005)"},
		{"E-WS-09", s, text("4a\x1e4b"), "4a\x1e4b"},
		{"E-WS-10", s, append(text("0"), x...), "4x"},
		{"E-WS-11,30", s, append(text("1"), x...), "4x"},
		{"E-WS-12", s, append(text("5"), x...), "4x"},
		{"E-WS-13", s, append(text("6"), x...), "4x"},
		{"E-WS-14", tiny, text("4" + strings.Repeat("a", 99)), "4" + strings.Repeat("a", 99)},
		{"E-WS-15", tiny, text("4" + strings.Repeat("a", 100)), "CLOSE(1009)"},
		{"E-WS-16", tiny, frame(eiotest.Binary, strings.Repeat("a", 101)), "CLOSE(1009)"},
		{"E-WS-17", s, text("4close"), "CLOSE(1005)"},
		{"E-WS-18", s, text("4discard"), "CLOSE(1005)"},
		{"E-WS-19", s, text("4empty"), "4"},
		{"E-WS-20", s, text("4mixed"), "4t , <bin 010203> , 4é€😀"},
		{"E-WS-22", s, text("4\xff"), "CLOSE(1007)"},
		{"E-WS-23", s, append(eiotest.AppendFrame(nil, eiotest.Text, []byte("4hel")), frame(eiotest.Cont, "lo")...), "4hello"},
		{"E-WS-24", s, frame(eiotest.Close, "\x03\xe8"), "CLOSE(1000)"},
		{"E-WS-25", s, frame(eiotest.Close, ""), "CLOSE(1005)"},
		{"E-WS-26", s, []byte{0x81, 2, '4', 'x'}, "CLOSE(1002)"},
		{"E-WS-36", s, text("4" + strings.Repeat("a", 999_999)), "4" + strings.Repeat("a", 999_999)},
		{"E-WS-37", tiny, append(eiotest.AppendFrame(nil, eiotest.Text, []byte("4"+strings.Repeat("a", 60))), frame(eiotest.Cont, strings.Repeat("a", 60))...), "CLOSE(1009)"},
		{"E-HB-04", s, append(text("3"), x...), "4x"},
		{"E-HB-05", s, append(text("3probe"), x...), "4x"},
		{"E-HB-06", s, text("2"), "CLOSE(1005)"},
		{"E-HB-07", s, text("2probe"), "CLOSE(1005)"},
		{"E-HB-10", s, frame(eiotest.Ping, "abc"), "pong(abc)"},
		{"a bad close code", s, frame(eiotest.Close, "\x03\xed"), "CLOSE(1002)"},
		{"a close code of one byte", s, frame(eiotest.Close, "\x03"), "CLOSE(1002)"},
		{"a close reason that is not UTF-8", s, frame(eiotest.Close, "\x03\xe8\xff"), "CLOSE(1002)"},
		{"a reserved bit", s, eiotest.AppendFrame(nil, 0xc0|eiotest.Text, []byte("4x")), "CLOSE(1002)"},
		{"a reserved opcode", s, frame(3, "4x"), "CLOSE(1002)"},
		{"a fragmented control frame", s, eiotest.AppendFrame(nil, eiotest.Ping, []byte("a")), "CLOSE(1002)"},
		{"a control frame of 126 bytes", s, frame(eiotest.Ping, strings.Repeat("a", 126)), "CLOSE(1002)"},
		{"a continuation of nothing", s, frame(eiotest.Cont, "4x"), "CLOSE(1002)"},
		{"text within text", s, append(eiotest.AppendFrame(nil, eiotest.Text, []byte("4a")), x...), "CLOSE(1002)"},
		{"a ping between fragments", s, append(append(eiotest.AppendFrame(nil, eiotest.Text, []byte("4a")), frame(eiotest.Ping, "p")...), frame(eiotest.Cont, "b")...), "pong(p) , 4ab"},
		{"a character between fragments", s, append(eiotest.AppendFrame(nil, eiotest.Text, []byte("4\xf0\x9f")), frame(eiotest.Cont, "\x98\x80")...), "4😀"},
		{"a length of 2^63", s, binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, 1<<63), "CLOSE(1009)"},
		{"nothing after a close frame", s, append(frame(eiotest.Close, "\x03\xe8"), x...), "CLOSE(1000) , CLOSE(1006)"},
	} {
		t.Run(c.id, func(t *testing.T) {
			ws, _ := c.srv.WS()
			ws.Raw(c.send)
			for i, want := range strings.Split(c.want, " , ") {
				if got := ws.Read(); got != want {
					t.Fatalf("frame %d\n got %.100s\nwant %.100s", i, got, want)
				}
			}
		})
	}
	t.Run("E-WS-21", func(t *testing.T) {
		ws, _ := s.WS()
		ws.Send("4burst 50")
		for i := range 50 {
			if got := ws.Read(); got != fmt.Sprintf("4b%d", i) {
				t.Fatalf("%d: %s", i, got)
			}
		}
	})
	t.Run("E-WS-27,28", func(t *testing.T) {
		_, open := s.WS()
		q := s.URL("EIO=4&transport=polling&sid=" + eiotest.SID(t, open))
		if got := show(s.Do("GET", q, "")) + show(s.Do("POST", q, "4x")); got != badRequest+badRequest {
			t.Error(got)
		}
	})
	t.Run("E-WS-29", func(t *testing.T) {
		first, open := s.WS()
		second, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + eiotest.SID(t, open))
		if got := second.Read(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		first.Send("4still")
		if got := first.Read(); got != "4still" {
			t.Error(got)
		}
	})
	t.Run("E-WS-34", func(t *testing.T) {
		// In one segment with the handshake, before its answer even.
		c := early{s.Dial(), x}
		ws, _, err := eiotest.HandshakeWS(t, c, s.Addr, "/engine.io/?EIO=4&transport=websocket")
		if err != nil || ws == nil {
			t.Fatalf("refused: %v", err)
		}
		if got := masked(ws.Read()) + " , " + ws.Read(); got != openedSlowWS+" , 4x" {
			t.Error(got)
		}
	})
}

// early is a connection that sends frames right behind the first thing that is
// written to it.
type early struct {
	net.Conn
	frames []byte
}

func (e early) Write(p []byte) (int, error) {
	_, err := e.Conn.Write(append(append([]byte(nil), p...), e.frames...))
	return len(p), err
}

func TestCloseReasons(t *testing.T) {
	for _, c := range []struct {
		name string
		send []byte
		want string
	}{
		{"close frame", frame(eiotest.Close, "\x03\xe8"), "transport close"},
		{"parse error", frame(eiotest.Text, "abc"), "parse error"},
		{"wrong way heartbeat", frame(eiotest.Text, "2"), "transport error"},
		{"too big", frame(eiotest.Text, "4"+strings.Repeat("a", 100)), "transport error"},
		{"not UTF-8", frame(eiotest.Text, "4\xff"), "transport error"},
		{"unmasked", []byte{0x81, 1, '4'}, "transport error"},
		{"close", frame(eiotest.Text, "4close"), "forced close"},
		{"discard", frame(eiotest.Text, "4discard"), "forced close"},
		{"hang up", nil, "transport close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := new(echoing)
			s := eiotest.Start(t, small(), e)
			ws, open := s.WS()
			ss, _ := s.Session(eiotest.SID(t, open))
			if c.send == nil {
				ws.Conn.Close()
			} else {
				ws.Raw(c.send)
				ws.Read()
			}
			eiotest.Wait(t, ss.Context().Done())
			eiotest.Until(t, "Close called", func() bool { return len(e.reasons()) == 1 })
			if got := e.reasons()[0]; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
