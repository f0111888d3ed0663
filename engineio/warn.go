package engineio

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// errNoHijack: the connection below a WebSocket handshake cannot be had.
var errNoHijack = errors.New("the http.ResponseWriter gives its connection to nobody " +
	"(http.TimeoutHandler, HTTP/2, or a middleware whose writer lacks Unwrap)")

// warn logs refusals that are not the client's fault, once each: somebody will
// ask why, and a setting or a line of code mends it.
func (srv *Server) warn(e *ConnectionError) {
	switch {
	case e.Code == UnsupportedVersion && e.Context["protocol"] == 3:
		if srv.warned.fresh("EIO=3") {
			srv.log.Warn("engineio: client of protocol revision 3 (socket.io-client 2) refused; Config.AllowEIO3 lets it in")
		}
	case errors.Is(e.Err, errNoHijack):
		if srv.warned.fresh(errNoHijack.Error()) {
			srv.log.Warn("engineio: WebSocket handshake refused", slog.Any("error", e.Err))
		}
	}
}

// once remembers what was warned about, so that a page that tries again and
// again fills no log.
type once struct {
	mu   sync.Mutex
	seen map[string]struct{}
	from time.Time
}

// fresh reports whether what is to be warned about, and notes that it was. It
// keeps little, and forgets all after a while.
func (o *once) fresh(what string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.seen[what]; ok {
		return false
	}
	if len(o.seen) >= 64 {
		if time.Since(o.from) < time.Hour {
			return false
		}
		o.seen = nil
	}
	if o.seen == nil {
		o.seen, o.from = make(map[string]struct{}), time.Now()
	}
	o.seen[strings.Clone(what)] = struct{}{}
	return true
}
