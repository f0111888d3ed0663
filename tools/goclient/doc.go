// Package goclient tests our Go clients with the servers that everybody uses:
// npm's, run by Node (tools/clients/reference/server.mjs). It holds nothing but
// tests, and is the counterpart of tools/clients.
package goclient
