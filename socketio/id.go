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

// quoted is an id as JSON. It has no character that needs escaping, unless a
// store or an option of the user's made it.
func quoted(id string) []byte { return appendString(nil, id) }
