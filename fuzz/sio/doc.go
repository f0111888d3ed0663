// Package sio holds the tests of sioparser: a plain model, random loops, properties, fuzz
// targets, and socket.io-parser in a Node process beside ours.
package sio
