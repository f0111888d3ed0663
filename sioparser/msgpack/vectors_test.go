package msgpack_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

type vector struct {
	name, meaning, source string
	wire                  []byte
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/messages.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(column) != 4 {
			t.Fatalf("%q has %d columns", line, len(column))
		}
		wire, err := hex.DecodeString(column[1])
		if err != nil {
			t.Fatalf("%s: %v", column[0], err)
		}
		list = append(list, vector{column[0], column[2], column[3], wire})
	}
	return list
}

// describe writes a packet in the notation of the vectors.
func describe(p *sioparser.Packet, err error) string {
	if err != nil {
		var bad *sioparser.Error
		if !errors.As(err, &bad) {
			return err.Error()
		}
		return "error: " + bad.Err.Error()
	}
	parts := []string{p.Type.String(), p.Namespace}
	if p.HasID {
		parts = append(parts, "#"+strconv.FormatUint(p.ID, 10))
	}
	switch p.Type {
	case sioparser.Event:
		parts = append(parts, strconv.Quote(string(p.Name)), string(p.Args.AppendArray(nil)))
	case sioparser.Ack:
		parts = append(parts, string(p.Args.AppendArray(nil)))
	default:
		if p.Payload != nil {
			parts = append(parts, string(p.Payload))
		}
	}
	if p.Args.HasAttachments() {
		var attached []string
		for _, b := range p.Args.Attachments() {
			attached = append(attached, hex.EncodeToString(b))
		}
		parts = append(parts, strings.Join(attached, ","))
	}
	return strings.Join(parts, " ")
}

func TestMessageVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			d := msgpack.Codec.NewDecoder(sioparser.Limits{})
			p, err := d.Decode(bytes.Clone(v.wire), true)
			if got := describe(p, err); got != v.meaning {
				t.Fatalf("%x is %s, want %s", v.wire, got, v.meaning)
			}
			if err != nil {
				if p != nil {
					t.Errorf("a packet beside the error: %+v", p)
				}
				return
			}
			again, isBinary, attachments, err := msgpack.Codec.AppendPacket([]byte("x"), p)
			if err != nil || !isBinary || attachments != nil {
				t.Fatalf("encoded with %t, %v, %v", isBinary, attachments, err)
			}
			// What the reference wrote, we write with the same bytes, but for what
			// notepack has more than one form for.
			if v.source == reference && !unlike[v.name] && !bytes.Equal(again[1:], v.wire) {
				t.Errorf("encoded as\n%x, want\n%x", again[1:], v.wire)
			}
			p, err = d.Decode(again[1:], true)
			if got := describe(p, err); got != v.meaning && !lossy[v.name] {
				t.Errorf("encoded and decoded it is %s, want %s", got, v.meaning)
			}
		})
	}
}

const reference = "socket.io-msgpack-parser 3.0.2"

// unlike are the vectors of the reference whose bytes we would not write: they
// hold undefined, options, or keys in an order of our own.
var unlike = map[string]bool{
	"connect with a payload that is undefined": true,
	"disconnect with undefined data":           true,
	"event with an id that is undefined":       true,
	"keys in another order":                    true,
}

// lossy are the vectors whose JSON says more than MessagePack as the reference
// writes it.
var lossy = map[string]bool{
	"minus zero as a float": true, // -0 is written as 0
}

// Each row M-01 to M-12 of the recorded behaviour of a reference server has its
// message among the vectors.
func TestEachRecordedCaseHasAVector(t *testing.T) {
	var sources strings.Builder
	for _, v := range vectors(t) {
		sources.WriteString(v.source + "\n")
	}
	for n := 1; n <= 12; n++ {
		id := fmt.Sprintf("case M-%02d", n)
		switch n {
		case 7, 12: // a text message; the codec over polling: tests of their own
			continue
		}
		if !strings.Contains(sources.String(), id) {
			t.Errorf("%s has no vector", id)
		}
	}
}

// M-07: with this codec a text message is never right.
func TestATextMessageIsRefused(t *testing.T) {
	p, err := msgpack.Codec.NewDecoder(sioparser.Limits{}).Decode([]byte(`2["hello"]`), false)
	if !errors.Is(err, msgpack.ErrText) || p != nil {
		t.Errorf("got %+v, %v", p, err)
	}
}
