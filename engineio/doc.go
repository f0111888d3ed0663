// Package engineio is an Engine.IO server: sessions over HTTP long-polling,
// WebSocket and transports of one's own.
package engineio
