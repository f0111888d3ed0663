// Package conformance checks whether a server speaks the Engine.IO and
// Socket.IO protocols.
package conformance
