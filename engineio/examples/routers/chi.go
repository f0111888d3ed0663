package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/siokit/siokit/engineio"
)

// Chi mounts srv in a chi router. Keep middleware.Timeout and middleware.Compress
// for the other routes.
func Chi(srv *engineio.Server) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Mount("/engine.io/", srv)
	return r
}
