package nats

import (
	"encoding/hex"
	"strings"
)

// token makes one token of a subject of any text: letters, digits, "-" and "_"
// stand for themselves, other bytes are "%" and two hex digits.
func token(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteString(hex.EncodeToString([]byte{c}))
		}
	}
	return b.String()
}

// subjects of one namespace:
//
//	prefix.all.NAMESPACE       for all of its servers
//	prefix.to.NAMESPACE.UID    for one of them
//	prefix.log.NAMESPACE       what may be replayed; the stream holds prefix.log.>
type subjects struct{ prefix, namespace string }

func (s subjects) all() string { return s.prefix + ".all." + token(s.namespace) }
func (s subjects) to(uid string) string {
	return s.prefix + ".to." + token(s.namespace) + "." + token(uid)
}
func (s subjects) log() string { return s.prefix + ".log." + token(s.namespace) }

// of returns the subject of a topic of package cluster: prefix#namespace#, or for
// one server prefix#namespace#uid#.
func (s subjects) of(topic string) string {
	uid := strings.TrimPrefix(topic, s.prefix+"#"+s.namespace+"#")
	if uid == "" {
		return s.all()
	}
	return s.to(strings.TrimSuffix(uid, "#"))
}
