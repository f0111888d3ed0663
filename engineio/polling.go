package engineio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/siokit/siokit/eioparser"
)

// Polling is HTTP long-polling: the client keeps a GET request pending, which
// is answered as soon as there is something to send, and sends by POST. The
// zero value is the reference's default. It works over HTTP/1 and HTTP/2.
type Polling struct {
	// NoCompression answers polls as they are. Otherwise those of at least
	// CompressionThreshold bytes are compressed for clients that accept gzip or
	// deflate.
	NoCompression bool

	// CompressionThreshold is a size in bytes. 0 means 1024; negative, that
	// everything is compressed.
	CompressionThreshold int

	// JSONP also serves browsers that cannot send requests to another origin
	// (query parameter j). Every page that the user visits can then begin a
	// session in the user's name and read it, whatever CORS says: leave it off
	// unless sessions need no cookies.
	JSONP bool
}

// Name returns "polling".
func (Polling) Name() string { return "polling" }

// Accept makes the link; the answer is its ServeHTTP's.
func (t Polling) Accept(w http.ResponseWriter, r *http.Request, p *Port) (Link, error) {
	p.SetReady(false)
	return &pollLink{opts: t, port: p, base64: r.URL.Query().Has("b64")}, nil
}

var (
	errOverlap     = errors.New("engineio: overlap from client")
	errDataOverlap = errors.New("engineio: data request overlap from client")
	errContent     = errors.New("engineio: invalid content")
	errPollLeft    = errors.New("engineio: poll connection closed prematurely")
	errDataLeft    = errors.New("engineio: data request connection closed prematurely")
)

// pollLink is a long-polling client. It has no goroutine of its own: polls
// wait on those of their requests.
type pollLink struct {
	opts   Polling
	port   *Port
	base64 bool // the client cannot take binary bodies

	mu        sync.Mutex
	poll      *poll         // the pending GET
	answering bool          // it was taken, and the link still counts as ready: another GET overlaps
	writing   bool          // the answer to one that was taken has not been written
	wrote     chan struct{} // closed when it has been; nil when nobody waits
	parted    bool          // the client said goodbye: nobody fetches anything any more
	came      chan struct{} // closed when a poll comes or the link ends; nil when nobody waits
	posting   bool          // a POST is being read or worked on
	abort     func()        // ends the reading of its body
	closed    bool
}

// poll is a pending GET. It is answered when done is closed.
type poll struct {
	done     chan struct{}
	script   int // index of the callback, for JSONP; negative: none
	body     []byte
	binary   bool
	compress bool
}

// Write is TryWrite: the poll's own request writes.
func (l *pollLink) Write(batch []Outgoing) error { return l.TryWrite(batch) }

// TryWrite answers the pending poll.
func (l *pollLink) TryWrite(batch []Outgoing) error {
	if len(batch) == 0 {
		return nil
	}
	p, parted := l.take()
	if p == nil && parted {
		return nil
	}
	if p == nil {
		return errPollLeft
	}
	l.fill(p, batch)
	l.answered(p)
	return nil
}

// take takes the pending poll, to be answered.
func (l *pollLink) take() (p *poll, parted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, l.poll = l.poll, nil
	if p != nil {
		l.answering, l.writing = true, true
	}
	return p, l.parted
}

// answered lets the request of a poll that was taken go on.
func (l *pollLink) answered(p *poll) {
	// Before the answer: the next poll may come right behind it.
	l.port.SetReady(false)
	l.mu.Lock()
	l.answering = false
	l.mu.Unlock()
	close(p.done)
}

// Close answers a pending poll with a close packet and cuts off a body that is
// being read.
func (l *pollLink) Close() {
	l.mu.Lock()
	p := l.poll
	l.poll, l.closed = nil, true
	l.announce()
	if l.abort != nil {
		l.abort() // under the lock: bodyRead must not overtake it
	}
	l.mu.Unlock()
	if p != nil {
		l.fill(p, []Outgoing{{Prepared: closePacket}})
		close(p.done)
	}
}

// ServeHTTP serves one request of the session.
func (l *pollLink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		if dropBody(w, r) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		l.get(w, r)
	case http.MethodPost:
		l.post(w, r)
	default:
		_ = dropBody(w, r)
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// get keeps a poll until there is something to answer.
func (l *pollLink) get(w http.ResponseWriter, r *http.Request) {
	p := &poll{done: make(chan struct{}), script: l.script(r)}
	l.mu.Lock()
	closed, overlap := l.closed, l.poll != nil || l.answering
	if !closed && !overlap {
		l.poll = p
		l.announce()
	}
	l.mu.Unlock()
	switch {
	case closed:
		w.WriteHeader(http.StatusBadRequest)
		return
	case overlap:
		l.port.Fail(errOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	// The server's own timeouts are made for requests that are answered at once.
	// The session's heartbeat bounds this one.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
	if l.turn(p, r) {
		l.port.SetReady(true)
	}
	select {
	case <-p.done:
	case <-r.Context().Done():
		l.left(p, r)
		return
	}
	err := l.answer(w, r, rc, p)
	l.written()
	if err != nil {
		l.port.Fail(fmt.Errorf("%w: %w", errPollLeft, err))
	}
}

// turn waits until the answer to the poll before p has been written: what a
// client does not read must fill its outbox, which has a limit, and not one
// answer after the other. It reports whether p can be answered then.
func (l *pollLink) turn(p *poll, r *http.Request) bool {
	l.mu.Lock()
	if !l.writing {
		l.mu.Unlock()
		return true
	}
	wrote := make(chan struct{})
	l.wrote = wrote
	l.mu.Unlock()
	select {
	case <-wrote:
		return true
	case <-p.done: // by the end of the session
	case <-r.Context().Done():
	}
	return false
}

// written lets the next poll be answered.
func (l *pollLink) written() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing = false
	if l.wrote != nil {
		close(l.wrote)
		l.wrote = nil
	}
}

// left deals with a client that went away while its poll was pending. What was
// put into the poll at the same moment is lost with it. A poll that comes while
// the session is being ended is refused.
func (l *pollLink) left(p *poll, r *http.Request) {
	l.mu.Lock()
	if l.poll == p {
		l.poll = nil
	}
	l.closed = true
	l.mu.Unlock()
	l.port.SetReady(false)
	err := errPollLeft
	if cause := context.Cause(r.Context()); cause != nil && !errors.Is(cause, context.Canceled) {
		// Such as http.TimeoutHandler, under which no poll can live.
		err = fmt.Errorf("%w: the request's context ended: %w", errPollLeft, cause)
	}
	l.port.Fail(err)
}

// answer writes what the poll was waiting for.
func (l *pollLink) answer(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, p *poll) error {
	h := w.Header()
	if p.binary {
		h.Set("Content-Type", "application/octet-stream")
	} else {
		h.Set("Content-Type", "text/plain; charset=UTF-8")
	}
	noStore(h, r)
	out := &pieces{w, rc, l.port.WriteTimeout()}
	encoding := ""
	if p.compress && !l.opts.NoCompression && len(p.body) >= l.opts.threshold() {
		encoding = acceptedEncoding(r.Header)
	}
	var err error
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		h.Add("Vary", "Accept-Encoding")
		err = writeCompressed(out, encoding, p.body)
	} else {
		h.Set("Content-Length", strconv.Itoa(len(p.body)))
		_, err = out.Write(p.body)
	}
	// Flush, so that the deadline covers this answer and no later one.
	if ferr := rc.Flush(); err == nil && ferr != nil && !errors.Is(ferr, http.ErrNotSupported) {
		err = ferr
	}
	_ = rc.SetWriteDeadline(time.Time{})
	return err
}

// pieces is an answer each piece of which has the time that a write may make no
// progress for.
type pieces struct {
	w       io.Writer
	rc      *http.ResponseController
	timeout time.Duration
}

func (p *pieces) Write(b []byte) (n int, err error) {
	for err == nil && n < len(b) {
		_ = p.rc.SetWriteDeadline(time.Now().Add(p.timeout))
		var k int
		k, err = p.w.Write(b[n:min(n+writePiece, len(b))])
		n += k
	}
	return n, err
}

func (t Polling) threshold() int {
	if t.CompressionThreshold == 0 {
		return 1024
	}
	return t.CompressionThreshold
}

// noStore sets the headers that every answer has.
func noStore(h http.Header, r *http.Request) {
	h.Set("Cache-Control", "no-store")
	if ua := r.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		h.Set("X-XSS-Protection", "0") // old Internet Explorers take payloads for an attack
	}
}

// post takes a payload from the client.
func (l *pollLink) post(w http.ResponseWriter, r *http.Request) {
	binary := r.Header.Get("Content-Type") == "application/octet-stream"
	if binary && l.port.Protocol() != 3 {
		l.port.Fail(errContent)
		_ = dropBody(w, r)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	rc := http.NewResponseController(w)
	if status := l.beginPost(rc); status != 0 {
		_ = dropBody(w, r)
		w.WriteHeader(status)
		return
	}
	buf := inputs.Get().(*[]byte)
	body, err := readBody((*buf)[:0], r, l.port.MaxPayload())
	l.bodyRead()
	if err != nil {
		freeInput(buf, body)
		l.endPost()
		if errors.Is(err, errTooLarge) {
			// The session lives on: as far as it is concerned nothing was sent.
			_ = dropBody(w, r)
			closeAfter(w, r)
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		l.port.Fail(fmt.Errorf("%w: %w", errDataLeft, err))
		cutOff(w, r, rc)
		return
	}
	l.deliver(l.packets(r, body, binary))
	freeInput(buf, body)
	l.endPost()
	h := w.Header()
	h.Set("Content-Type", "text/html") // some browsers offer text/plain for download
	h.Set("Content-Length", "2")
	noStore(h, r)
	_ = rc.SetWriteDeadline(time.Now().Add(l.port.WriteTimeout()))
	_, _ = io.WriteString(w, "ok") // a client that left is noticed by its polls
	_ = rc.Flush()
	_ = rc.SetWriteDeadline(time.Time{})
}

// cutOff ends a request without an answer, where that is possible: there is
// nobody who would understand one.
func cutOff(w http.ResponseWriter, r *http.Request, rc *http.ResponseController) {
	if c, _, err := rc.Hijack(); err == nil {
		_ = c.Close()
		return
	}
	closeAfter(w, r)
	w.WriteHeader(http.StatusBadRequest)
}

// closeAfter says that the connection ends with this answer. In HTTP/3 the header
// would make the answer malformed (RFC 9114, section 4.2), and not every server
// takes it out.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}

// beginPost claims the way in for one request, or returns the status with
// which it is refused.
func (l *pollLink) beginPost(rc *http.ResponseController) int {
	l.mu.Lock()
	closed, overlap := l.closed, l.posting
	if !closed && !overlap {
		l.posting = true
		l.abort = func() { _ = rc.SetReadDeadline(time.Unix(1, 0)) }
	}
	l.mu.Unlock()
	switch {
	case closed:
		return http.StatusBadRequest
	case overlap:
		l.port.Fail(errDataOverlap)
		return http.StatusBadRequest
	}
	_ = rc.SetReadDeadline(time.Time{}) // the session's end aborts a slow body
	l.mu.Lock()
	if l.closed {
		l.abort()
	}
	l.mu.Unlock()
	return 0
}

// bodyRead says that there is nothing left to abort: the deadline of a request
// must not be touched once its handler may have returned.
func (l *pollLink) bodyRead() {
	l.mu.Lock()
	l.abort = nil
	l.mu.Unlock()
}

func (l *pollLink) endPost() {
	l.mu.Lock()
	l.posting = false
	l.mu.Unlock()
}

// deliver hands the packets of a payload to the session.
func (l *pollLink) deliver(packets iter.Seq2[eioparser.Packet, error]) {
	l.port.Cork()
	defer l.port.Uncork()
	for pkt, err := range packets {
		if err != nil {
			l.port.Fail(err)
			return
		}
		if pkt.Type == eioparser.Close {
			l.bye()
			return
		}
		if l.port.Receive(pkt) != nil {
			return
		}
	}
}

// byeGrace is how long a close packet waits for a poll. A client that closes
// has one under way, and its two requests may arrive in either order.
const byeGrace = 100 * time.Millisecond

// bye ends the session because the client said so. Its pending poll is
// answered first: it did nothing wrong.
func (l *pollLink) bye() {
	l.mu.Lock()
	if l.poll == nil && !l.closed {
		came := make(chan struct{})
		l.came = came
		l.mu.Unlock()
		timer := time.NewTimer(byeGrace)
		select {
		case <-came:
		case <-timer.C:
		}
		timer.Stop()
		l.mu.Lock()
		l.came = nil
	}
	l.parted = true
	l.mu.Unlock()
	l.port.SetReady(false)
	if p, _ := l.take(); p != nil {
		l.fill(p, []Outgoing{{Prepared: noopPacket}})
		l.answered(p)
	}
	l.port.Fail(io.EOF)
}

// announce wakes bye. The caller holds mu.
func (l *pollLink) announce() {
	if l.came != nil {
		close(l.came)
		l.came = nil
	}
}

// readBody appends a body of at most limit bytes to b.
func readBody(b []byte, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return b, errTooLarge
	}
	return readAll(b, r.Body, limit)
}

// bodyGrace is how long a client may take to send the rest of a body that
// nobody is going to read.
const bodyGrace = 200 * time.Millisecond

// dropBody lets go of a body that nobody is going to read. Over HTTP/1 net/http
// would read it before the answer, and wait for the client as long as that likes.
// After an error the connection is closed behind the answer, and the request's
// context has ended.
func dropBody(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength == 0 || r.ProtoMajor > 1 {
		return nil
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyGrace))
	err := r.Body.Close()
	_ = rc.SetReadDeadline(time.Time{})
	return err
}
