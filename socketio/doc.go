// Package socketio is a Socket.IO server.
package socketio
