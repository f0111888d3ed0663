// Package adapter is the contract between a Socket.IO server and what knows
// where its sockets are.
package adapter
