package sse

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/siokit/siokit/engineio"
)

// link is one client: the request that carries its events, for as long as it
// lasts.
type link struct {
	port *engineio.Port
	over chan struct{} // closed by Close
	end  sync.Once

	posting sync.Mutex // held while a POST is worked on

	// writing is held while an event is written. The request must not end
	// meanwhile: its ResponseWriter ends with it.
	writing sync.Mutex
	w       http.ResponseWriter // nil before and after
	failed  error               // of a Write
}

// ServeHTTP serves a request of the session: first the one with which it begins,
// then POSTs.
func (l *link) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Get("sid") == "":
		l.events(w, r)
	case r.Method == http.MethodPost:
		l.post(w, r)
	default:
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// events keeps the answer open until the client goes or the session ends.
func (l *link) events(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the HTTP server's own are made for short answers
	l.writing.Lock()
	l.w = w
	l.writing.Unlock()
	l.port.SetReady(true)
	select {
	case <-l.over:
	case <-r.Context().Done():
		l.left()
	}
	_ = rc.SetWriteDeadline(time.Unix(1, 0)) // ends a Write that waits
	l.writing.Lock()
	l.w = nil
	l.writing.Unlock()
	_ = rc.SetWriteDeadline(time.Now().Add(l.port.WriteTimeout())) // for the end of the answer
}

// left deals with a client that went away, or whose connection broke while it
// was being written to.
func (l *link) left() {
	l.writing.Lock()
	err := l.failed
	l.writing.Unlock()
	if err == nil {
		err = io.EOF
	}
	l.port.Fail(err)
}

// Write sends a batch. The end of the answer says what a Close packet does.
func (l *link) Write(batch []engineio.Outgoing) error {
	var b []byte
	for _, o := range batch {
		if o.Shared() {
			b = append(b, o.Frame(framing)...)
		} else {
			b = framing.Append(b, o.Packets())
		}
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.w == nil {
		return net.ErrClosed
	}
	l.failed = l.write(b)
	return l.failed
}

// write writes an event and waits until it has left. The caller holds writing.
func (l *link) write(b []byte) error {
	rc := http.NewResponseController(l.w)
	if err := rc.SetWriteDeadline(time.Now().Add(l.port.WriteTimeout())); err != nil {
		return err
	}
	if _, err := l.w.Write(b); err != nil {
		return err
	}
	return rc.Flush()
}

// Close ends the answer, and so the client's connection.
func (l *link) Close() { l.end.Do(func() { close(l.over) }) }
