package wire

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// handshakeKey is the Sec-WebSocket-Key of every handshake, and acceptKey the
// answer that RFC 6455 1.3 derives from it.
var (
	handshakeKey = base64.StdEncoding.EncodeToString([]byte("siokit conform!!"))
	acceptKey    = accept(handshakeKey)
)

func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// UpgradeRequest is the request of a WebSocket handshake; extra fields come
// last.
func UpgradeRequest(target string, extra ...Field) Request {
	return Request{
		Target: target,
		Header: append([]Field{
			{"Upgrade", "websocket"},
			{"Connection", "Upgrade"},
			{"Sec-WebSocket-Key", handshakeKey},
			{"Sec-WebSocket-Version", "13"},
		}, extra...),
	}
}

// WebSocket is a connection after the handshake.
type WebSocket struct {
	*Conn
	// Response is the server's 101.
	Response *Response

	deflate bool
	// The parts of a fragmented message so far.
	partial   bytes.Buffer
	partialOp Opcode
	partRSV   byte
}

// Upgrade writes the handshake request and reads the answer. A WebSocket is
// returned only for a correct 101; otherwise the response tells what came.
func (c *Conn) Upgrade(r Request, deadline time.Time) (*WebSocket, *Response, error) {
	return c.UpgradeRaw(r.Bytes(c.host), deadline)
}

// UpgradeRaw is [Conn.Upgrade] with a request that was put into bytes already,
// with anything behind it.
func (c *Conn) UpgradeRaw(request []byte, deadline time.Time) (*WebSocket, *Response, error) {
	c.trace.Add(c.Label, Sent, "request", request)
	if err := c.write(request); err != nil {
		return nil, nil, err
	}
	resp, err := c.ReadResponse(deadline, "GET")
	if err != nil {
		return nil, nil, err
	}
	if resp.Status != http.StatusSwitchingProtocols {
		return nil, resp, nil
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != acceptKey {
		return nil, resp, fmt.Errorf("wire: Sec-WebSocket-Accept is %q, want %q", got, acceptKey)
	}
	if !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") {
		return nil, resp, fmt.Errorf("wire: 101 with Upgrade: %q", resp.Header.Get("Upgrade"))
	}
	ws := &WebSocket{Conn: c, Response: resp}
	ws.deflate = strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
	return ws, resp, nil
}

// WebSocket opens a connection and shakes hands; see [Conn.Upgrade].
func (d *Dialer) WebSocket(ctx context.Context, r Request, deadline time.Time) (*WebSocket, *Response, error) {
	c, err := d.Dial(ctx, "ws")
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()
	ws, resp, err := c.Upgrade(r, deadline)
	if ws == nil {
		c.Close()
	}
	return ws, resp, err
}

// Send writes one legal, masked frame with a whole message or a control frame.
func (ws *WebSocket) Send(op Opcode, payload []byte) error {
	return ws.WriteFrames(Frame{Fin: true, Op: op, Masked: true, Payload: payload})
}

// WriteFrames writes frames as they are, in one write.
func (ws *WebSocket) WriteFrames(frames ...Frame) error {
	var b []byte
	for _, f := range frames {
		kind := f.Op.String()
		if !f.Fin || !f.Masked || f.RSV != 0 || f.Announce > 0 || f.Wide || f.Op == Continuation {
			kind = "frame"
			ws.trace.Note(ws.Label, "next frame: fin=%v masked=%v rsv=%#x op=%v announced=%d", f.Fin, f.Masked, f.RSV, f.Op, f.Announce)
		}
		ws.trace.Add(ws.Label, Sent, kind, f.Payload)
		b = f.Append(b)
	}
	return ws.write(b)
}

// Message is what the server sent: a whole text or binary message, or a control
// frame. A connection that ended is an error of [WebSocket.Read] instead.
type Message struct {
	Op      Opcode
	Payload []byte
	// Compressed tells that the message came deflated; Payload is inflated.
	Compressed bool
	// Fragments counts the frames of the message.
	Fragments int
	At        time.Time
}

// CloseCode is the status code of a close message, see [Frame.CloseCode].
func (m Message) CloseCode() int { return Frame{Payload: m.Payload}.CloseCode() }

// Read returns the next message or control frame. The errors are those of the
// connection, or one that wraps [ErrFrame] when the server broke RFC 6455: a
// frame out of sequence, text that is not UTF-8, a broken deflate stream.
func (ws *WebSocket) Read() (Message, error) {
	var allowed byte
	if ws.deflate {
		allowed = RSV1
	}
	fragments := 0
	for {
		f, err := readFrame(ws.reader, allowed)
		if err != nil {
			ws.trace.Note(ws.Label, "connection ended: %v", err)
			return Message{}, err
		}
		fragments++
		switch {
		case f.Op >= Close:
			ws.trace.Add(ws.Label, Received, f.Op.String(), f.Payload)
			return Message{Op: f.Op, Payload: f.Payload, Fragments: 1, At: time.Now()}, nil
		case f.Op == Continuation && ws.partialOp == 0:
			return Message{}, fmt.Errorf("%w: continuation without a start", ErrFrame)
		case f.Op != Continuation && ws.partialOp != 0:
			return Message{}, fmt.Errorf("%w: new message inside a fragmented one", ErrFrame)
		case f.Op != Continuation:
			ws.partialOp, ws.partRSV = f.Op, f.RSV
			ws.partial.Reset()
		}
		ws.partial.Write(f.Payload)
		if !f.Fin {
			continue
		}
		m := Message{Op: ws.partialOp, Payload: bytes.Clone(ws.partial.Bytes()), Fragments: fragments, At: time.Now()}
		ws.partialOp = 0
		if ws.partRSV&RSV1 != 0 {
			m.Compressed = true
			if m.Payload, err = inflate(m.Payload); err != nil {
				return Message{}, fmt.Errorf("%w: deflate: %v", ErrFrame, err)
			}
		}
		ws.trace.Add(ws.Label, Received, m.Op.String(), m.Payload)
		if m.Op == Text && !utf8.Valid(m.Payload) {
			return Message{}, fmt.Errorf("%w: text is not UTF-8", ErrFrame)
		}
		return m, nil
	}
}

// deflateTail is what permessage-deflate cuts from each message (RFC 7692,
// 7.2.1), followed by an empty final block so that the reader ends.
const deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// inflate decodes one message that was compressed without context takeover.
func inflate(data []byte) ([]byte, error) {
	r := flate.NewReader(io.MultiReader(bytes.NewReader(data), strings.NewReader(deflateTail)))
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxFrame))
}

// Deflate compresses one message as RFC 7692 asks, without context takeover:
// the payload of a frame with [RSV1].
func Deflate(data []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	w.Write(data)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}
