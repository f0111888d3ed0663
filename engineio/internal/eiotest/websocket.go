package eiotest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// WS is a WebSocket client that sends what it is told to, right or wrong.
type WS struct {
	t      testing.TB
	Conn   net.Conn
	r      *bufio.Reader
	Header http.Header // of the handshake's answer
}

// Frame opcodes.
const (
	Cont   = 0
	Text   = 1
	Binary = 2
	Close  = 8
	Ping   = 9
	Pong   = 10
)

// Upgrade sends a WebSocket handshake and returns the response, and the client
// if it is 101.
func (s *Server) Upgrade(query string, header ...string) (*WS, *http.Response) {
	s.t.Helper()
	ws, resp, err := HandshakeWS(s.t, s.Dial(), s.Addr, "/engine.io/?"+query, header...)
	if err != nil {
		s.t.Fatal(err)
	}
	return ws, resp
}

// HandshakeWS shakes hands on a connection.
func HandshakeWS(t testing.TB, c net.Conn, host, target string, header ...string) (*WS, *http.Response, error) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(Patience)); err != nil {
		return nil, nil, err
	}
	req := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for i := 0; i < len(header); i += 2 {
		req += header[i] + ": " + header[i+1] + "\r\n"
	}
	if _, err := io.WriteString(c, req+"\r\n"); err != nil {
		return nil, nil, err
	}
	ws := &WS{t: t, Conn: c, r: bufio.NewReader(c)}
	resp, err := http.ReadResponse(ws.r, nil)
	if err != nil {
		return nil, nil, err
	}
	ws.Header = resp.Header
	if err := c.SetDeadline(time.Time{}); err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, resp, nil
	}
	return ws, resp, nil
}

// WS begins a session over WebSocket, and returns it with its open packet.
func (s *Server) WS(extra ...string) (*WS, string) {
	s.t.Helper()
	q := "EIO=4&transport=websocket"
	for _, e := range extra {
		q += "&" + e
	}
	ws, resp := s.Upgrade(q)
	if ws == nil {
		s.t.Fatalf("handshake: %s", resp.Status)
	}
	return ws, ws.Read()
}

// AppendFrame appends a masked client frame. b0 is its first byte: FIN, RSV
// bits and opcode.
func AppendFrame(dst []byte, b0 byte, payload []byte) []byte {
	dst = append(dst, b0)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i%4])
	}
	return dst
}

// Raw sends bytes as they are. Errors are ignored: the server may have closed.
func (w *WS) Raw(b []byte) { _, _ = w.Conn.Write(b) }

// Send sends a text message.
func (w *WS) Send(text string) { w.Raw(AppendFrame(nil, 0x80|Text, []byte(text))) }

// SendBinary sends a binary message.
func (w *WS) SendBinary(b []byte) { w.Raw(AppendFrame(nil, 0x80|Binary, b)) }

// Frame reads one frame of the server.
func (w *WS) Frame() (b0 byte, payload []byte, err error) {
	if err := w.Conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return 0, nil, err
	}
	var h [8]byte
	if _, err := io.ReadFull(w.r, h[:2]); err != nil {
		return 0, nil, err
	}
	b0, n := h[0], uint64(h[1])
	if n&0x80 != 0 {
		return 0, nil, fmt.Errorf("masked frame from the server")
	}
	switch n {
	case 126:
		_, err = io.ReadFull(w.r, h[:2])
		n = uint64(binary.BigEndian.Uint16(h[:2]))
	case 127:
		_, err = io.ReadFull(w.r, h[:8])
		n = binary.BigEndian.Uint64(h[:8])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(w.r, payload)
	return b0, payload, err
}

// Read returns the next frame in the notation of the wire records: text as it
// is, <bin hex>, CLOSE(code) (1005 without one, 1006 without a close frame),
// pong(data). It answers pings of the protocol and does not return them.
func (w *WS) Read() string {
	for {
		s := w.ReadAny()
		if s != "2" {
			return s
		}
		w.Send("3")
	}
}

// ReadAny is Read that leaves pings to the caller.
func (w *WS) ReadAny() string {
	b0, p, err := w.Frame()
	if err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			return "(nothing)"
		}
		return "CLOSE(1006)"
	}
	switch b0 {
	case 0x80 | Text:
		return string(p)
	case 0x80 | Binary:
		return fmt.Sprintf("<bin %x>", p)
	case 0x80 | Pong:
		return fmt.Sprintf("pong(%s)", p)
	case 0x80 | Close:
		code := 1005
		if len(p) >= 2 {
			code = int(binary.BigEndian.Uint16(p))
		}
		w.Raw(AppendFrame(nil, 0x80|Close, p))
		return fmt.Sprintf("CLOSE(%d)", code)
	}
	return fmt.Sprintf("frame %#x %q", b0, p)
}
