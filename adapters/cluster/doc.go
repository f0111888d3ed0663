// Package cluster turns any message bus into a Socket.IO adapter for several
// servers.
package cluster
