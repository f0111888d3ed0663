package eioparser

import (
	"math"
	"strconv"
	"time"

	"github.com/siokit/siokit/eioparser/internal/jsontext"
)

// Handshake is what the server says about a new session in the data of its open
// packet, chapter "Handshake".
type Handshake struct {
	// SID is the session's id, which the client sends with every later request.
	SID string

	// Upgrades names the transports that the client may move to.
	Upgrades []string

	// PingInterval is the time between two pings of the server (of the client, in
	// revision 3), in whole milliseconds on the wire.
	PingInterval time.Duration

	// PingTimeout is how long the other side may take to answer a ping, in whole
	// milliseconds on the wire.
	PingTimeout time.Duration

	// MaxPayload is how many bytes the server takes in one message or one
	// long-polling body. 0: the server did not say (before Engine.IO 6).
	MaxPayload int64
}

// AppendJSON appends h with the key order and the bytes of the reference:
//
//	{"sid":"…","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
//
// Durations are cut to whole milliseconds; what is negative is written as 0.
func (h Handshake) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"sid":`...)
	dst = jsontext.AppendString(dst, h.SID, false)
	dst = append(dst, `,"upgrades":[`...)
	for i, name := range h.Upgrades {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, name, false)
	}
	dst = append(dst, `],"pingInterval":`...)
	dst = appendCount(dst, h.PingInterval.Milliseconds())
	dst = append(dst, `,"pingTimeout":`...)
	dst = appendCount(dst, h.PingTimeout.Milliseconds())
	dst = append(dst, `,"maxPayload":`...)
	dst = appendCount(dst, h.MaxPayload)
	return append(dst, '}')
}

func appendCount(dst []byte, n int64) []byte {
	return strconv.AppendInt(dst, max(n, 0), 10)
}

// maxMillis is the longest duration in milliseconds that a time.Duration holds.
const maxMillis = math.MaxInt64 / uint64(time.Millisecond)

// maxInteger is 2^53-1, the largest integer that every JavaScript peer reads
// exactly.
const maxInteger = 1<<53 - 1

// ParseHandshake reads the data of an open packet from a server. It is one JSON
// object with a non-empty string sid and the numbers pingInterval and
// pingTimeout; upgrades (an array of strings) and maxPayload may be missing.
// Numbers are digits only: no sign, fraction or exponent. Of a key that comes
// twice the last counts, and unknown keys are skipped, as JavaScript does. Keys
// are case sensitive. Everything else is [ErrHandshake].
//
// The result holds no reference to data.
func ParseHandshake(data []byte) (Handshake, error) {
	var sid, upgrades, interval, timeout, maxPayload []byte
	ok := jsontext.Object(data, func(key, value []byte) bool {
		switch {
		case jsontext.Is(key, "sid"):
			sid = value
		case jsontext.Is(key, "upgrades"):
			upgrades = value
		case jsontext.Is(key, "pingInterval"):
			interval = value
		case jsontext.Is(key, "pingTimeout"):
			timeout = value
		case jsontext.Is(key, "maxPayload"):
			maxPayload = value
		}
		return true
	})
	var h Handshake
	if ok {
		h.SID, ok = jsontext.String(sid)
	}
	if ok && upgrades != nil {
		h.Upgrades, ok = stringsOf(upgrades)
	}
	if ok {
		h.PingInterval, ok = millis(interval)
	}
	if ok {
		h.PingTimeout, ok = millis(timeout)
	}
	if ok && maxPayload != nil {
		var n uint64
		n, ok = jsontext.Uint(maxPayload, maxInteger)
		h.MaxPayload = int64(n)
	}
	if !ok || h.SID == "" {
		return Handshake{}, ErrHandshake
	}
	return h, nil
}

func millis(value []byte) (time.Duration, bool) {
	n, ok := jsontext.Uint(value, maxMillis)
	return time.Duration(n) * time.Millisecond, ok
}

// stringsOf counts before it allocates: growing a slice of strings would cost
// more than eight times the input.
func stringsOf(value []byte) ([]string, bool) {
	n := 0
	if !jsontext.Array(value, func([]byte) bool { n++; return true }) {
		return nil, false
	}
	list := make([]string, 0, n)
	ok := jsontext.Array(value, func(element []byte) bool {
		s, ok := jsontext.String(element)
		list = append(list, s)
		return ok
	})
	return list, ok
}

// AppendSID appends the data of the open packet that a client sends to move an
// open session to a WebTransport stream, chapter "Upgrade":
//
//	{"sid":"…"}
//
// A client that wants a new session sends an open packet without data.
func AppendSID(dst []byte, sid string) []byte {
	dst = append(dst, `{"sid":`...)
	return append(jsontext.AppendString(dst, sid, false), '}')
}

// ParseSID reads what [AppendSID] writes: one JSON object with a non-empty
// string sid. Other members are skipped. Everything else is [ErrHandshake].
func ParseSID(data []byte) (string, error) {
	var value []byte
	ok := jsontext.Object(data, func(key, v []byte) bool {
		if jsontext.Is(key, "sid") {
			value = v
		}
		return true
	})
	sid, isString := jsontext.String(value)
	if !ok || !isString || sid == "" {
		return "", ErrHandshake
	}
	return sid, nil
}
