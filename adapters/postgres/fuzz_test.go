package postgres_test

import (
	"strings"
	"testing"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/postgres"
)

// FuzzNotification: whatever somebody puts on the channel or into the table ends
// nothing, what was understood can be sent on, and a row's number is a number.
func FuzzNotification(f *testing.F) {
	for _, text := range []string{
		`{"uid":"x","nsp":"/","type":3,"data":{"packet":{"type":2,"data":["e",1]},"opts":{"rooms":[],"except":[],"flags":{}}}}`,
		`{"type":4,"data":{"opts":{"rooms":["a"],"flags":{},"except":[]},"rooms":["b"]},"uid":"emitter"}`,
		`{"uid":"x","type":3,"attachmentId":"7"}`,
		`{"uid":"x","type":3,"attachmentId":7}`,
		`{"uid":"x","type":3,"attachmentId":"7; DROP TABLE a"}`,
		"\x84\xa3uid\xa1x\xa3nsp\xa1/\xa4type\x09\xa4data\x81\xa6packet\x92\xa1e\xc4\x01\x00",
		"\x91", "{", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if id, ok := postgres.ReadHeader(data); ok && strings.Trim(id, "0123456789+-.eE") != "" {
			t.Errorf("%q is about row %q", data, id)
		}
		var m cluster.Message
		if postgres.Codec.Decode(data, &m) != nil || m.Type < cluster.InitialHeartbeat || m.Type > cluster.AdapterClose {
			return
		}
		if _, err := postgres.Codec.Append(nil, &m); err != nil && m.Args.Len() == 0 {
			t.Errorf("%+v can't be sent: %v", m, err)
		}
	})
}
