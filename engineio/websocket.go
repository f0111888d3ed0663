package engineio

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/eioparser"
)

// WebSocket is the transport of the same name, RFC 6455, on gorilla/websocket:
// gorilla shakes hands, reads, and answers what the peer does wrong; what the
// session sends is framed here, so that many frames leave in one write.
//
// An idle client costs one goroutine, which waits for input. The zero value is
// the reference's default: no compression.
type WebSocket struct {
	// Compression, if not nil, offers permessage-deflate (RFC 7692) to clients
	// that ask for it.
	Compression *Deflate
}

// Name returns "websocket".
func (WebSocket) Name() string { return "websocket" }

// UpgradesFrom reports true for long-polling.
func (WebSocket) UpgradesFrom(name string) bool { return name == "polling" }

// CheckRequest refuses requests that ask for no WebSocket.
func (WebSocket) CheckRequest(r *http.Request) error {
	if !isWebSocketUpgrade(r) {
		return errors.New("engineio: no WebSocket handshake")
	}
	return nil
}

// Accept shakes hands. The answer leaves with the first packets.
func (t WebSocket) Accept(w http.ResponseWriter, r *http.Request, p *Port) (Link, error) {
	l := &wsLink{port: p}
	if p.Protocol() == 3 {
		l.form = form3
		if r.URL.Query().Has("b64") {
			l.form = form3Base64
		}
	}
	h := &hijacked{ResponseWriter: w, link: l}
	var reason error
	u := websocket.Upgrader{
		ReadBufferSize:  gorillaReadBuffer,
		WriteBufferPool: noWrites{}, // data is never written through gorilla
		CheckOrigin:     func(*http.Request) bool { return true },
		Error:           func(_ http.ResponseWriter, _ *http.Request, _ int, err error) { reason = err },
	}
	if t.Compression != nil {
		r, u.EnableCompression = offersDeflate(r)
	}
	if u.EnableCompression {
		l.deflate = t.Compression.shared()
	}
	header := w.Header().Clone()
	for _, k := range []string{"Connection", "Upgrade", "Content-Length", "Content-Type", "Sec-Websocket-Extensions"} {
		header.Del(k)
	}
	conn, err := u.Upgrade(h, r, header)
	h.done()
	if err != nil {
		if reason != nil {
			err = reason
		}
		if h.err != nil {
			err = fmt.Errorf("engineio: %w: %w", errNoHijack, h.err)
		}
		return nil, err
	}
	l.conn = conn
	limit := p.MaxPayload()
	if u.EnableCompression {
		limit += limit/1024 + 64 // what does not compress grows a little
	}
	conn.SetReadLimit(limit)
	conn.SetPingHandler(l.pinged)
	return l, nil
}

// gorillaReadBuffer is the size of gorilla's read buffer. Above a wire, which
// has the large one, it need only hold the largest control frame.
const gorillaReadBuffer = 128

// noWrites is the buffer pool for messages that gorilla writes: none.
type noWrites struct{}

func (noWrites) Get() any { return nil }
func (noWrites) Put(any)  {}

// hijacked is the ResponseWriter that gorilla takes the connection from, and
// gets a wire instead.
type hijacked struct {
	http.ResponseWriter
	link *wsLink
	brw  *bufio.ReadWriter
	err  error
}

// handshakeBufs lend gorilla a buffer to build its answer in.
var handshakeBufs = sync.Pool{New: func() any {
	return bufio.NewReadWriter(bufio.NewReaderSize(nil, 16), bufio.NewWriterSize(nil, 1024))
}}

// Hijack finds the connection also behind ResponseWriters that only Unwrap.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		h.err = err
		return nil, nil, err
	}
	_ = c.SetDeadline(time.Time{}) // the HTTP server's own
	l := h.link
	l.wire.init(c, l, brw.Reader)
	h.brw = handshakeBufs.Get().(*bufio.ReadWriter)
	return &l.wire, h.brw, nil
}

func (h *hijacked) done() {
	if h.brw != nil {
		h.brw.Reader.Reset(nil)
		h.brw.Writer.Reset(nil)
		handshakeBufs.Put(h.brw)
	}
}

// wsLink is a WebSocket client.
type wsLink struct {
	port    *Port
	conn    *websocket.Conn
	form    form
	deflate *deflater // nil: not negotiated
	wire    wire

	// Owned by whoever reads.
	spoken   bool // the client has sent something
	restless bool // what comes next is better waited for on a fresh goroutine

	// Held while frames are written. Who finds it taken leaves what it wants to
	// whoever holds it.
	writing sync.Mutex
	out     *output // begun, and not written yet; nil: nothing

	mu      sync.Mutex
	aside   *asides     // not written yet; nil: nothing
	leaving bool        // the close frame was noted: no frame comes after it
	closed  bool        // Close was called
	stuck   bool        // a write waits for the peer
	said    bool        // bye was written, or is not going to be
	linger  *time.Timer // closes the connection in the end

	peerDone atomic.Bool // nothing more comes from the peer
	peerGone atomic.Bool // nor can anything be sent to it
}

// asides are what a link writes beside the session's packets.
type asides struct {
	pong []byte // the answer to the last ping
	bye  []byte // the close frame
}

// note keeps what gorilla writes: the handshake's answer, or a control frame.
func (l *wsLink) note(b []byte) {
	if b[0] == finBit|opClose {
		l.port.Uncork() // what came before is answered before
		l.leave(b[2:])
		return
	}
	if l.out == nil { // nobody else knows of l yet
		l.out = newOutput()
	}
	l.out.buf = append(l.out.buf, b...)
}

// beside returns what is to be written beside packets. The caller holds mu.
func (l *wsLink) beside() *asides {
	if l.aside == nil {
		l.aside = new(asides)
	}
	return l.aside
}

// pinged answers a ping of the WebSocket protocol. Of answers that have not
// left yet only the last is kept (RFC 6455, section 5.5.3).
func (l *wsLink) pinged(data string) error {
	l.mu.Lock()
	a := l.beside()
	a.pong = append(appendFrameHeader(a.pong[:0], finBit|opPong, len(data)), data...)
	l.mu.Unlock()
	l.port.Wake()
	return nil
}

// leave notes a close frame, the first one.
func (l *wsLink) leave(payload []byte) {
	l.mu.Lock()
	l.leaveWith(payload)
	l.mu.Unlock()
}

// leaveWith is leave for a caller that holds mu.
func (l *wsLink) leaveWith(payload []byte) {
	if !l.leaving {
		l.leaving = true
		l.beside().bye = append(appendFrameHeader(nil, finBit|opClose, len(payload)), payload...)
	}
}

// closeWith notes a close frame with a code, behind what is held back by the
// reader's cork. The reader calls it.
func (l *wsLink) closeWith(code int, text string) {
	l.port.Uncork()
	l.leave(websocket.FormatCloseMessage(code, text))
}

// build gathers what is to be written. The caller holds writing.
func (l *wsLink) build(batch []Outgoing) {
	if l.out == nil {
		l.out = newOutput()
	}
	o := l.out
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.aside != nil {
		o.buf = append(o.buf, l.aside.pong...)
	}
	// After a close frame there must be nothing (RFC 6455, section 5.5.1); before
	// one that was noted only, what was queued before it.
	if !l.leaving || l.aside != nil && l.aside.bye != nil {
		l.addBatch(o, batch)
	}
	if l.aside != nil {
		o.buf = append(o.buf, l.aside.bye...)
		l.aside = nil
	}
	o.cut()
}

// ownHeader is the size in bytes from which each receiver of a message gets a
// header of its own, and the message's bytes from where they are: a copy of them
// with a header in front costs more memory than the receivers save.
const ownHeader = 64 << 10

// sharesFrame reports whether the frames of p are those that are made once for
// all its receivers.
func (l *wsLink) sharesFrame(p *Prepared) bool {
	return p.Shared() && (p.size < ownHeader || l.form == form3Base64)
}

func (l *wsLink) addBatch(out *output, batch []Outgoing) {
	alone := len(batch) == 1
	for _, o := range batch {
		if l.deflate != nil && !o.NoCompress && l.deflate.add(out, o.Prepared, l.form, alone) {
			continue
		}
		if l.sharesFrame(o.Prepared) {
			out.addShared(o.Frame(wsFrames[l.form]), alone)
			continue
		}
		for _, pkt := range o.Packets() {
			if pkt.Type == eioparser.Close {
				// The end of a WebSocket is its close frame.
				if !l.leaving {
					l.leaving = true
					l.beside().bye = appendFrameHeader(nil, finBit|opClose, 0)
				}
				return
			}
			out.add(pkt, l.form)
		}
	}
}

// written lets go of what was built. The caller holds writing.
func (l *wsLink) written() {
	l.out.free()
	l.out = nil
}

// TryWrite writes what the system takes at once.
func (l *wsLink) TryWrite(batch []Outgoing) error {
	l.writing.Lock()
	l.build(batch)
	err := l.attempt()
	l.writing.Unlock()
	l.afterWrite()
	return err
}

// attempt writes what is built as far as that needs no waiting. The caller
// holds writing.
func (l *wsLink) attempt() error {
	o := l.out
	for o.pending() {
		n, err := l.wire.tryWrite(o)
		short := n < len(o.segments[0])
		o.advance(n)
		switch {
		case err != nil && err != errNow:
			l.written()
			return err
		case short:
			l.setStuck(true)
			return ErrWouldBlock
		}
	}
	l.written()
	return nil
}

// Write finishes what TryWrite left, or writes batch.
func (l *wsLink) Write(batch []Outgoing) error {
	l.writing.Lock()
	err := l.writeWaiting(batch)
	l.writing.Unlock()
	l.afterWrite()
	return err
}

func (l *wsLink) writeWaiting(batch []Outgoing) error {
	if closed := l.setStuck(true); closed {
		if l.out != nil {
			l.written()
		}
		return net.ErrClosed
	}
	defer l.setStuck(false)
	if l.out.pending() {
		if err := l.finish(); err != nil || len(batch) == 0 {
			return err
		}
	}
	l.build(batch)
	return l.finish()
}

// finish writes what is built, and waits. The caller holds writing.
func (l *wsLink) finish() error {
	err := l.writeOut()
	l.written()
	if err != nil {
		// A frame may have been written in part: what came behind it, the close
		// frame too, would be taken for the rest of it.
		l.peerGone.Store(true)
	}
	return err
}

func (l *wsLink) writeOut() error {
	o := l.out
	timeout := l.port.WriteTimeout()
	if !o.pending() {
		return nil
	}
	// A small piece and the large ones behind it leave together.
	if len(o.segments) > 1 {
		total := 0
		for _, b := range o.segments {
			total += len(b)
		}
		if total <= writePiece {
			_ = l.wire.Conn.SetWriteDeadline(time.Now().Add(timeout))
			_, err := o.segments.WriteTo(l.wire.Conn)
			return errors.Join(err, l.wire.Conn.SetWriteDeadline(time.Time{}))
		}
	}
	for o.pending() {
		if err := l.wire.writeAll(o.segments[0], timeout); err != nil {
			return err
		}
		o.advance(len(o.segments[0]))
	}
	// The next write may be an attempt, which a deadline that has passed would
	// spoil.
	return l.wire.Conn.SetWriteDeadline(time.Time{})
}

// setStuck notes whether a write waits for the peer, so that Close knows, and
// reports whether Close was called before.
func (l *wsLink) setStuck(v bool) (closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stuck = v
	return l.closed
}
