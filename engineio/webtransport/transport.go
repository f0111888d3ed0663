package webtransport

import (
	"net/http"

	"github.com/siokit/siokit/engineio"
)

// Name is the transport's name in the protocol.
const Name = "webtransport"

// Transport is the entry for engineio.Config.Transports. Its connections come in
// by a Handler.
type Transport struct{}

// Name returns "webtransport".
func (Transport) Name() string { return Name }

// Accept returns engineio.ErrNoHTTP: a request of HTTP/1 or HTTP/2 does not lead
// here.
func (Transport) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

// UpgradesFrom reports true for long-polling and WebSocket.
func (Transport) UpgradesFrom(name string) bool { return name == "polling" || name == "websocket" }

// Unlisted keeps this transport out of the handshake of sessions on WebSocket:
// the official client can only leave long-polling, and would try. Others may
// move here without being told.
func (Transport) Unlisted(from string) bool { return from == "websocket" }
