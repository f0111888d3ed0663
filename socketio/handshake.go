package socketio

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/siokit/siokit/engineio"
)

// Handshake is what is kept of the request that began a socket's connection,
// and of the CONNECT that began the socket. It is shared: read it, don't
// change it. Its JSON is the reference's handshake object.
type Handshake struct {
	Header http.Header
	URL    *url.URL
	Host   string
	// RemoteAddr is the client's address without a port.
	RemoteAddr string
	// TLS is nil if the connection was not encrypted.
	TLS *tls.ConnectionState
	// Time is when the socket was made.
	Time time.Time
	// Auth is the JSON object that the client gave to CONNECT, "{}" if none.
	Auth []byte
}

// emptyObject is the auth payload of a client that sent none.
var emptyObject = []byte("{}")

func authOrEmpty(auth []byte) []byte {
	if auth == nil {
		return emptyObject
	}
	return auth
}

func newHandshake(of *engineio.Handshake, auth []byte, at time.Time) *Handshake {
	h := &Handshake{Time: at, Auth: authOrEmpty(auth)}
	if of != nil {
		h.Header, h.URL, h.Host, h.RemoteAddr, h.TLS = of.Header, of.URL, of.Host, of.RemoteAddr, of.TLS
	}
	return h
}

// MarshalJSON writes the nine members of the reference: headers (lower-case
// names, several values of one name joined), time, address, xdomain (whether
// the request named an origin), secure, issued (milliseconds since 1970), url,
// query and auth.
func (h *Handshake) MarshalJSON() ([]byte, error) {
	headers := make(map[string]string, len(h.Header)+1)
	for name, values := range h.Header {
		separator := ", "
		if name == "Cookie" {
			separator = "; "
		}
		headers[strings.ToLower(name)] = strings.Join(values, separator)
	}
	if h.Host != "" {
		headers["host"] = h.Host
	}
	query := map[string]any{}
	var path string
	if h.URL != nil {
		path = h.URL.RequestURI()
		for name, values := range h.URL.Query() {
			if len(values) == 1 {
				query[name] = values[0]
			} else {
				query[name] = values
			}
		}
	}
	return json.Marshal(struct {
		Headers map[string]string `json:"headers"`
		Time    string            `json:"time"`
		Address string            `json:"address"`
		XDomain bool              `json:"xdomain"`
		Secure  bool              `json:"secure"`
		Issued  int64             `json:"issued"`
		URL     string            `json:"url"`
		Query   map[string]any    `json:"query"`
		Auth    json.RawMessage   `json:"auth"`
	}{
		Headers: headers,
		// The text that JavaScript makes of a Date.
		Time:    h.Time.UTC().Format("Mon Jan 02 2006 15:04:05 GMT+0000 (Coordinated Universal Time)"),
		Address: h.RemoteAddr,
		XDomain: h.Header.Get("Origin") != "",
		Secure:  h.TLS != nil,
		Issued:  h.Time.UnixMilli(),
		URL:     path,
		Query:   query,
		Auth:    h.Auth,
	})
}
