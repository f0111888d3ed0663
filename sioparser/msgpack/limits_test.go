package msgpack_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// event is a message with the name "e" and what follows it in the data array.
func event(n int, rest []byte) []byte {
	head := []byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd")
	head = append(head, byte((n+1)>>24), byte((n+1)>>16), byte((n+1)>>8), byte(n+1))
	return append(append(head, "\xa1e"...), rest...)
}

func decode(l sioparser.Limits, message []byte) (*sioparser.Packet, error) {
	return msgpack.Codec.NewDecoder(l).Decode(message, true)
}

func nested(levels int) []byte { return append(bytes.Repeat([]byte{0x91}, levels-1), 0x90) }

func TestDepthIsLimited(t *testing.T) {
	tests := []struct {
		name   string
		limit  int
		levels int // with the data array
		fails  bool
	}{
		{"at the default", 0, 1000, false},
		{"over the default", 0, 1001, true},
		{"at a limit", 5, 5, false},
		{"over a limit", 5, 6, true},
		{"no limit is the default", -1, 1000, false},
		{"over no limit", -1, 1001, true},
		{"a million levels", 0, 1_000_000, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := decode(sioparser.Limits{Depth: test.limit}, event(1, nested(test.levels-1)))
			if got := errors.Is(err, sioparser.ErrDepth); got != test.fails || err != nil && !got {
				t.Errorf("got %v", err)
			}
		})
	}
	// Maps and keys that are skipped count just as well.
	deep := append([]byte("\x84\xa4type\x01\xa3nsp\xa1/\xa1x"), nested(1001)...)
	if _, err := decode(sioparser.Limits{}, append(deep, "\xa1y\x01"...)); !errors.Is(err, sioparser.ErrDepth) {
		t.Errorf("in a key that is skipped: %v", err)
	}
	maps := event(1, append(bytes.Repeat([]byte("\x81\xa1a"), 1000), 0xc0))
	if _, err := decode(sioparser.Limits{}, maps); !errors.Is(err, sioparser.ErrDepth) {
		t.Errorf("maps: %v", err)
	}
}

func TestAttachmentsAreLimited(t *testing.T) {
	buffers := func(n, size int) []byte {
		one := append([]byte{0xc5, byte(size >> 8), byte(size)}, make([]byte, size)...)
		return event(n, bytes.Repeat(one, n))
	}
	tests := []struct {
		name    string
		limit   int
		message []byte
		fails   bool
	}{
		{"ten", 0, buffers(10, 1), false},
		{"forty small ones", 0, buffers(40, 1), false},
		{"ten thousand large ones", 0, buffers(10_000, 100), false},
		{"ten thousand small ones", 0, buffers(10_000, 1), true},
		{"at a limit", 3, buffers(3, 1), false},
		{"over a limit", 3, buffers(4, 1), true},
		{"no limit", -1, buffers(10_000, 1), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := decode(sioparser.Limits{Attachments: test.limit}, test.message)
			if got := errors.Is(err, sioparser.ErrTooManyAttachments); got != test.fails || err != nil && !got {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAttachmentBytesAreLimited(t *testing.T) {
	message := event(2, []byte("\xc4\x03abc\xc4\x02de"))
	for limit, fails := range map[int64]bool{5: false, 4: true, -1: false, 0: false} {
		_, err := decode(sioparser.Limits{AttachmentBytes: limit}, message)
		if got := errors.Is(err, sioparser.ErrAttachmentBytes); got != fails || err != nil && !got {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	big := event(1, append([]byte{0xc6, 0, 0x98, 0x96, 0x81}, make([]byte, 10_000_001)...))
	if _, err := decode(sioparser.Limits{}, big); !errors.Is(err, sioparser.ErrAttachmentBytes) {
		t.Errorf("over the default: %v", err)
	}
}

func TestNamespacesAreLimited(t *testing.T) {
	message := func(n int) []byte {
		name := "/" + strings.Repeat("n", n-1)
		return append([]byte{0x82, 0xa4, 't', 'y', 'p', 'e', 1, 0xa3, 'n', 's', 'p', 0xda, byte(n >> 8), byte(n)}, name...)
	}
	tests := []struct {
		limit, length int
		fails         bool
	}{
		{0, 512, false}, {0, 513, true}, {3, 3, false}, {3, 4, true}, {-1, 5000, false},
	}
	for _, test := range tests {
		_, err := decode(sioparser.Limits{Namespace: test.limit}, message(test.length))
		if got := errors.Is(err, sioparser.ErrNamespace); got != test.fails || err != nil && !got {
			t.Errorf("limit %d, length %d: %v", test.limit, test.length, err)
		}
	}
}

func TestAMessageOver256MiBIsRefused(t *testing.T) {
	// Pages that nobody writes to cost nothing.
	huge := make([]byte, 1<<28)
	if _, err := decode(sioparser.Limits{}, huge); !errors.Is(err, sioparser.ErrTooLong) {
		t.Errorf("decoder: %v", err)
	}
	if err := msgpack.Valid(huge); !errors.Is(err, sioparser.ErrTooLong) {
		t.Errorf("Valid: %v", err)
	}
	if _, err := msgpack.ToArgs(huge, sioparser.Limits{}); !errors.Is(err, sioparser.ErrTooLong) {
		t.Errorf("ToArgs: %v", err)
	}
}

// allocated returns how many bytes f allocates: the least of ten runs, since
// others may allocate meanwhile.
func allocated(f func()) uint64 {
	least := ^uint64(0)
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// payload is a CONNECT packet with an object whose only member is an array of n
// values, given as their bytes.
func payload(n int, values []byte) []byte {
	head := append([]byte("\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa1a\xdd"), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	return append(head, values...)
}

func TestBuffersInPayloadsAreLimited(t *testing.T) {
	tests := []struct {
		limit, n int
		fails    bool
	}{
		{0, 30, false}, {0, 20_000, true}, {10, 20_000, true}, {-1, 20_000, false},
	}
	for _, test := range tests {
		_, err := decode(sioparser.Limits{Attachments: test.limit}, payload(test.n, bytes.Repeat([]byte("\xc4\x00"), test.n)))
		if got := errors.Is(err, sioparser.ErrTooManyAttachments); got != test.fails || err != nil && !got {
			t.Errorf("limit %d, %d buffers: %v", test.limit, test.n, err)
		}
	}
}

// Inputs whose JSON is as large as it can be.
func TestADecoderAllocatesAtMostEightTimesItsInput(t *testing.T) {
	many := func(piece string) []byte { return event(20_000, bytes.Repeat([]byte(piece), 20_000)) }
	tests := map[string][]byte{
		"false":             many("\xc2"),
		"null":              many("\xc0"),
		"small integers":    many("\xe0"),
		"floats":            many("\xca\x80\x00\x00\x01"),
		"undefined":         many("\xd4\x00\x00"),
		"empty arrays":      many("\x90"),
		"maps":              many("\x81\xa0\xc2"),
		"maps of numbers":   many("\x81\x64\xc2"),
		"dates":             many("\xd7\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"control character": event(1, append([]byte{0xda, 0x4e, 0x20}, make([]byte, 20_000)...)),
		"nested":            event(1, nested(900)),
		"nested maps":       event(1, append(bytes.Repeat([]byte("\x81\xa0"), 900), 0xc2)),
		"buffers":           many("\xc4\x00"),
		"a buffer and maps": event(20_001, append(bytes.Repeat([]byte("\x81\xa0\xc2"), 20_000), 0xc4, 0)),
		"buffers, few":      event(30, bytes.Repeat([]byte("\xc4\x00"), 30)),
		"payload, buffers":  payload(20_000, bytes.Repeat([]byte("\xc4\x00"), 20_000)),
		"payload, false":    payload(20_000, bytes.Repeat([]byte("\xc2"), 20_000)),
		"a payload":         append([]byte("\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa1a\xc5\x4e\x20"), bytes.Repeat([]byte{0xff}, 20_000)...),
	}
	for name, message := range tests {
		t.Run(name, func(t *testing.T) {
			var err error
			got := allocated(func() { _, err = decode(sioparser.Limits{}, message) })
			if bound := uint64(8*len(message) + 4096); got > bound {
				t.Errorf("%d bytes for %d, %.1f times, %v", got, len(message), float64(got)/float64(len(message)), err)
			}
		})
	}
}

// Memory that one large packet needed does not stay, whether the next ones are
// small or do not come.
func TestADecoderGivesMemoryBack(t *testing.T) {
	const connections = 20
	small := event(1, []byte("\xa1x"))
	for name, messages := range map[string][][]byte{
		"a very large one":      {event(1, append([]byte{0xdb, 0, 0x0f, 0xff, 0xff}, bytes.Repeat([]byte("x"), 1<<20-1)...))},
		"a large one and small": {event(1, append([]byte{0xda, 0xc0, 0}, bytes.Repeat([]byte("x"), 0xc000)...)), small, small},
		"nested ones and small": {event(1, nested(900)), small, small},
	} {
		t.Run(name, func(t *testing.T) {
			decoders := make([]sioparser.Decoder, connections)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range decoders {
				decoders[i] = msgpack.Codec.NewDecoder(sioparser.Limits{})
				for _, message := range messages {
					p, err := decoders[i].Decode(message, true)
					if err != nil {
						t.Fatal(err)
					}
					*p = sioparser.Packet{}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / connections; each > 10_000 {
				t.Errorf("%d bytes are kept a decoder", each)
			}
			runtime.KeepAlive(decoders)
		})
	}
}
