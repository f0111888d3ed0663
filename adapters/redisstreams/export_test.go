package redisstreams

import "github.com/siokit/siokit/adapters/cluster"

// EntryCodec is the codec of entries.
var EntryCodec cluster.Codec = entryCodec{}

// Pack puts the fields of an entry together as EntryCodec reads them.
func Pack(uid, namespace, typ, data, serial string) []byte {
	f := fields{uid, namespace, typ, data, serial}
	return f.pack(nil)
}

// DecodeSession reads what stands under a session's key.
var DecodeSession = decodeSession
