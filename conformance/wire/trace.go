package wire

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Direction tells who sent an [Entry].
type Direction byte

// The directions of an entry.
const (
	Sent     Direction = '>'
	Received Direction = '<'
	Noted    Direction = '-' // something that happened without bytes
)

// keptBytes bounds what an entry keeps of its data.
const keptBytes = 2048

// Entry is one event on one connection.
type Entry struct {
	// At is the time since the trace began.
	At time.Duration
	// Conn names the connection: "http1", "ws2".
	Conn string
	Dir  Direction
	// Kind is the sort of event: request, response, text, binary, ping, pong,
	// close, frame, bytes, note.
	Kind string
	// Data holds the first bytes of what went over the wire.
	Data []byte
	// Size is the full number of bytes.
	Size int
}

// Trace is what happened on all connections of one case, in order. It is safe
// for concurrent use.
type Trace struct {
	start time.Time

	mu      sync.Mutex
	entries []Entry
	dropped int
	names   map[string]int
}

// maxEntries bounds a trace: a flood of frames must not cost the suite its memory.
const maxEntries = 2000

// NewTrace starts a trace; times count from now.
func NewTrace() *Trace {
	return &Trace{start: time.Now(), names: map[string]int{}}
}

// Name returns the next name for a connection of a kind: "ws1", "ws2" and so on.
func (t *Trace) Name(kind string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names[kind]++
	return kind + strconv.Itoa(t.names[kind])
}

// Add appends an entry. The data is copied as far as it is kept.
func (t *Trace) Add(conn string, dir Direction, kind string, data []byte) {
	e := Entry{At: time.Since(t.start), Conn: conn, Dir: dir, Kind: kind, Size: len(data)}
	e.Data = bytes.Clone(data[:min(len(data), keptBytes)])
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.entries) == maxEntries {
		t.dropped++
		return
	}
	t.entries = append(t.entries, e)
}

// Note appends a remark about a connection.
func (t *Trace) Note(conn, format string, args ...any) {
	t.Add(conn, Noted, "note", fmt.Appendf(nil, format, args...))
}

// Entries returns a copy of the entries so far.
func (t *Trace) Entries() []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Entry(nil), t.entries...)
}

// WriteTo writes the trace as readable text, a line an entry.
func (t *Trace) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	for _, e := range t.Entries() {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	t.mu.Lock()
	if t.dropped > 0 {
		fmt.Fprintf(&b, "… and %d more\n", t.dropped)
	}
	t.mu.Unlock()
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// String formats the entry as one line.
func (e Entry) String() string {
	prefix := fmt.Sprintf("%8.1fms %-6s %c %-8s ", float64(e.At)/float64(time.Millisecond), e.Conn, e.Dir, e.Kind)
	return prefix + e.Text()
}

// Text shows the entry's data on one line.
func (e Entry) Text() string {
	switch e.Kind {
	case "note":
		return string(e.Data)
	case "binary":
		return fmt.Sprintf("<bin %s>", hexDigest(e.Data, e.Size))
	default:
		return Printable(e.Data, e.Size)
	}
}

// lineLimit is how much of an entry one line of text shows.
const lineLimit = 300

// Printable shows bytes on one line: the record separator as ␞, control bytes
// and invalid UTF-8 as escapes, the rest as they are. size is the full length
// when data was cut.
func Printable(data []byte, size int) string {
	var b strings.Builder
	shown := data[:min(len(data), lineLimit)]
	for len(shown) > 0 {
		r, n := utf8.DecodeRune(shown)
		switch {
		case r == 0x1e:
			b.WriteRune('␞')
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, shown[0])
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\n':
			b.WriteString(`\n`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
		shown = shown[n:]
	}
	if size > lineLimit {
		fmt.Fprintf(&b, "…(%d bytes)", size)
	}
	return b.String()
}

func hexDigest(data []byte, size int) string {
	s := fmt.Sprintf("%x", data[:min(len(data), 64)])
	if size > 64 {
		s += fmt.Sprintf("…(%d bytes)", size)
	}
	return s
}
