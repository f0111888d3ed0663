package autobahn_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echoServer runs the server under test.
func echoServer(t *testing.T, transport engineio.WebSocket) *eiotest.Server {
	t.Helper()
	return eiotest.Start(t, engineio.Config{
		Transports: []engineio.Transport{transport},
		MaxPayload: 16<<20 + 1, // the largest message of group 9, and its type
		Limits:     engineio.Limits{Outbox: 64 << 20},
		Logger:     slog.New(slog.DiscardHandler),
	}, eiotest.Handler{OnMessage: eiotest.Echo})
}

// frame is what the client sends: the first byte (FIN, RSV bits, opcode) and the
// payload.
type frame struct {
	first   byte
	payload string
}

const (
	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10
)

func text(s string) frame   { return frame{fin | eiotest.Text, "4" + s} }
func bytes(s string) frame  { return frame{fin | eiotest.Binary, s} }
func ping(s string) frame   { return frame{fin | eiotest.Ping, s} }
func pong(s string) frame   { return frame{fin | eiotest.Pong, s} }
func shut(code int) frame   { return frame{fin | eiotest.Close, closeBody(code)} }
func begin(s string) frame  { return frame{eiotest.Text, s} }
func more(s string) frame   { return frame{eiotest.Cont, s} }
func finish(s string) frame { return frame{fin | eiotest.Cont, s} }

// closeBody is the payload of a close frame.
func closeBody(code int) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code)))
}

// How the client cuts what it sends into writes.
const (
	whole   = 0  // all in one
	byFrame = -1 // each frame by itself; more than 0: so many bytes
)

// attempt is a case of the suite: what the client sends, and what must come back.
type attempt struct {
	id    string
	send  []frame
	chop  int
	want  []frame // answers before the end
	codes []int   // with which the server may close; nil: the client closes, with 1000

	loosely bool // some of want may be missing, but not the last one

	// maybe says that all of want may be missing, when the end is faster: the suite
	// calls that NON-STRICT. It has to be there in one of some tries.
	maybe bool
}

// tries is how often a case is played that may have one of two outcomes.
const tries = 20

// run plays a case.
func (a attempt) run(t *testing.T, s *eiotest.Server) {
	if !a.maybe {
		a.play(t, s)
		return
	}
	for range tries {
		if missing := a.play(t, s); missing == 0 {
			return
		}
	}
	t.Errorf("the answers were missing in %d tries", tries)
}

// play plays a case on a connection of its own, and returns how many answers
// were missing, which only some cases allow.
func (a attempt) play(t *testing.T, s *eiotest.Server) (missing int) {
	t.Helper()
	ws, _ := s.WS()
	defer ws.Conn.Close()
	closing := false
	var out []byte
	for _, f := range a.send {
		closing = closing || f.first&0xf == eiotest.Close
		out = eiotest.AppendFrame(out, f.first, []byte(f.payload))
		if a.chop == byFrame {
			ws.Raw(out)
			out = out[:0]
		}
	}
	step := len(out)
	if a.chop > 0 {
		step = a.chop
	}
	for chop := range slices.Chunk(out, max(step, 1)) {
		ws.Raw(chop)
	}
	codes := a.codes
	if codes == nil && !closing {
		// The client closes when it has what it wants.
		if err := a.answers(ws); err != nil {
			t.Fatal(err)
		}
		a.want, closing = nil, true
		ws.Raw(eiotest.AppendFrame(nil, fin|eiotest.Close, []byte(closeBody(1000))))
	}
	if codes == nil {
		codes = []int{1000}
	}
	code, missing, err := a.end(ws, closing)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(codes, code) {
		t.Errorf("closed with %d, want %v", code, codes)
	}
	return missing
}

// answers reads as many frames as are wanted.
func (a attempt) answers(ws *eiotest.WS) error {
	for i := 0; i < len(a.want); i++ {
		got, err := read(ws)
		if err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
		for a.loosely && i < len(a.want)-1 && got != a.want[i] {
			i++
		}
		if got != a.want[i] {
			return fmt.Errorf("answer %d is %s, want %s", i, got, a.want[i])
		}
	}
	return nil
}

// end reads what is left up to the server's close frame, answers that unless the
// client has closed before, and wants the end of the connection behind it.
func (a attempt) end(ws *eiotest.WS, closed bool) (code, missing int, err error) {
	want := a.want
	for {
		got, err := read(ws)
		if err != nil {
			return 0, 0, err
		}
		if got.first == fin|eiotest.Close {
			if len(want) > 0 && !a.maybe {
				return 0, 0, fmt.Errorf("closed before %s came", want[0])
			}
			code = 1005
			if len(got.payload) >= 2 {
				code = int(binary.BigEndian.Uint16([]byte(got.payload)))
			}
			break
		}
		if len(want) == 0 || got != want[0] {
			return 0, 0, fmt.Errorf("unexpected %s before the close frame", got)
		}
		want = want[1:]
	}
	if !closed {
		ws.Raw(eiotest.AppendFrame(nil, fin|eiotest.Close, []byte(closeBody(code))))
	}
	if got, err := read(ws); err == nil {
		return 0, 0, fmt.Errorf("%s after the close frame", got)
	} else if !errors.Is(err, io.EOF) {
		return 0, 0, fmt.Errorf("after the close frame: %w, want the end of the connection", err)
	}
	return code, len(want), nil
}

func read(ws *eiotest.WS) (frame, error) {
	first, payload, err := ws.Frame()
	return frame{first, string(payload)}, err
}

// String shows the beginning of a frame.
func (f frame) String() string {
	if len(f.payload) > 40 {
		return fmt.Sprintf("%#x %q… (%d bytes)", f.first, f.payload[:40], len(f.payload))
	}
	return fmt.Sprintf("%#x %q", f.first, f.payload)
}
