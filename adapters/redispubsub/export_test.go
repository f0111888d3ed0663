package redispubsub

import "github.com/siokit/siokit/adapters/cluster"

// ClassicCodec is the codec of the classic channels for the namespace "/". What is
// decoded has a byte in front that says which channel it is from: b, q or r.
var ClassicCodec cluster.Codec = ownIDs{classicCodec{"/"}, "server."}
