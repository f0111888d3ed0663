package webtransport

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/wire"
)

// session is a WebTransport session with its one bidirectional stream.
type session struct {
	t      *probe.T
	label  string
	wt     *wt.Session
	stream *wt.Stream
	in     *bufio.Reader

	// deaf leaves pings unanswered; they are then packets like others.
	deaf bool
}

// frame is what came: a packet's text, or the bytes of a binary message.
type frame struct {
	text   string
	binary bool
	// header is how many bytes announced the length.
	header int
}

// String shows a frame in the notation of the cases.
func (f frame) String() string {
	if f.binary {
		return fmt.Sprintf("<bin %x>", f.text)
	}
	return f.text
}

// connect opens a session and no stream yet. It ends with the case.
func connect(t *probe.T, url string, config *tls.Config) *session {
	s := &session{t: t, label: t.Trace.Name("wt")}
	ctx, cancel := context.WithTimeout(t.Context(), t.Patience)
	defer cancel()
	transport := &wt.Transport{
		TLSClientConfig: config.Clone(),
		QUICConfig:      &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true},
	}
	t.Trace.Add(s.label, wire.Sent, "connect", []byte(url))
	// The answer's body is the session itself: it stays open.
	_, dialed, err := transport.Dial(ctx, url, nil)
	if err != nil {
		transport.Close()
		t.Failf("no WebTransport session at %s: %v", url, err)
	}
	s.wt = dialed
	t.Cleanup(func() {
		s.wt.CloseWithError(0, "")
		transport.Close()
	})
	return s
}

// open opens the stream and sends bytes on it.
func (s *session) open(data []byte) {
	ctx, cancel := context.WithTimeout(s.t.Context(), s.t.Patience)
	defer cancel()
	stream, err := s.wt.OpenStreamSync(ctx)
	if err != nil {
		s.t.Failf("%s: no stream: %v", s.label, err)
	}
	s.stream, s.in = stream, bufio.NewReader(stream)
	s.write(data)
}

// text is a text packet with its header.
func text(packet string) []byte { return append(head(len(packet), 0), packet...) }

// binaryMessage is a binary message with its header.
func binaryMessage(data ...byte) []byte { return append(head(len(data), 0x80), data...) }

// head announces a length in as few bytes as can be.
func head(length int, top byte) []byte {
	switch {
	case length < 126:
		return []byte{top | byte(length)}
	case length < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{top | 126}, uint16(length))
	default:
		return binary.BigEndian.AppendUint64([]byte{top | 127}, uint64(length))
	}
}

// send sends text packets, each in a write of its own.
func (s *session) send(packets ...string) {
	for _, packet := range packets {
		s.write(text(packet))
	}
}

// write sends bytes as they are. That the server has closed already is no
// failure: what follows tells.
func (s *session) write(data []byte) {
	s.t.Trace.Add(s.label, wire.Sent, "bytes", data)
	s.stream.SetWriteDeadline(time.Now().Add(s.t.Patience))
	if _, err := s.stream.Write(data); err != nil {
		s.t.Trace.Note(s.label, "write failed: %v", err)
	}
}

// errSilence means that nothing came in time.
var errSilence = errors.New("nothing came")

// take returns the next frame, or errSilence, or why the session has ended.
// Pings are answered.
func (s *session) take(d time.Duration) (frame, error) {
	s.stream.SetReadDeadline(time.Now().Add(d))
	for {
		f, err := s.read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return f, errSilence
		case err != nil:
			s.t.Trace.Note(s.label, "the session ended: %v", err)
			return f, err
		}
		s.t.Trace.Add(s.label, wire.Received, map[bool]string{true: "binary", false: "text"}[f.binary], []byte(f.text))
		if f.text != "2" || f.binary || s.deaf {
			return f, nil
		}
		s.send("3")
	}
}

func (s *session) read() (frame, error) {
	first, err := s.in.ReadByte()
	if err != nil {
		return frame{}, err
	}
	f := frame{binary: first&0x80 != 0, header: 1}
	length := uint64(first & 0x7f)
	if extra := map[uint64]int{126: 2, 127: 8}[length]; extra > 0 {
		var b [8]byte
		if _, err := io.ReadFull(s.in, b[8-extra:]); err != nil {
			return f, err
		}
		f.header, length = 1+extra, binary.BigEndian.Uint64(b[:])
	}
	s.t.Check(length <= 1<<24, "%s: a frame of %d bytes is announced", s.label, length)
	data := make([]byte, length)
	_, err = io.ReadFull(s.in, data)
	f.text = string(data)
	return f, err
}

// next returns the next frame; one must come.
func (s *session) next() frame {
	f, err := s.take(s.t.Patience)
	if err != nil {
		s.t.Failf("%s: no frame came: %v", s.label, err)
	}
	return f
}

// expect checks the next frames.
func (s *session) expect(want ...string) {
	for _, w := range want {
		probe.Equal(s.t, s.label+": the next frame", w, s.next().String())
	}
}

// silent checks that nothing but pings comes for a while.
func (s *session) silent(d time.Duration) {
	if f, err := s.take(d); err == nil {
		s.t.Failf("%s: nothing may come here, but %s did", s.label, f)
	} else if !errors.Is(err, errSilence) {
		s.t.Failf("%s: the session must stay: %v", s.label, err)
	}
}

// ended checks that the server ends the session within d. A close packet before
// is a way to say so.
func (s *session) ended(d time.Duration) {
	f, err := s.take(d)
	if err == nil && f.text == "1" {
		f, err = s.take(d)
	}
	switch {
	case err == nil:
		s.t.Failf("%s: the session must end, but %s came", s.label, f)
	case errors.Is(err, errSilence):
		s.t.Failf("%s: the session is still there after %v", s.label, d)
	}
}

// alive checks that the server echoes and nothing else came before.
func (s *session) alive() {
	s.send("4alive")
	s.expect("4alive")
}

// opened is what the open packet announces.
type opened struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"`
	PingTimeout  int64    `json:"pingTimeout"`
	MaxPayload   int64    `json:"maxPayload"`
}

func (o opened) interval() time.Duration { return time.Duration(o.PingInterval) * time.Millisecond }

func (o opened) timeout() time.Duration { return time.Duration(o.PingTimeout) * time.Millisecond }

// handshake takes the open packet.
func (s *session) handshake() opened {
	packet := s.next().String()
	var o opened
	data, found := strings.CutPrefix(packet, "0")
	if !found || json.Unmarshal([]byte(data), &o) != nil || o.SID == "" {
		s.t.Fail(&probe.Failure{Message: s.label + ": the first packet is no open packet", Want: `0{"sid":…}`, Got: packet})
	}
	return o
}
