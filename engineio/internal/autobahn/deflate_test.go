package autobahn_test

import (
	gobytes "bytes"
	"compress/flate"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// asSuite sends as many messages as the suite does, which takes minutes.
var asSuite = flag.Bool("suite", false, "send 1000 messages of every size")

// volume is how many bytes a case sends otherwise, in at least 4 messages and at
// most 100.
const volume = 128 << 10

// size is a line of the suite's table: the size of a message, and of the
// fragments that it is sent in.
type size struct{ message, fragment int }

var sizes = []size{
	{16, 0}, {64, 0}, {256, 0}, {1024, 0}, {4096, 0}, {8192, 0}, {16384, 0}, {32768, 0}, {65536, 0}, {131072, 0},
	{8192, 256}, {16384, 256}, {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
}

func (s size) messages() int {
	if *asSuite {
		return 1000
	}
	return max(4, min(100, volume/s.message))
}

// offers are those of group 13; the first is group 12's. Those that ask for a
// smaller window of the server's are declined.
var offers = []struct {
	offer    string
	accepted bool
}{
	{"permessage-deflate; client_no_context_takeover; client_max_window_bits", true},
	{"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", true},
	{"permessage-deflate; server_max_window_bits=9; client_no_context_takeover; client_max_window_bits", false},
	{"permessage-deflate; server_max_window_bits=15; client_no_context_takeover; client_max_window_bits", false},
	{"permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_no_context_takeover; client_max_window_bits", false},
	{"permessage-deflate; server_no_context_takeover; server_max_window_bits=15; client_no_context_takeover; client_max_window_bits", false},
	{"permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_no_context_takeover; client_max_window_bits, " +
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, " +
		"permessage-deflate; client_no_context_takeover; client_max_window_bits", true},
}

// TestDeflate is groups 12 and 13: compressed messages of every size, of five
// kinds of data, and with every offer.
func TestDeflate(t *testing.T) {
	s := echoServer(t, engineio.WebSocket{Compression: &engineio.Deflate{Threshold: -1}})
	material := samples()
	for i, m := range material {
		for j, size := range sizes {
			t.Run(fmt.Sprintf("12.%d.%d", i+1, j+1), func(t *testing.T) { deflated(t, s, 0, m, size) })
		}
	}
	for i := range offers {
		for j, size := range sizes {
			t.Run(fmt.Sprintf("13.%d.%d", i+1, j+1), func(t *testing.T) { deflated(t, s, i, material[3], size) })
		}
	}
}

// deflated plays a case: messages one after the other, compressed if the server
// took the offer.
func deflated(t *testing.T, s *eiotest.Server, offer int, m sample, sz size) {
	z, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	next := func(int) ([]frame, frame) {
		f := m.message(&at, sz.message)
		out := f
		if offers[offer].accepted {
			out = frame{f.first | rsv1, compress(t, z, f.payload)}
		}
		if sz.fragment == 0 {
			return []frame{out}, f
		}
		return fragments(out, sz.fragment), f
	}
	talk(t, s, sz.messages(), next, "Sec-WebSocket-Extensions", offers[offer].offer)
}

// compress is RFC 7692, section 7.2.1: the stream without the last empty block.
func compress(t *testing.T, z *flate.Writer, payload string) string {
	t.Helper()
	var b gobytes.Buffer
	z.Reset(&b)
	if _, err := io.WriteString(z, payload); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// inflate undoes what the server's frame says was done.
func inflate(f frame) (frame, error) {
	if f.first&rsv1 == 0 {
		return f, nil
	}
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(f.payload + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	return frame{f.first &^ rsv1, string(b)}, err
}

// talk sends n messages, one after the other, each when the one before has come
// back, and closes.
func talk(t *testing.T, s *eiotest.Server, n int, next func(i int) ([]frame, frame), header ...string) {
	ws, resp := s.Upgrade("EIO=4&transport=websocket", header...)
	if ws == nil {
		t.Fatal(resp.Status)
	}
	defer ws.Conn.Close()
	if _, err := read(ws); err != nil { // the open packet
		t.Fatal(err)
	}
	var out []byte
	for i := range n {
		send, want := next(i)
		out = out[:0]
		for _, f := range send {
			out = eiotest.AppendFrame(out, f.first, []byte(f.payload))
		}
		ws.Raw(out)
		got, err := read(ws)
		if err == nil {
			got, err = inflate(got)
		}
		if err != nil || got != want {
			t.Fatalf("message %d came back as %s, %v; want %s", i, got, err, want)
		}
	}
	ws.Raw(eiotest.AppendFrame(nil, fin|eiotest.Close, []byte(closeBody(1000))))
	if code, _, err := (attempt{}).end(ws, true); code != 1000 || err != nil {
		t.Errorf("closed with %d, %v", code, err)
	}
}

// sample is what messages are cut from.
type sample struct {
	data string
	text bool
}

// message takes the next n bytes, from the beginning again after the end.
func (m sample) message(at *int, n int) frame {
	from := *at
	*at = (from + n) % len(m.data)
	payload := repeat(m.data[from:]+m.data[:from], n)
	if m.text {
		return text(payload)
	}
	return bytes(payload)
}

// samples are of the kinds that the suite has: prose, a bitmap, a document that is
// compressed already, JSON and HTML. All texts are ASCII, so that they may be cut
// anywhere.
func samples() []sample {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 200_000
	build := func(f func(b *strings.Builder)) string {
		var b strings.Builder
		for b.Len() < n {
			f(&b)
		}
		return b.String()
	}
	words := make([]string, 2000)
	for i := range words {
		w := make([]byte, 2+r.IntN(10))
		for j := range w {
			w[j] = "etaoinshrdlucmfwypvbgkjqxz"[min(r.IntN(26), r.IntN(26))]
		}
		words[i] = string(w)
	}
	word := func() string { return words[min(r.IntN(len(words)), r.IntN(len(words)))] }
	grey := 128
	return []sample{
		{build(func(b *strings.Builder) { b.WriteString(word() + " ") }), false},
		{build(func(b *strings.Builder) {
			grey = min(255, max(0, grey+r.IntN(7)-3))
			b.WriteByte(byte(grey))
		}), false},
		{build(func(b *strings.Builder) { b.WriteByte(byte(r.Uint32())) }), false},
		{build(func(b *strings.Builder) {
			fmt.Fprintf(b, `{"id":%d,"name":"%s %s","active":%v,"score":%.3f},`, r.IntN(1e6), word(), word(), r.IntN(2) == 0, r.Float64())
		}), true},
		{build(func(b *strings.Builder) {
			fmt.Fprintf(b, "<li class=\"%s\"><a href=\"/%s/%d\">%s</a></li>\n", word(), word(), r.IntN(1000), word())
		}), true},
	}
}
