package coder

import (
	"errors"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"github.com/siokit/siokit/engineio"
)

// Transport is the entry for engineio.Config.Transports, in place of
// engineio.WebSocket.
type Transport struct{}

// Name returns "websocket": that is what clients know it as.
func (Transport) Name() string { return "websocket" }

// Accept returns engineio.ErrNoHTTP: the Handler accepts.
func (Transport) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

// UpgradesFrom reports true for long-polling.
func (Transport) UpgradesFrom(name string) bool { return name == "polling" }

// Handler serves WebSocket handshakes itself, by websocket.Accept with the given
// options, and leaves the rest to srv. Pages of other origins are refused unless
// engineio.Config.CORS allows them.
func Handler(srv *engineio.Server, options *websocket.AcceptOptions) http.Handler {
	o := websocket.AcceptOptions{}
	if options != nil {
		o = *options
	}
	o.InsecureSkipVerify = true // the origin is checked here
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			srv.ServeHTTP(w, r)
			return
		}
		if !srv.AllowsOrigin(r) {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		conn, err := websocket.Accept(w, r, &o)
		if err != nil {
			return // it has answered
		}
		err = srv.ServeConn(r, func(p *engineio.Port) (engineio.Link, error) {
			return newLink(conn, p), nil
		})
		var refused *engineio.ConnectionError
		if errors.As(err, &refused) {
			_ = conn.Close(websocket.StatusPolicyViolation, refused.Message)
		}
	})
}
