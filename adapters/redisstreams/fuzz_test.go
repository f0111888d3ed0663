package redisstreams_test

import (
	"testing"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redisstreams"
)

// FuzzEntryCodec: no entry of a stream ends the process, and what was understood
// can be appended again.
func FuzzEntryCodec(f *testing.F) {
	f.Add("x", "/", "3", `{"packet":{"type":2,"data":["e",1]},"opts":{"rooms":[],"except":[],"flags":{}}}`, "7")
	f.Add("x", "/", "3", "gqZwYWNrZXSCpHR5cGUCpGRhdGGSoWXEAQGkb3B0c4A=", "")
	f.Add("x", "/", "4", `{"opts":{},"rooms":["a"]}`, "")
	f.Add("", "", "-1", "!!!", "-1")
	f.Fuzz(func(t *testing.T, uid, namespace, typ, data, serial string) {
		var m cluster.Message
		if redisstreams.EntryCodec.Decode(redisstreams.Pack(uid, namespace, typ, data, serial), &m) != nil {
			return
		}
		if _, err := redisstreams.EntryCodec.Append(nil, &m); err != nil && m.Args.Len() == 0 && m.Type >= 1 && m.Type <= 13 {
			t.Errorf("%+v can't be appended: %v", m, err)
		}
	})
}

// FuzzSession: nothing under a session's key ends the process.
func FuzzSession(f *testing.F) {
	f.Add([]byte("hKNzaWSmc29ja2V0o3BpZKdwcml2YXRlpXJvb21zkaNyZWSkZGF0YYA="))
	f.Add([]byte("!!!"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = redisstreams.DecodeSession(data) })
}
