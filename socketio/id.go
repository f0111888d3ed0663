package socketio

import (
	"crypto/rand"
	"encoding/base64"
)

// newID makes an unguessable id of 20 characters that are safe in a URL and in
// JSON.
func newID() string {
	var b [15]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// quoted appends an id as JSON. It has no character that needs escaping, unless
// a store or an option of the user's made it.
func quoted(dst []byte, id string) []byte {
	for i := range len(id) {
		if c := id[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendString(dst, id)
		}
	}
	return append(append(append(dst, '"'), id...), '"')
}
