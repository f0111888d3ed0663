package nats_test

import (
	"testing"

	"github.com/siokit/siokit/adapters/nats"
)

// FuzzSession: nothing in the bucket ends the process. What comes on subjects is
// MessagePack of package cluster, which has targets of its own.
func FuzzSession(f *testing.F) {
	f.Add([]byte(`{"sid":"s","pid":"p","rooms":["s","red"],"data":{"a":1},"trail":"AAEC"}`))
	f.Add([]byte(`{"rooms":[1]}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := nats.DecodeSession(data); (s == nil) != (err != nil) {
			t.Errorf("session %+v and error %v", s, err)
		}
	})
}
