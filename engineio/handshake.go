package engineio

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"time"
)

// Handshake is what the server keeps of the request that began a session. It
// is shared: read it, don't change it.
type Handshake struct {
	Header     http.Header
	URL        *url.URL
	Host       string
	RemoteAddr string               // the client's address, without a port, trusted proxies considered
	TLS        *tls.ConnectionState // nil if the connection was not encrypted
	Time       time.Time
}
