// Package msgpack holds the tests of sioparser/msgpack: a plain model, random loops,
// properties, fuzz targets, and socket.io-msgpack-parser in a Node process beside
// ours.
package msgpack
