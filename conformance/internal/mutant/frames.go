package mutant

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/siokit/siokit/conformance/wire"
)

// maxFrame bounds the frames that the proxy looks into; longer ones, and those
// that break RFC 6455, end its looking: the rest passes as it is.
const maxFrame = 4 << 20

// rawFrame is a frame as it came.
type rawFrame struct {
	bytes   []byte
	fin     bool
	masked  bool
	rsv     byte
	op      wire.Opcode
	payload []byte // unmasked
}

// readFrame reads one frame. ok is false when it is not to be looked into: raw
// holds what was read of it.
func readFrame(r *bufio.Reader) (f rawFrame, ok bool, err error) {
	take := func(n int) []byte {
		at := len(f.bytes)
		f.bytes = append(f.bytes, make([]byte, n)...)
		var got int
		if err == nil {
			got, err = io.ReadFull(r, f.bytes[at:])
		}
		f.bytes = f.bytes[:at+got]
		return f.bytes[at:]
	}
	head := take(2)
	if err != nil {
		return f, false, err
	}
	f.fin, f.rsv, f.op = head[0]&0x80 != 0, head[0]&0x70, wire.Opcode(head[0]&0x0f)
	f.masked = head[1]&0x80 != 0
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		b := take(2)
		if err != nil {
			return f, false, err
		}
		length = uint64(binary.BigEndian.Uint16(b))
	case 127:
		b := take(8)
		if err != nil {
			return f, false, err
		}
		length = binary.BigEndian.Uint64(b)
	}
	if length > maxFrame {
		return f, false, nil
	}
	var key []byte
	if f.masked {
		key = bytes.Clone(take(4))
	}
	payload := take(int(length))
	if err != nil {
		return f, false, err
	}
	f.payload = bytes.Clone(payload)
	for i := range key {
		for j := i; j < len(f.payload); j += 4 {
			f.payload[j] ^= key[i]
		}
	}
	return f, true, nil
}

// packet returns the packet that a frame is, when it is a whole one.
func (f rawFrame) packet() (Packet, bool) {
	switch {
	case !f.fin || f.rsv != 0:
		return Packet{}, false
	case f.op == wire.Text:
		return Packet{Text: string(f.payload)}, true
	case f.op == wire.Binary:
		return Packet{Binary: true, Data: f.payload}, true
	default:
		return Packet{}, false
	}
}

// frame turns a packet into a frame of one side.
func frame(p Packet, masked bool) []byte {
	f := wire.Frame{Fin: true, Op: wire.Text, Masked: masked, Payload: []byte(p.Text)}
	if p.Binary {
		f.Op, f.Payload = wire.Binary, p.Data
	}
	return f.Append(nil)
}

// pass is what a frame becomes on its way.
func (f rawFrame) pass(s *Session, packets func(*Session, Packet) []Packet, frames func(*Session, wire.Frame) []wire.Frame, fromClient bool) []byte {
	if frames != nil {
		var b []byte
		for _, passed := range frames(s, wire.Frame{Fin: f.fin, RSV: f.rsv, Op: f.op, Masked: f.masked, Payload: f.payload}) {
			b = passed.Append(b)
		}
		return b
	}
	p, whole := f.packet()
	if packets == nil || !whole || f.masked != fromClient {
		return f.bytes
	}
	var b []byte
	for _, passed := range packets(s, p) {
		b = append(b, frame(passed, fromClient)...)
	}
	return b
}

// webSocketFromClient hands the client's frames on.
func (l *link) webSocketFromClient(r *http.Request) {
	m := l.p.mutant
	if m.In == nil && m.FramesIn == nil {
		io.Copy(l.server, l.fromClient)
		return
	}
	s := l.session(r)
	for {
		f, ok, err := readFrame(l.fromClient)
		if err != nil || !ok {
			l.server.Write(f.bytes)
			if err == nil {
				io.Copy(l.server, l.fromClient)
			}
			return
		}
		l.server.Write(f.pass(s, m.In, m.FramesIn, true))
	}
}

// webSocketFromServer hands the server's 101 and then its frames on.
func (l *link) webSocketFromServer(r *http.Request, resp *http.Response) {
	a := &Answer{Status: resp.StatusCode, Header: resp.Header}
	if l.p.mutant.Response != nil {
		l.p.mutant.Response(r, a)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	a.Header.Write(&b)
	b.WriteString("\r\n")
	l.write(b.Bytes())
	m := l.p.mutant
	if m.Out == nil && m.FramesOut == nil {
		io.Copy(l.client, l.fromServer)
		return
	}
	s := l.session(r)
	for {
		f, ok, err := readFrame(l.fromServer)
		if err != nil || !ok {
			l.write(f.bytes)
			if err == nil {
				io.Copy(l.client, l.fromServer)
			}
			return
		}
		l.write(f.pass(s, m.Out, m.FramesOut, false))
	}
}

// session is what both directions of a WebSocket connection share with the
// mutant.
func (l *link) session(r *http.Request) *Session {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	key := "ws" + l.client.RemoteAddr().String()
	if s := l.p.sessions[key]; s != nil {
		return s
	}
	s := &Session{
		Path:      r.URL.Path,
		WebSocket: true,
		Upgraded:  strings.Contains(r.URL.RawQuery, "sid="),
		Seen:      map[string]string{},
		toClient:  func(p Packet) { l.write(frame(p, false)) },
		toServer:  func(p Packet) { l.server.Write(frame(p, true)) },
		close: func(code int) {
			l.write(wire.Frame{Fin: true, Op: wire.Close, Payload: wire.ClosePayload(code, "")}.Append(nil))
			l.client.Close()
		},
	}
	l.p.sessions[key] = s
	return s
}
