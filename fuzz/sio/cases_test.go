package sio_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// sioFrame is one Engine.IO message.
type sioFrame struct {
	Binary bool
	Data   []byte
}

func (f sioFrame) String() string {
	if f.Binary {
		return fmt.Sprintf("<%x>", f.Data)
	}
	return fmt.Sprintf("%q", f.Data)
}

func sioText(s string) sioFrame { return sioFrame{Data: []byte(s)} }

// sioVectors are the messages in the parser's vectors.
func sioVectors(t testing.TB) [][]sioFrame {
	t.Helper()
	text, err := os.ReadFile("../../sioparser/testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var list [][]sioFrame
	for line := range bytes.Lines(text) {
		var v struct {
			In []json.RawMessage `json:"in"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		var frames []sioFrame
		for _, raw := range v.In {
			var s string
			if json.Unmarshal(raw, &s) == nil {
				frames = append(frames, sioText(s))
				continue
			}
			var b struct {
				Bin string `json:"bin"`
			}
			if err := json.Unmarshal(raw, &b); err != nil {
				t.Fatal(err)
			}
			data, err := hex.DecodeString(b.Bin)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, sioFrame{true, data})
		}
		list = append(list, frames)
	}
	return list
}

// dice is the part of a random source that the generators use; both versions
// of math/rand can be it.
type dice interface{ IntN(n int) int }

func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// sioPieces are good pieces of messages, and odd ones: those that only the
// reference takes, and those that nobody does.
type sioPieces struct{ good, odd []string }

func (p sioPieces) pick(d dice) string {
	if d.IntN(50) == 0 {
		return pick(d, p.odd)
	}
	return pick(d, p.good)
}

func (p sioPieces) all() []string { return slices.Concat(p.good, p.odd) }

// Pieces of packet heads.
var (
	sioTypes = sioPieces{
		[]string{"2", "2", "2", "2", "5", "5", "5", "3", "6", "0", "1", "4"},
		[]string{"7", "9", "a", "-", "", "/", " "},
	}
	sioCounts = sioPieces{
		[]string{"1-", "1-", "1-", "2-", "3-", "10-", "01-"},
		[]string{"11-", "0-", "-", "1", "", "1e0-", "1.0-", "+1-", " 1-", "0x1-", "-1-", "1--", "9007199254740993-"},
	}
	sioNamespaces = sioPieces{
		[]string{"", "", "", "", "/,", "/", "/chat,", "/a b,", "/é😀,", "/x?y=z,", "/a/b,"},
		[]string{"/chat", "chat,", "//,", ",", "/\xff,", "/" + strings.Repeat("n", 511) + ",", "/" + strings.Repeat("n", 512) + ","},
	}
	sioIDs = sioPieces{
		[]string{"", "", "", "0", "7", "12", "007", "9007199254740991"},
		[]string{"9007199254740992", "12345678901234567890", "-1", "1.5", "1e3", " ", "1 ", "\ufeff", "\u00a0", "\t"},
	}
)

// Pieces of JSON texts.
var (
	sioKeys = sioPieces{
		[]string{`"a"`, `"b"`, `"a"`, `""`, `"_placeholder"`, `"num"`, `"\u005fplaceholder"`, `"n\u0075m"`, `"__proto__"`, `"1"`, `"toString"`,
			`"a key that is longer than eight bytes"`, `"é"`, `"\ud83d"`, `"_placeholde\u0072"`, `"_Placeholder"`},
		[]string{`a`, `'a'`, `1`, `null`, "\"\xff\"", `"`},
	}
	sioStrings = sioPieces{
		[]string{`""`, `"x"`, `"true"`, `"0"`, `"message"`, `"\ud83d"`, `"\ud83d\ude00"`, `"\ude00\ud83d"`, `"é漢😀"`, `"\"\\\/\b\f\n\r\t"`, `"\u0000"`,
			`"1234567"`, `"12345678"`, `"123456789012345\n"`, `"The quick brown fox, {[jumps]} over: the lazy dog."`, `"` + "\x7f\u2028" + `"`, `"_placeholder"`, `"конец"`},
		[]string{`"connect"`, `"conn\u0065ct"`, `"removeListener"`, `"\u12"`, `"\x"`, "\"\x01\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", `"`},
	}
	sioScalars = sioPieces{
		[]string{`null`, `true`, `false`, `0`, `1`, `-1`, `-0`, `1.5`, `1e3`, `1E-3`, `0.1`, `9007199254740993`, `18446744073709551615`, `1e-400`, `123456789012345678901234567890`},
		[]string{`1e400`, `01`, `1.`, `.5`, `+1`, `--1`, `1e`, `0x1`, `NaN`, `nul`, `truex`, `undefined`, `-`},
	}
	sioSpaces = sioPieces{
		[]string{"", "", "", "", "", " ", "\n", "\r\n", "\t"},
		[]string{"\u00a0", "\f", "\x00", "\ufeff"},
	}
	sioBrackets = sioPieces{[]string{"[", "]", "{", "}", ",", ":", `"`, `\`}, []string{"\x1e"}}
)

// sioMaker makes messages of a connection, most of them nearly right.
type sioMaker struct{ vectors [][]sioFrame }

// frames returns a vector, or a packet put together from pieces, with a few
// changes, and attachments more or less as announced.
func (m sioMaker) frames(d dice) []sioFrame {
	var list []sioFrame
	for range 1 + d.IntN(8)/7 {
		if d.IntN(3) == 0 {
			for _, f := range pick(d, m.vectors) {
				list = append(list, sioFrame{f.Binary, bytes.Clone(f.Data)})
			}
		} else {
			list = append(list, sioPacketFrames(d)...)
		}
	}
	for range d.IntN(4) * d.IntN(2) {
		sioMutate(d, m, list)
	}
	if d.IntN(12) == 0 {
		at := d.IntN(len(list) + 1)
		list = slices.Insert(list, at, sioFrame{d.IntN(2) == 0, []byte(sioStrings.pick(d))})
	}
	return list
}

// sioPacketFrames puts a packet together.
func sioPacketFrames(d dice) []sioFrame {
	t := sioTypes.pick(d)
	head := t
	attachments := 0
	if t == "5" || t == "6" || d.IntN(30) == 0 {
		count := sioCounts.pick(d)
		head += count
		fmt.Sscanf(count, "%d-", &attachments)
	}
	head += sioNamespaces.pick(d) + sioIDs.pick(d)
	var b strings.Builder
	b.WriteString(head)
	switch {
	case t == "1" || d.IntN(20) == 0:
	case t == "0" || t == "4" || d.IntN(20) == 0:
		sioJSON(d, &b, 4, attachments)
	default:
		b.WriteString("[" + sioSpaces.pick(d))
		if t != "3" && t != "6" {
			b.WriteString(sioStrings.pick(d))
			b.WriteString(sioSpaces.pick(d))
			b.WriteString(pick(d, []string{",", "]"}[:1+d.IntN(30)/29]))
		}
		n := 1 + d.IntN(3) + d.IntN(20)/19*d.IntN(12)
		for i := range n {
			if i > 0 {
				b.WriteString("," + sioSpaces.pick(d))
			}
			sioJSON(d, &b, 4, attachments)
			b.WriteString(sioSpaces.pick(d))
		}
		b.WriteString("]" + sioSpaces.pick(d))
	}
	list := []sioFrame{sioText(b.String())}
	if d.IntN(16) == 0 {
		attachments += d.IntN(3) - 1
	}
	for i := range min(attachments, 12) {
		list = append(list, sioFrame{true, bytes.Repeat([]byte{byte(i)}, d.IntN(3))})
	}
	return list
}

// sioJSON writes a JSON text, now and then a broken one.
func sioJSON(d dice, b *strings.Builder, depth, attachments int) {
	switch n := d.IntN(16); {
	case n < 4:
		b.WriteString(sioStrings.pick(d))
	case n < 7:
		b.WriteString(sioScalars.pick(d))
	case n < 10 && attachments > 0:
		fmt.Fprintf(b, `{"_placeholder":true,"num":%d}`, d.IntN(attachments))
	case n == 10:
		fmt.Fprintf(b, `{"num":%s,"_placeholder":%s}`, sioScalars.pick(d), sioScalars.pick(d))
	case n == 11:
		opening, closing := "[", "]"
		if d.IntN(2) == 0 {
			opening, closing = `{"":`, "}"
		}
		levels := 1 + d.IntN(4)*(1+d.IntN(60)/59*(30+d.IntN(400)))
		b.WriteString(strings.Repeat(opening, levels) + "1" + strings.Repeat(closing, levels))
	case depth == 0:
		b.WriteString("1")
	case n < 14:
		b.WriteString("[" + sioSpaces.pick(d))
		for i := range d.IntN(4) {
			if i > 0 {
				b.WriteString(",")
			}
			sioJSON(d, b, depth-1, attachments)
			b.WriteString(sioSpaces.pick(d))
		}
		b.WriteString("]")
	default:
		b.WriteString("{" + sioSpaces.pick(d))
		for i := range d.IntN(4) {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(sioKeys.pick(d) + sioSpaces.pick(d) + ":" + sioSpaces.pick(d))
			sioJSON(d, b, depth-1, attachments)
		}
		b.WriteString(sioSpaces.pick(d) + "}")
	}
}

// sioMutate changes one text message of the list.
func sioMutate(d dice, m sioMaker, list []sioFrame) {
	if len(list) == 0 {
		return
	}
	f := &list[d.IntN(len(list))]
	b := f.Data
	at := d.IntN(len(b) + 1)
	switch d.IntN(8) {
	case 0: // cut the end
		b = b[:at]
	case 1: // remove a byte
		if at < len(b) {
			b = slices.Delete(b, at, at+1)
		}
	case 2: // change a bit
		if at < len(b) {
			b[at] ^= 1 << d.IntN(8)
		}
	case 3: // double a piece
		end := at + d.IntN(len(b)-at+1)
		b = slices.Concat(b[:end], b[at:])
	case 4: // the end of another message
		if other := pick(d, m.vectors); len(other) > 0 {
			rest := other[0].Data
			b = slices.Concat(b[:at], rest[d.IntN(len(rest)+1):])
		}
	default: // put a piece in
		pieces := pick(d, []sioPieces{sioTypes, sioCounts, sioNamespaces, sioIDs, sioKeys, sioStrings, sioScalars, sioSpaces, sioBrackets})
		piece := pick(d, pieces.all())
		b = slices.Concat(b[:at], []byte(piece), b[at:])
	}
	f.Data = b
}
