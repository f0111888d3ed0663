package eioparser_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/vectors"
)

const vectorLimit = 70_000

// readAll reads packets until an error and writes all down.
func readAll(src io.Reader, limit int64) string {
	var got vectors.Packets
	r := eioparser.NewStreamReader(src, limit)
	for {
		p, err := r.Next()
		if err != nil {
			got.Fail(err)
			if p.Type != 0 || p.Binary || p.Data != nil {
				got.Add(byte(p.Type), p.Binary, p.Data) // nothing comes with an error
			}
			return got.String()
		}
		got.Add(byte(p.Type), p.Binary, p.Data)
	}
}

func TestStreamVectorsHoweverTheyAreCut(t *testing.T) {
	readers := map[string]func([]byte) io.Reader{
		"at once":           func(b []byte) io.Reader { return bytes.NewReader(b) },
		"byte by byte":      func(b []byte) io.Reader { return iotest.OneByteReader(bytes.NewReader(b)) },
		"in halves":         func(b []byte) io.Reader { return iotest.HalfReader(bytes.NewReader(b)) },
		"with EOF and data": func(b []byte) io.Reader { return iotest.DataErrReader(bytes.NewReader(b)) },
	}
	for _, v := range vectors.Load(t, "testdata/streams.tsv") {
		for how, reader := range readers {
			t.Run(v.Name+", "+how, func(t *testing.T) {
				if got := readAll(reader(v.Wire), vectorLimit); got != v.Meaning {
					t.Errorf("%q is %s, want %s", v.Wire, got, v.Meaning)
				}
			})
		}
		for i := range len(v.Wire) {
			cut := io.MultiReader(bytes.NewReader(v.Wire[:i]), bytes.NewReader(v.Wire[i:]))
			if got := readAll(cut, vectorLimit); got != v.Meaning {
				t.Errorf("%s, cut at %d: %s", v.Name, i, got)
			}
		}
	}
}

func TestStreamPacketsComeBack(t *testing.T) {
	sizes := []int{0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 300_000}
	var stream []byte
	var want vectors.Packets
	for _, n := range sizes {
		for _, p := range []eioparser.Packet{
			{Type: eioparser.Message, Data: bytes.Repeat([]byte{'x'}, n)},
			{Type: eioparser.Message, Binary: true, Data: bytes.Repeat([]byte{0xff}, n)},
		} {
			stream = eioparser.AppendStreamPacket(stream, p)
			want.Add(byte(p.Type), p.Binary, p.Data)
		}
	}
	want.Fail(io.EOF)
	for how, src := range map[string]io.Reader{
		"at once":   bytes.NewReader(stream),
		"in halves": iotest.HalfReader(bytes.NewReader(stream)),
	} {
		if readAll(src, 0) != want.String() {
			t.Errorf("the packets differ, %s", how)
		}
	}
}

func TestStreamLimit(t *testing.T) {
	frame := func(n int) []byte {
		return append(eioparser.AppendStreamHeader(nil, n, true), make([]byte, n)...)
	}
	tests := []struct {
		name         string
		limit        int64
		length       int
		wantTooLarge bool
	}{
		{"at the limit", 10, 10, false},
		{"over the limit", 10, 11, true},
		{"at the default", 0, eioparser.DefaultMaxPayload, false},
		{"over the default", 0, eioparser.DefaultMaxPayload + 1, true},
		{"without a limit", -1, eioparser.DefaultMaxPayload + 1, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := eioparser.NewStreamReader(bytes.NewReader(frame(test.length)), test.limit).Next()
			if test.wantTooLarge {
				if !errors.Is(err, eioparser.ErrFrameSize) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || len(p.Data) != test.length {
				t.Fatalf("got %d bytes, %v", len(p.Data), err)
			}
		})
	}
}

func TestAFrameOverTheLimitIsNotRead(t *testing.T) {
	var read int
	src := readerFunc(func(b []byte) (int, error) {
		read++
		if read > 1 {
			t.Fatal("read on after the header")
		}
		return copy(b, "\x7f\x00\x00\x00\x00\x7f\xff\xff\xff"), nil
	})
	r := eioparser.NewStreamReader(src, 1000)
	for range 2 { // errors are final
		if _, err := r.Next(); !errors.Is(err, eioparser.ErrFrameSize) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestAHeaderAloneCostsNoMemory(t *testing.T) {
	for _, binary := range []bool{false, true} {
		header := eioparser.AppendStreamHeader(nil, 1<<30, binary)
		const runs = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			if _, err := eioparser.NewStreamReader(bytes.NewReader(header), -1).Next(); err != io.ErrUnexpectedEOF {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / runs; n > 4096 {
			t.Errorf("binary %t: %d bytes for a header that announces 1 GiB", binary, n)
		}
	}
}

func TestTextOfAStreamIsValidUntilTheNextPacketAndBytesForEver(t *testing.T) {
	stream := eioparser.AppendStreamPacket(nil, eioparser.Packet{Type: eioparser.Message, Binary: true, Data: []byte{1, 2}})
	stream = eioparser.AppendStreamPacket(stream, eioparser.Packet{Type: eioparser.Message, Binary: true, Data: []byte{3, 4}})
	r := eioparser.NewStreamReader(bytes.NewReader(stream), 0)
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	_ = append(first.Data, 9, 9, 9)
	second, err := r.Next()
	if err != nil || !bytes.Equal(first.Data, []byte{1, 2}) || !bytes.Equal(second.Data, []byte{3, 4}) {
		t.Errorf("%v, %v, %v", first.Data, second.Data, err)
	}
}

func TestStreamErrorsOfTheSource(t *testing.T) {
	broken := errors.New("connection reset")
	tests := []struct {
		name string
		src  io.Reader
		want string
	}{
		{"between frames", io.MultiReader(strings.NewReader("\x024a"), iotest.ErrReader(broken)), `4"a" error: connection reset`},
		{"within a header", io.MultiReader(strings.NewReader("\x7e\x00"), iotest.ErrReader(broken)), `error: connection reset`},
		{"within a text frame", io.MultiReader(strings.NewReader("\x024"), iotest.ErrReader(broken)), `error: connection reset`},
		{"within a binary frame", io.MultiReader(strings.NewReader("\x824"), iotest.ErrReader(broken)), `error: connection reset`},
		{"together with the last bytes", readerFunc(func(b []byte) (int, error) { return copy(b, "\x024a"), broken }), `4"a" error: connection reset`},
		{"neither data nor error", readerFunc(func([]byte) (int, error) { return 0, nil }), `error: multiple Read calls return no data or error`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := readAll(test.src, 0); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestABigFrameDoesNotStayInTheReader(t *testing.T) {
	big := eioparser.AppendStreamPacket(nil, eioparser.Packet{Type: eioparser.Message, Data: make([]byte, 500_000)})
	stream := append(bytes.Repeat(big, 3), eioparser.AppendStreamPacket(nil, eioparser.Packet{Type: eioparser.Ping})...)
	if got := readAll(bytes.NewReader(stream), 0); !strings.HasSuffix(got, ` 2"" error: EOF`) {
		t.Errorf("the end is %s", got[len(got)-20:])
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
