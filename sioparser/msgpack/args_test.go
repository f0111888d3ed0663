package msgpack_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

func TestToArgsReadsAnArrayFromABus(t *testing.T) {
	data := []byte("\x93\xa5hello\xc4\x02\x01\x02\x81\xa1a\xc4\x00")
	a, err := msgpack.ToArgs(data, sioparser.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := `"hello",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}`
	if string(a.Raw()) != want || a.Len() != 3 || len(a.Attachments()) != 2 || !bytes.Equal(a.Attachments()[0], []byte{1, 2}) {
		t.Errorf("got %s, %v", a.Raw(), a.Attachments())
	}
	if again := msgpack.AppendFromArgs(nil, a); !bytes.Equal(again, data) {
		t.Errorf("written as %x", again)
	}
	if a.Attachments()[1] == nil {
		t.Error("an empty buffer is nil")
	}
}

func TestAnAttachmentCannotReachIntoTheMessage(t *testing.T) {
	data := []byte("\x92\xc4\x01a\xa1b")
	a, err := msgpack.ToArgs(data, sioparser.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_ = append(a.Attachments()[0], "overwritten"...)
	if string(data) != "\x92\xc4\x01a\xa1b" {
		t.Errorf("the message is now %q", data)
	}
}

// Data that looks like a placeholder beside a buffer stays data, also when there
// are more arguments than boundaries are remembered.
func TestDataThatLooksLikeAPlaceholderStaysData(t *testing.T) {
	data := []byte("\x98\x81\xac_placeholder\xc3\xc4\x01a\x03\x04\x05\x06\xa17\xc4\x018")
	a, err := msgpack.ToArgs(data, sioparser.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	for p := range a.Placeholders() {
		places = append(places, p.Num)
	}
	if len(places) != 2 || a.Len() != 8 || len(a.Attachments()) != 2 {
		t.Errorf("placeholders %v of %d arguments, %s", places, a.Len(), a.Raw())
	}
	if again := msgpack.AppendFromArgs(nil, a); !bytes.Equal(again, data) {
		t.Errorf("written as %q", again)
	}
	if again := msgpack.AppendFromArgs(nil, a.Slice(4, 8)); string(again) != "\x94\x05\x06\xa17\xc4\x018" {
		t.Errorf("a part is written as %q", again)
	}
}

func TestToArgsErrors(t *testing.T) {
	tests := []struct {
		name, data string
		want       error
	}{
		{"nothing", "", msgpack.ErrSyntax},
		{"too many attachments", "\xdc\x20\x00" + strings.Repeat("\xc4\x00", 8192), sioparser.ErrTooManyAttachments},
		{"no array", "\x80", sioparser.ErrPayload},
		{"bytes behind it", "\x90\x00", msgpack.ErrSyntax},
		{"extension", "\x91\xd4\x05\x00", msgpack.ErrExtension},
		{"key", "\x91\x81\xc0\xc0", msgpack.ErrKey},
		{"too deep", string(nested(1001)), sioparser.ErrDepth},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := msgpack.ToArgs([]byte(test.data), sioparser.Limits{})
			if !errors.Is(err, test.want) || a.Len() != 0 {
				t.Errorf("got %s, %v", a.Raw(), err)
			}
			var bad *sioparser.Error
			if !errors.As(err, &bad) || bad.Offset > len(test.data) {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func TestValidTakesWhatToArgsCanRead(t *testing.T) {
	for _, data := range []string{"\x01", "\xa1a", "\x93\x01\x80\xd4\x00\x00", "\xc7\x01\x00\xff", string(nested(1000))} {
		if err := msgpack.Valid([]byte(data)); err != nil {
			t.Errorf("%q: %v", data, err)
		}
	}
	for data, want := range map[string]error{
		"":                         msgpack.ErrSyntax,
		"\x01\x01":                 msgpack.ErrSyntax,
		"\x92\x01":                 msgpack.ErrSyntax,
		"\xdd\xff\xff\xff\xff\x01": msgpack.ErrSyntax,
		"\xa1\xff":                 sioparser.ErrUTF8,
		"\xd4\x01\x00":             msgpack.ErrExtension,
		"\x81\x90\x90":             msgpack.ErrKey,
		string(nested(1001)):       sioparser.ErrDepth,
	} {
		if err := msgpack.Valid([]byte(data)); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", data, err, want)
		}
	}
}

// A million nested arrays make a decoder that recurses grow its stack by
// hundreds of megabytes, or end the process.
func TestNestingCostsNoMemory(t *testing.T) {
	deep := nested(1 << 20)
	if got := allocated(func() {
		if err := msgpack.Valid(deep); !errors.Is(err, sioparser.ErrDepth) {
			t.Error(err)
		}
	}); got > 8192 {
		t.Errorf("%d bytes", got)
	}
}

func TestANamespaceIsAStringOnce(t *testing.T) {
	d := msgpack.Codec.NewDecoder(sioparser.Limits{})
	message := func(name string) []byte {
		return append([]byte("\x82\xa4type\x01\xa3nsp"), append([]byte{0xa0 | byte(len(name))}, name...)...)
	}
	// More names than the decoder remembers, twice.
	for range 2 {
		for _, name := range []string{"/", "/a", "/b", "/c", "/d", "/e"} {
			p, err := d.Decode(message(name), true)
			if err != nil || p.Namespace != name {
				t.Fatalf("%s: %+v, %v", name, p, err)
			}
		}
	}
}

func TestAnErrorLeavesNothingBehind(t *testing.T) {
	d := msgpack.Codec.NewDecoder(sioparser.Limits{})
	if _, err := d.Decode(event(1, []byte("\xc4\x01a")), true); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decode(event(1, []byte("\xc1")), true); !errors.Is(err, msgpack.ErrSyntax) {
		t.Fatal(err)
	}
	p, err := d.Decode([]byte("\x82\xa4type\x01\xa3nsp\xa1/"), true)
	if err != nil || p.Args.Len() != 0 || p.Name != nil || p.Payload != nil || p.HasID {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Floats of few digits are written by a way of their own.
func TestFloatsAreTheirShortestDecimals(t *testing.T) {
	floats := []float64{1e11, 99_999_999_999.999, 100_000_000_000.25, 1e-4, 0.0005, 0.1 + 0.2, 1.0 / 3, 5e-324, math.MaxFloat64, 1 << 53, 1e11 + 0.001}
	for n := range 20_000 {
		for _, power := range []float64{1, 10, 100, 1000} {
			floats = append(floats, float64(n)/power, float64(n*7_919_777)/power, math.Nextafter(float64(n)/power, 1e9))
		}
	}
	for _, f := range floats {
		for _, f := range []float64{f, -f} {
			data := binary.BigEndian.AppendUint64([]byte("\x91\xcb"), math.Float64bits(f))
			a, err := msgpack.ToArgs(data, sioparser.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(f)
			if err != nil || !bytes.Equal(a.Raw(), want) {
				t.Fatalf("%v is written as %s, want %s, %v", f, a.Raw(), want, err)
			}
		}
	}
}

// Each character at each place of strings around the sizes that are looked at as
// a whole.
func TestEveryCharacterIsEscapedAsInJSON(t *testing.T) {
	for c := range rune(0x800) {
		for _, before := range []int{0, 1, 7, 8, 31, 32, 40} {
			want := strings.Repeat("x", before) + string(c) + strings.Repeat("y", 40)
			data := append([]byte{0x91, 0xd9, byte(len(want))}, want...)
			a, err := msgpack.ToArgs(data, sioparser.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if err := json.Unmarshal(a.Raw(), &got); err != nil || got != want {
				t.Fatalf("%q is %s, %v", want, a.Raw(), err)
			}
			if again := msgpack.AppendFromArgs(nil, a); !bytes.Equal(again, data) {
				t.Fatalf("%q is written as %q", data, again)
			}
		}
	}
}
