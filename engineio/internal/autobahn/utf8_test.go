package autobahn_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/siokit/siokit/engineio"
)

// TestText is group 6: text is UTF-8, however it is cut into frames.
func TestText(t *testing.T) {
	s := echoServer(t, engineio.WebSocket{})
	for _, a := range append(texts(), sequences()...) {
		t.Run(a.id, func(t *testing.T) { a.run(t, s) })
	}
}

// texts are 6.1 to 6.4.
func texts() []attempt {
	const (
		german1 = "Hello-µ@ßöä"
		german2 = "üàá-UTF-8!!"
		bad     = greek + halfPair + edited
		far     = greek + beyond + edited
	)
	german := text(german1 + german2)
	return []attempt{
		echoed("6.1.1", whole, text("")),
		{id: "6.1.2", send: []frame{begin(""), more("4"), finish("")}, want: []frame{text("")}},
		{id: "6.1.3", send: []frame{begin(""), more("4middle frame payload"), finish("")}, want: []frame{text("middle frame payload")}},
		echoed("6.2.1", whole, german),
		{id: "6.2.2", send: []frame{begin("4" + german1), finish(german2)}, want: []frame{german}},
		{id: "6.2.3", send: fragments(german, 1), want: []frame{german}},
		{id: "6.2.4", send: fragments(text(greek), 1), want: []frame{text(greek)}},
		{id: "6.3.1", send: []frame{text(bad)}, codes: invalid},
		{id: "6.3.2", send: fragments(text(bad), 1), codes: invalid},
		// The suite would rather see the connection fail at the first bad byte, and
		// takes the end of the message as well, where we check.
		{id: "6.4.1", chop: byFrame, send: []frame{begin("4" + greek), more(beyond), finish(edited)}, codes: invalid},
		{id: "6.4.2", chop: byFrame, send: []frame{begin("4" + far[:12]), more(far[12:13]), finish(far[13:])}, codes: invalid},
		{id: "6.4.3", chop: 6 + 1 + len(greek), send: []frame{text(far)}, codes: invalid},
		{id: "6.4.4", chop: 6 + 1 + 12, send: []frame{text(far)}, codes: invalid},
	}
}

// sequences are 6.5 to 6.23, after Markus Kuhn's stress test.
func sequences() []attempt {
	var prefixes []string
	for i := 1; i <= len(greek); i++ {
		prefixes = append(prefixes, greek[:i])
	}
	continuations := []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf"}
	var all strings.Builder
	for b := 0x80; b < 0xbf; b++ {
		all.WriteByte(byte(b))
	}
	var starts []string
	for _, r := range [][2]int{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		var s strings.Builder
		for b := r[0]; b < r[1]; b++ {
			s.WriteByte(byte(b))
			s.WriteByte(' ')
		}
		starts = append(starts, s.String())
	}
	cut := []string{
		"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf",
	}
	nonCharacters := []string{"\xef\xbf\xbe", "\xef\xbf\xbf"}
	for _, first := range []string{"\xf0", "\xf1", "\xf2", "\xf3", "\xf4"} {
		for _, second := range []string{"\x8f", "\x9f", "\xaf", "\xbf"} {
			if first == "\xf4" && second != "\x8f" || first == "\xf0" && second == "\x8f" {
				continue // beyond Unicode, overlong
			}
			nonCharacters = append(nonCharacters, first+second+"\xbf\xbe", first+second+"\xbf\xbf")
		}
	}
	groups := [][]string{
		{"hello$world", "hello¢world", "hello€world", "hello\U00024b62world", greek},
		prefixes,
		{"\x00", "\u0080", "\u0800", "\U00010000"},
		{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"},
		{"\x7f", "\u07ff", "\uffff", "\U0010ffff"},
		{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"},
		{"\ud7ff", "\ue000", "\ufffd", "\U0010ffff", beyond},
		append(continuations, all.String()),
		starts,
		cut,
		{strings.Join(cut, "")},
		{"\xfe", "\xff", "\xfe\xfe\xff\xff"},
		{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"},
		{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"},
		{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"},
		{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"},
		{
			"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
			"\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf",
		},
		nonCharacters,
		{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"},
	}
	var list []attempt
	for i, group := range groups {
		for j, payload := range group {
			a := echoed(fmt.Sprintf("6.%d.%d", i+5, j+1), whole, text(payload))
			if !utf8.ValidString(payload) {
				a.want, a.codes = nil, invalid
			}
			list = append(list, a)
		}
	}
	return list
}
