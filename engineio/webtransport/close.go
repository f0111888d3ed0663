package webtransport

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"
)

// linger is how long a peer may take to read what was sent last, and to notice
// the end. Closing a WebTransport session resets its streams, and what the network
// has lost of them is not sent again. A peer that closes the session itself is not
// waited for.
const linger = 500 * time.Millisecond

// awaitEnd waits for the peer to close the session, or for so long.
func awaitEnd(s *wt.Session) {
	ctx, cancel := context.WithTimeout(s.Context(), linger)
	defer cancel()
	<-ctx.Done()
}

// connectStream is the stream of the request that opened a WebTransport session,
// over which its end is told.
type connectStream struct{ *http3.Stream }

// closeCapsule is the type of the capsule CLOSE_WEBTRANSPORT_SESSION, 0x2843, as
// a variable-length integer of QUIC.
var closeCapsule = []byte{0x68, 0x43}

// end closes the session in words: the capsule, then the end of the stream.
// CloseWithError alone stops reading as well, and Chromium, to which that comes
// first, takes the connection for lost.
func (c connectStream) end(s *wt.Session, code wt.SessionErrorCode, text string) {
	text = text[:min(len(text), 59)] // a length of one byte
	b := append(closeCapsule[:2:2], byte(4+len(text)))
	b = append(binary.BigEndian.AppendUint32(b, uint32(code)), text...)
	_ = c.SetWriteDeadline(time.Now().Add(linger))
	if _, err := c.Write(b); err == nil && c.Stream.Close() == nil {
		awaitEnd(s)
	}
	_ = s.CloseWithError(code, text)
}
