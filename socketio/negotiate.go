package socketio

import (
	"strconv"
	"strings"
)

// negotiate returns the encoding of offers that a client likes best, by its
// Accept-Encoding header; between equals the first one. It returns "" if the
// client wants the content as it is.
//
// Source: RFC 9110, section 12.5.3.
func negotiate(header string, offers ...string) string {
	best, liking := "", 0.0
	for _, offer := range offers {
		if q := quality(header, offer); q > liking {
			best, liking = offer, q
		}
	}
	return best
}

// quality is the weight of an encoding in an Accept-Encoding header, 0 if it is
// not accepted.
func quality(header, encoding string) float64 {
	any := 0.0
	for element := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(element, ";")
		q := 1.0
		if key, value, found := strings.Cut(parameters, "="); found && strings.EqualFold(strings.TrimSpace(key), "q") {
			var err error
			if q, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
				q = 0
			}
		}
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, encoding):
			return q
		case name == "*":
			any = q
		}
	}
	return any
}
