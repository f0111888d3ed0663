package routers

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/siokit/siokit/engineio"
)

// Echo mounts srv in an echo instance. Keep middleware.Timeout and
// middleware.Gzip for the other routes.
func Echo(srv *engineio.Server) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover())
	e.Any("/engine.io/*", echo.WrapHandler(srv))
	return e
}
