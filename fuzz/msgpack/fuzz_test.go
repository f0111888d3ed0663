package msgpack_test

import "testing"

func FuzzMsgpack(f *testing.F) {
	for _, seed := range msgpackVectors(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if err := checkMsgpack(message); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzMsgpackJSON takes JSON arguments to MessagePack and back, with two
// attachments.
func FuzzMsgpackJSON(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[1,-1,1.5,1e300,18446744073709551615,-0]`, `["",null,true,{"a":[[],{}]}]`, `["\ud83d\ude00\ud800\n\u0041é"]`,
		`[{"_placeholder":true,"num":0},{"a":{"num":1,"_placeholder":true}}]`,
	} {
		f.Add([]byte(seed), []byte{1, 2}, []byte{})
	}
	f.Fuzz(func(t *testing.T, array, one, two []byte) {
		for _, attachments := range [][][]byte{nil, {one, two}} {
			if err := checkMsgpackJSON(array, attachments); err != nil {
				t.Fatal(err)
			}
		}
	})
}
