package routers

import (
	"net/http"

	"github.com/siokit/siokit/engineio"
)

// NetHTTP mounts srv in the standard library's mux. The slash at the end makes the
// pattern a prefix.
func NetHTTP(srv *engineio.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", srv)
	return mux
}
