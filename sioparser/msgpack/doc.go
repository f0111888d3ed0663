// Package msgpack is the Socket.IO codec that sends each packet as one
// MessagePack value.
package msgpack
