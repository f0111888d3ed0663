// Package routers shows an engineio.Server behind four routers: a file each, the
// same function each. A Server is an http.Handler that answers every method of one
// path, long-polling by GET and POST, WebSocket by GET; so it is mounted for all
// methods, under a prefix, and with no middleware that buffers answers or ends
// requests after a time.
//
// A socketio.Server is mounted in the same way, at /socket.io/.
package routers
