// Package sioparser reads and writes the packets of the Socket.IO protocol,
// revision 5.
package sioparser
