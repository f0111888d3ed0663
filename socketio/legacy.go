package socketio

import (
	"net/url"
	"strings"
	"time"

	"github.com/siokit/siokit/sioparser"
)

// Clients of Socket.IO 2 speak revision 3 of Engine.IO's protocol and revision
// 4 of Socket.IO's: they are in the main namespace without having asked, give
// their credentials as a query behind a namespace's name, know their ids from
// the session's, and take an error's bare text or data. Engine.IO's
// Config.AllowEIO3 lets them in.
//
// Source: socket.io 4.8.4, client.js, socket.js and namespace.js, where they
// look at protocol === 3.

// legacyProtocol is the revision of Engine.IO's protocol that they speak.
const legacyProtocol = 3

// legacyPause keeps the answer to the CONNECT that such a client never sent out
// of the handshake's answer: in the reference it comes with the next poll.
const legacyPause = 5 * time.Millisecond

// unpackLegacy takes the query off a namespace's name, and makes the CONNECT's
// payload of it.
func unpackLegacy(p *sioparser.Packet) {
	name, query, found := strings.Cut(p.Namespace, "?")
	if !found {
		return
	}
	p.Namespace = name
	if p.Type != sioparser.Connect {
		return
	}
	p.Payload = queryObject(query)
}

// queryObject is a query as a JSON object, in its order. What is malformed is
// left out; of a name that stands there twice the last value counts.
func queryObject(query string) []byte {
	var names []string
	values := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if name == "" || err1 != nil || err2 != nil {
			continue
		}
		if _, known := values[name]; !known {
			names = append(names, name)
		}
		values[name] = value
	}
	object := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(appendString(object, name), ':')
		object = appendString(object, values[name])
	}
	return append(object, '}')
}

// legacyID is the id that such a client computes for itself.
func legacyID(namespace, session string) string {
	if namespace == "/" {
		return session
	}
	return namespace + "#" + session
}

// legacyRefusal is the data of an error, or its text.
func legacyRefusal(values *sioparser.Values, refusal wireError) ([]byte, error) {
	if refusal.Data == nil {
		return values.AppendJSON(nil, refusal.Message)
	}
	payload, err := values.AppendJSON(nil, refusal.Data)
	if err == nil && payload[0] != '{' && payload[0] != '"' {
		// No other JSON can be the payload of an error.
		return values.AppendJSON(nil, refusal.Message)
	}
	return payload, err
}
