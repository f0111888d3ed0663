package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/siokit/siokit/engineio"
)

// Gin mounts srv in a gin engine.
func Gin(srv *engineio.Server) http.Handler {
	e := gin.New()
	e.Use(gin.Recovery())
	e.Any("/engine.io/*any", gin.WrapH(srv))
	return e
}
