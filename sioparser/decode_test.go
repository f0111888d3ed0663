package sioparser_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
)

// Every way in which a message can be refused, with the place at which it is.
func TestDecodeErrors(t *testing.T) {
	long := "/" + strings.Repeat("n", 512)
	for _, c := range []struct {
		name   string
		in     string
		err    error
		offset int
	}{
		{"empty", ``, sioparser.ErrEmpty, 0},
		{"type below 0", `/`, sioparser.ErrPacketType, 0},
		{"type above 6", `7["x"]`, sioparser.ErrPacketType, 0},
		{"count missing", `5`, sioparser.ErrAttachmentCount, 1},
		{"count without hyphen", `51`, sioparser.ErrAttachmentCount, 2},
		{"count with plus sign", `5+1-["x"]`, sioparser.ErrAttachmentCount, 1},
		{"count with space", `5 1-["x"]`, sioparser.ErrAttachmentCount, 1},
		{"count in hexadecimal", `50x1-["x"]`, sioparser.ErrAttachmentCount, 2},
		{"count over the limit", `511-["x"]`, sioparser.ErrTooManyAttachments, 2},
		{"count of many digits", `599999999999999999999999-["x"]`, sioparser.ErrTooManyAttachments, 2},
		{"namespace too long", `2` + long + `,["x"]`, sioparser.ErrNamespace, 513},
		{"namespace not UTF-8", "2/\xff,[\"x\"]", sioparser.ErrUTF8, 1},
		{"id too large", `29007199254740992["x"]`, sioparser.ErrID, 16},
		{"JSON missing", `2`, sioparser.ErrPayload, 1},
		{"JSON truncated in array", `2["x"`, sioparser.ErrSyntax, 5},
		{"JSON truncated after comma", `2["x",`, sioparser.ErrSyntax, 6},
		{"JSON truncated in string", `2["x`, sioparser.ErrSyntax, 4},
		{"JSON truncated in escape", `2["x\`, sioparser.ErrSyntax, 4},
		{"JSON truncated in object", `2["x",{`, sioparser.ErrSyntax, 7},
		{"JSON truncated after key", `2["x",{"a"`, sioparser.ErrSyntax, 10},
		{"JSON truncated after colon", `2["x",{"a":`, sioparser.ErrSyntax, 11},
		{"JSON truncated after member", `2["x",{"a":1,`, sioparser.ErrSyntax, 13},
		{"JSON truncated after bracket", `2[`, sioparser.ErrSyntax, 2},
		{"JSON truncated in literal", `2["x",tru`, sioparser.ErrSyntax, 6},
		{"JSON truncated after sign", `2["x",-`, sioparser.ErrSyntax, 7},
		{"brackets crossed", `2["x",[1}]`, sioparser.ErrSyntax, 8},
		{"braces crossed", `2["x",{"a":1]]`, sioparser.ErrSyntax, 12},
		{"key not a string", `2["x",{a:1}]`, sioparser.ErrSyntax, 7},
		{"colon missing", `2["x",{"a" 1}]`, sioparser.ErrSyntax, 11},
		{"comma missing", `2["x" 1]`, sioparser.ErrSyntax, 6},
		{"trailing comma in array", `2["x",]`, sioparser.ErrSyntax, 6},
		{"trailing comma in object", `2["x",{"a":1,}]`, sioparser.ErrSyntax, 13},
		{"literal misspelled true", `2["x",trie]`, sioparser.ErrSyntax, 6},
		{"literal misspelled false", `2["x",fals0]`, sioparser.ErrSyntax, 6},
		{"literal misspelled null", `2["x",nil]`, sioparser.ErrSyntax, 6},
		{"literal with a tail", `2["x",truex]`, sioparser.ErrSyntax, 10},
		{"literal NaN", `2["x",NaN]`, sioparser.ErrSyntax, 6},
		{"number with leading zero", `2["x",01]`, sioparser.ErrSyntax, 7},
		{"number with plus sign", `2["x",+1]`, sioparser.ErrSyntax, 6},
		{"number without fraction", `2["x",1.]`, sioparser.ErrSyntax, 8},
		{"number without exponent", `2["x",1e]`, sioparser.ErrSyntax, 8},
		{"number without signed exponent", `2["x",1e+]`, sioparser.ErrSyntax, 9},
		{"number only a sign", `2["x",-]`, sioparser.ErrSyntax, 7},
		{"number in hexadecimal", `2["x",0x1]`, sioparser.ErrSyntax, 7},
		{"control character in string", "2[\"x\x1f\"]", sioparser.ErrSyntax, 4},
		{"escape unknown", `2["\x"]`, sioparser.ErrSyntax, 3},
		{"escape of three digits", `2["\u123"]`, sioparser.ErrSyntax, 3},
		{"escape not hexadecimal", `2["\u12g4"]`, sioparser.ErrSyntax, 3},
		{"byte above ASCII outside a string", "2[\"x\",\xc3\xa9]", sioparser.ErrSyntax, 6},
		{"bytes behind the array", `2["x"]["y"]`, sioparser.ErrSyntax, 6},
		{"NUL behind the array", "2[\"x\"]\x00", sioparser.ErrSyntax, 6},
		{"UTF-8: lone continuation byte", "2[\"\x80\"]", sioparser.ErrUTF8, 3},
		{"UTF-8: overlong", "2[\"\xc0\xaf\"]", sioparser.ErrUTF8, 3},
		{"UTF-8: encoded surrogate", "2[\"\xed\xa0\x80\"]", sioparser.ErrUTF8, 3},
		{"UTF-8: above U+10FFFF", "2[\"\xf4\x90\x80\x80\"]", sioparser.ErrUTF8, 3},
		{"UTF-8: truncated", "2[\"12345\xe2\x82\"]", sioparser.ErrUTF8, 8},
		{"UTF-8: truncated, two bytes", "2[\"\xc3", sioparser.ErrUTF8, 3},
		{"string ends after a rune", "2[\"é", sioparser.ErrSyntax, 5},
		{"string ends after two runes", "2[\"漢é", sioparser.ErrSyntax, 8},
		{"UTF-8: overlong, three bytes", "2[\"\xe0\x9f\xbf\"]", sioparser.ErrUTF8, 3},
		{"UTF-8: overlong, four bytes", "2[\"\xf0\x8f\xbf\xbf\"]", sioparser.ErrUTF8, 3},
		{"UTF-8: behind other runes", "2[\"é漢😀\xe2\x28\xa1\"]", sioparser.ErrUTF8, 12},
		{"UTF-8: in a key", "2[\"x\",{\"\xff\":1}]", sioparser.ErrUTF8, 8},
		{"nested too deeply", `2` + strings.Repeat("[", 1001), sioparser.ErrDepth, 1001},
		{"payload not of the type", `0"x"`, sioparser.ErrPayload, 1},
		{"payload of DISCONNECT", `1{}`, sioparser.ErrPayload, 1},
		{"payload nested too deeply", `0{"a":` + strings.Repeat("[", 1001), sioparser.ErrDepth, 1005},
		{"name missing", `2[]`, sioparser.ErrPayload, 2},
		{"name not a string", `2[true]`, sioparser.ErrPayload, 2},
		{"name reserved", `2["disconnect",1]`, sioparser.ErrReserved, 2},
		{"num out of range", `51-["x",{"_placeholder":true,"num":1}]`, sioparser.ErrPlaceholder, 8},
		{"num absent", `51-["x",{"_placeholder":true}]`, sioparser.ErrPlaceholder, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(t, sioparser.Limits{}, text(c.in))
			checkSentinel(t, err, c.err, c.offset)
		})
	}
}

func TestDecodeUnexpectedText(t *testing.T) {
	_, err := decode(t, sioparser.Limits{}, text(`51-["x",{"_placeholder":true,"num":0}]`), text(`2["x"]`))
	checkSentinel(t, err, sioparser.ErrUnexpectedText, 0)
}

func TestDecodeUnexpectedBinary(t *testing.T) {
	_, err := decode(t, sioparser.Limits{}, binary("x"))
	checkSentinel(t, err, sioparser.ErrUnexpectedBinary, 0)
}

// An error ends what was pending, and the decoder is as new.
func TestDecodeAfterError(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{AttachmentBytes: 4})
	head := []byte(`52-["x",{"_placeholder":true,"num":0}]`)
	must := func(data string, binary bool, want error) *sioparser.Packet {
		t.Helper()
		p, err := d.Decode([]byte(data), binary)
		if !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
		return p
	}
	must(string(head), false, nil)
	must("ab", true, nil)
	must(`2["y"]`, false, sioparser.ErrUnexpectedText)
	must("cd", true, sioparser.ErrUnexpectedBinary)
	must(string(head), false, nil)
	must("abc", true, nil)
	must("de", true, sioparser.ErrAttachmentBytes)
	must("cd", true, sioparser.ErrUnexpectedBinary)
	must(string(head), false, nil)
	must("ab", true, nil)
	p := must("cd", true, nil)
	equal(t, "attachments", fmt.Sprintf("%s", p.Args.Attachments()), "[ab cd]")
	p = must(`2["y"]`, false, nil)
	equal(t, "name", string(p.Name), "y")
	equal(t, "attachments of the next packet", len(p.Args.Attachments()), 0)
}

func TestLimitAttachments(t *testing.T) {
	head := `53-["x",{"_placeholder":true,"num":0}]`
	if _, err := decode(t, sioparser.Limits{Attachments: 3}, text(head)); err != nil {
		t.Error(err)
	}
	_, err := decode(t, sioparser.Limits{Attachments: 2}, text(head))
	checkSentinel(t, err, sioparser.ErrTooManyAttachments, 1)
	if _, err := decode(t, sioparser.Limits{Attachments: -1}, text(`5100000-["x"]`)); err != nil {
		t.Error("without a limit:", err)
	}
	for _, head := range []string{`52147483648-["x"]`, `599999999999-["x"]`} {
		_, err = decode(t, sioparser.Limits{Attachments: -1}, text(head))
		checkSentinel(t, err, sioparser.ErrTooManyAttachments, 10)
	}
}

// A placeholder that stands twice is two attachments when it is sent on, and
// the official clients close the connection at the eleventh.
func TestLimitPlaceholders(t *testing.T) {
	head := func(n int) message {
		return text(`51-["x"` + strings.Repeat(`,{"_placeholder":true,"num":0}`, n) + `]`)
	}
	if _, err := decode(t, sioparser.Limits{}, head(10)); err != nil {
		t.Error(err)
	}
	_, err := decode(t, sioparser.Limits{}, head(11))
	checkSentinel(t, err, sioparser.ErrTooManyAttachments, 308)
}

func TestLimitAttachmentBytes(t *testing.T) {
	head := text(`52-["x",{"_placeholder":true,"num":1}]`)
	limits := sioparser.Limits{AttachmentBytes: 5}
	if _, err := decode(t, limits, head, binary("123"), binary("45")); err != nil {
		t.Error(err)
	}
	_, err := decode(t, limits, head, binary("123"), binary("456"))
	checkSentinel(t, err, sioparser.ErrAttachmentBytes, 0)
	large := binary(strings.Repeat("x", sioparser.DefaultAttachmentBytes))
	_, err = decode(t, sioparser.Limits{}, head, large, binary("x"))
	checkSentinel(t, err, sioparser.ErrAttachmentBytes, 0)
	if _, err := decode(t, sioparser.Limits{AttachmentBytes: -1}, head, large, binary("x")); err != nil {
		t.Error("without a limit:", err)
	}
}

func TestLimitDepth(t *testing.T) {
	nested := func(depth int) message {
		return text(`2["x",` + strings.Repeat(`[`, depth-1) + strings.Repeat(`]`, depth))
	}
	if _, err := decode(t, sioparser.Limits{Depth: 3}, nested(3)); err != nil {
		t.Error(err)
	}
	_, err := decode(t, sioparser.Limits{Depth: 3}, nested(4))
	checkSentinel(t, err, sioparser.ErrDepth, 8)
	if _, err := decode(t, sioparser.Limits{Depth: -1}, nested(200_000)); err != nil {
		t.Error("without a limit:", err)
	}
	// Kinds of containers survive the spill every 64 levels.
	for _, depth := range []int{62, 63, 64, 65, 127, 128, 129, 500, 900} {
		open, closed := strings.Repeat(`{"a":[`, depth/2), strings.Repeat(`]}`, depth/2)
		if _, err := decode(t, sioparser.Limits{}, text(`2["x",`+open+closed+`]`)); err != nil {
			t.Errorf("%d levels: %v", depth, err)
		}
		_, err := decode(t, sioparser.Limits{}, text(`2["x",`+open+closed[:len(closed)-2]+`}]`))
		checkSentinel(t, err, sioparser.ErrSyntax, 6+len(open)+len(closed)-2)
	}
}

func TestLimitNamespace(t *testing.T) {
	if _, err := decode(t, sioparser.Limits{Namespace: 4}, text(`2/abc,["x"]`)); err != nil {
		t.Error(err)
	}
	_, err := decode(t, sioparser.Limits{Namespace: 3}, text(`2/abc,["x"]`))
	checkSentinel(t, err, sioparser.ErrNamespace, 4)
	if _, err := decode(t, sioparser.Limits{}, text(`2/`+strings.Repeat("n", 511)+`,["x"]`)); err != nil {
		t.Error(err)
	}
	if _, err := decode(t, sioparser.Limits{Namespace: -1}, text(`2/`+strings.Repeat("n", 5000)+`,["x"]`)); err != nil {
		t.Error("without a limit:", err)
	}
}

// The head of a binary packet is copied: the caller may reuse its buffer while
// attachments are due.
func TestDecodeCopiesHead(t *testing.T) {
	for _, size := range []int{1, 10_000} {
		d := sioparser.Text.NewDecoder(sioparser.Limits{})
		want := `"` + strings.Repeat("y", size) + `",{"_placeholder":true,"num":0}`
		head := []byte(`51-["name",` + want + `]`)
		if p, err := d.Decode(head, false); p != nil || err != nil {
			t.Fatal(p, err)
		}
		clear(head)
		p, err := d.Decode([]byte("a"), true)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "name", string(p.Name), "name")
		equal(t, "args", string(p.Args.Raw()), want)
	}
}

// An attachment without bytes is not null, whatever the transport hands over.
func TestDecodeNilAttachment(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	if _, err := d.Decode([]byte(`51-["x",{"_placeholder":true,"num":0}]`), false); err != nil {
		t.Fatal(err)
	}
	p, err := d.Decode(nil, true)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	if err := sioparser.JSON().Bind(p.Args, &b); err != nil || b == nil {
		t.Errorf("got %v, %v; want an empty slice", b, err)
	}
}

// One decoder reads packets of all kinds behind one another, and nothing of
// one shows in the next.
func TestDecodeSequence(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	for round := range 3 {
		for _, v := range readVectors(t) {
			var p *sioparser.Packet
			var err error
			for _, m := range v.In {
				if p, err = d.Decode(append([]byte(nil), m.data...), m.binary); err != nil {
					break
				}
			}
			if v.Err != "" {
				checkError(t, err, v.Err)
				continue
			}
			if err != nil {
				t.Fatalf("round %d, %s: %v", round, v.ID, err)
			}
			equal(t, v.ID+" namespace", p.Namespace, v.Out.Namespace)
			equal(t, v.ID+" name", string(p.Name), v.Out.Name)
			equal(t, v.ID+" args", string(p.Args.Raw()), v.Out.Args)
			equal(t, v.ID+" payload", string(p.Payload), v.Out.Payload)
			checkEncoded(t, p, v.Enc)
		}
	}
}

// Names of namespaces are kept as strings, more of them than one.
func TestDecodeNamespacesDoNotAllocate(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	in := [][]byte{[]byte(`2/a,["x"]`), []byte(`2/b,["x"]`), []byte(`2["x"]`), []byte(`2/c,["x"]`)}
	allocs := testing.AllocsPerRun(100, func() {
		for _, data := range in {
			if _, err := d.Decode(data, false); err != nil {
				t.Fatal(err)
			}
		}
	})
	equal(t, "allocations", allocs, 0)
	for i := range 100 {
		want := fmt.Sprintf("/n%d", i)
		p, err := d.Decode([]byte("2"+want+`,["x"]`), false)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "namespace", p.Namespace, want)
	}
}
