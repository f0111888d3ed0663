package adapter

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siokit/siokit/sioparser"
)

// entry is one packet of the log, ready to be pushed again.
type entry struct {
	seq           uint64
	at            time.Time
	size          int64
	delivery      Delivery
	rooms, except []string
	only          string // the id of the one socket that it was sent to; then no selection
}

// packetLog holds the newest packets in order, without gaps: what is dropped is
// dropped from the old end. It is guarded by the recovery lock.
type packetLog struct {
	entries []entry
	head    int    // entries before it are dropped
	newest  uint64 // running number of the newest packet; the first is 1
	bytes   int64
	prefix  string
}

func newLog() packetLog {
	// An offset of another process, or of another namespace, must not be taken for
	// one of this log.
	return packetLog{prefix: rand.Text()[:6] + "-"}
}

// first returns the number of the oldest packet in the log, or of the next one
// if it is empty.
func (l *packetLog) first() uint64 { return l.newest - uint64(len(l.entries)-l.head) + 1 }

func (l *packetLog) append(e entry) {
	l.newest++
	e.seq = l.newest
	l.bytes += e.size
	l.entries = append(l.entries, e)
}

// after returns the packets after seq.
func (l *packetLog) after(seq uint64) []entry {
	if first := l.first(); seq >= first {
		return l.entries[l.head+int(min(seq, l.newest)-first+1):]
	}
	return l.entries[l.head:]
}

// trim drops what is older than age or over the limits.
func (l *packetLog) trim(now time.Time, age time.Duration, packets int, bytes int64) {
	for l.head < len(l.entries) {
		e := &l.entries[l.head]
		if len(l.entries)-l.head <= packets && l.bytes <= bytes && now.Sub(e.at) < age {
			break
		}
		l.bytes -= e.size
		*e = entry{}
		l.head++
	}
	// Moving what is left when that is less than half costs a step a packet.
	if live := l.entries[l.head:]; len(live) <= l.head {
		if sparse(len(live), cap(l.entries)) {
			l.entries = slices.Clone(live)
		} else {
			clear(l.entries[copy(l.entries, live):])
			l.entries = l.entries[:len(live)]
		}
		l.head = 0
	}
}

// oldest returns when the oldest packet was sent.
func (l *packetLog) oldest() (time.Time, bool) {
	if l.head == len(l.entries) {
		return time.Time{}, false
	}
	return l.entries[l.head].at, true
}

// offset returns the arguments that carry the number of the next packet: one
// string, as the reference has it.
func (l *packetLog) offset() (sioparser.Args, error) {
	text := append(make([]byte, 0, 32), `["`...)
	text = append(text, l.prefix...)
	text = strconv.AppendUint(text, l.newest+1, 36)
	return sioparser.ParseArgs(append(text, `"]`...), nil)
}

// number reads an offset; "" is 0. A client may present anything.
func (l *packetLog) number(offset string) (uint64, bool) {
	if offset == "" {
		return 0, true
	}
	digits, ok := strings.CutPrefix(offset, l.prefix)
	n, err := strconv.ParseUint(digits, 36, 64)
	// Only the text that was sent is the offset, not "+1" or "01".
	return n, ok && err == nil && n > 0 && strconv.FormatUint(n, 36) == digits
}
