// Package msgpack is the Socket.IO codec that sends each packet as one
// MessagePack value, compatible with the npm package socket.io-msgpack-parser
// 3.0.2 and the library that it stands on, notepack.io 2.2.0. Use it when
// packets hold buffers, or many integers that shall be short on the wire, with
// clients that use it too. Fractions are slow: they are decimals above the wire.
//
//	server:  socketio.Config{Codec: msgpack.Codec}
//	client:  io({ parser: require("socket.io-msgpack-parser") })
//
// # The packet
//
// A packet is one map in one binary message:
//
//	{ "type": 0…4, "nsp": "/…", "data": …, "id": … }
//
// with data as the protocol has it for the type: an object or nothing in
// CONNECT, nothing in DISCONNECT, an array in EVENT (the name first) and ACK, an
// object or a string in CONNECT_ERROR. There are no types 5 and 6: buffers stand
// in data where they are. Other keys are skipped, the order of keys is free, of
// equal keys the last one counts.
//
// # Arguments
//
// Above the wire arguments are [sioparser.Args], JSON with placeholders for
// buffers, whatever the codec; [sioparser.Values] binds them, with json/v2 and
// its tags. This package translates, and what JSON has no form for is lost, as
// are some distinctions that JavaScript does not make:
//
//	on the wire                              in Args
//	NaN, infinities                          null
//	1.0 (float64)                            1, and goes out as an integer
//	-0                                       -0, and goes out as 0
//	undefined (extension 0, 1 byte)          null; absent as data or id
//	Date (extension 0, 8 bytes)              string in ISO 8601, null if out of range
//	ArrayBuffer (extension 0, any length)    attachment, and goes out as a buffer
//	buffer in a CONNECT payload              {"type":"Buffer","data":[…]}
//	key that is a number                     string
//	event's name that is a number            string, and goes out as one
//	float32                                  the number's float64
//	other extensions                         error
//	lone surrogate, as an escape in JSON     goes out as U+FFFD
//
// Integers keep all their digits, up to 2^64-1 and down to -2^63; JavaScript
// rounds them beyond 2^53. Greater ones go out as float64.
//
// # Strictness
//
// A message first passes a scan that does not recurse: lengths are within the
// message, text is UTF-8, arrays and maps are nested at most 1,000 levels deep,
// keys are strings or numbers. Then it is written as JSON into memory of the
// right size. No input makes the decoder panic, or allocate more than eight
// times its length and 4 KiB. Packets are then held to the rules of
// [sioparser.Text]: namespaces begin with a slash, ids are at most 2^53-1,
// events have a name that is not reserved.
//
// # For adapters
//
// The adapters of Socket.IO for Node put the same packets on their buses.
// [AppendFromArgs] and [ToArgs] translate arguments alone, [Valid] is the scan:
// messages from a bus must pass it before a decoder that recurses sees them.
package msgpack
