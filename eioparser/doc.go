// Package eioparser reads and writes the packets, payloads and streams of the
// Engine.IO protocol, revision 4.
package eioparser
