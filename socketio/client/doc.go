// Package client is a Socket.IO client.
package client
