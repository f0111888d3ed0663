package webtransport

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// link is a client of the server.
type link struct {
	session *wt.Session
	connect connectStream
	stream  *wt.Stream
	in      *eioparser.StreamReader
	port    *engineio.Port
	close   sync.Once

	fate    sync.Once
	decided chan struct{} // closed when the session has been accepted, or refused
	refused bool          // the Handler tells the client why

	mu   sync.Mutex
	last bool // the last packet was written: the client is still to read it
}

func newLink(session *wt.Session, connect connectStream, stream *wt.Stream, in *eioparser.StreamReader, p *engineio.Port) *link {
	l := &link{session: session, connect: connect, stream: stream, in: in, port: p, decided: make(chan struct{})}
	p.Go(l.refuseStreams)
	p.Go(l.refuseUniStreams)
	return l
}

// decide notes whether the session was refused. Nobody reads before it is accepted.
func (l *link) decide(refused bool) {
	l.fate.Do(func() {
		l.refused = refused
		close(l.decided)
	})
}

// surplus is the code with which streams that nobody asked for are refused.
const surplus wt.StreamErrorCode = 1

// refuseStreams keeps a client from filling the connection's window with
// streams that nobody reads.
func (l *link) refuseStreams() {
	for {
		s, err := l.session.AcceptStream(l.session.Context())
		if err != nil {
			return
		}
		s.CancelRead(surplus)
		s.CancelWrite(surplus)
	}
}

// refuseUniStreams does the same for the other kind.
func (l *link) refuseUniStreams() {
	for {
		s, err := l.session.AcceptUniStream(l.session.Context())
		if err != nil {
			return
		}
		s.CancelRead(surplus)
	}
}

// Read hands over what the client sends.
func (l *link) Read() error {
	l.decide(false)
	for {
		p, err := l.in.Next()
		if err != nil {
			return readError(err)
		}
		if err := l.port.Receive(p); err != nil {
			return err
		}
	}
}

// readError makes an end of the connection of everything but bad input: closing
// the stream, the session or the connection is how a client says goodbye, and to
// lose it is called the same by the reference.
func readError(err error) error {
	if _, bad := errors.AsType[eioparser.Error](err); bad {
		return err
	}
	return fmt.Errorf("%w: %w", io.EOF, err)
}

// frames frames a message to many once.
var frames = &engineio.Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
	for _, p := range packets {
		dst = eioparser.AppendStreamPacket(dst, p)
	}
	return dst
}}

// piece is the size in bytes of what is written with one deadline: each makes
// progress or ends the session.
const piece = 64 << 10

// Write sends a batch.
func (l *link) Write(batch []engineio.Outgoing) error {
	var b []byte
	last := false
	for _, o := range batch {
		if o.Packets()[0].Type == eioparser.Close {
			last = true // the end of a stream says it
			break
		}
		if o.Shared() {
			b = append(b, o.Frame(frames)...)
		} else {
			b = frames.Append(b, o.Packets())
		}
	}
	for len(b) > 0 {
		if err := l.stream.SetWriteDeadline(time.Now().Add(l.port.WriteTimeout())); err != nil {
			return err
		}
		n, err := l.stream.Write(b[:min(piece, len(b))])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	if !last {
		return nil
	}
	l.mu.Lock()
	l.last = true
	l.mu.Unlock()
	return l.stream.Close()
}

// Close closes the WebTransport session.
func (l *link) Close() {
	l.close.Do(func() {
		l.mu.Lock()
		last := l.last
		l.mu.Unlock()
		_ = l.stream.SetReadDeadline(time.Unix(1, 0)) // ends Read
		l.port.Go(func() {
			if <-l.decided; l.refused {
				return
			}
			if last {
				awaitEnd(l.session)
			}
			l.connect.end(l.session, 0, "")
		})
	})
}
