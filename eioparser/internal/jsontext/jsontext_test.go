package jsontext_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser/internal/jsontext"
)

func TestStringsAreWrittenAsByJSONStringify(t *testing.T) {
	tests := []struct{ text, want, separators string }{
		{"", `""`, `""`},
		{"abc", `"abc"`, `"abc"`},
		{`a"b\c/`, `"a\"b\\c/"`, `"a\"b\\c/"`},
		{"\b\f\n\r\t", `"\b\f\n\r\t"`, `"\b\f\n\r\t"`},
		{"\x00\x01\x0b\x1f\x7f", `"\u0000\u0001\u000b\u001f` + "\x7f\"", `"\u0000\u0001\u000b\u001f` + "\x7f\""},
		{"é€😀<>&", `"é€😀<>&"`, `"é€😀<>&"`},
		{"a\u2028b\u2029c\u202a", "\"a\u2028b\u2029c\u202a\"", `"a\u2028b\u2029c` + "\u202a\""},
		{"\xff", "\"\uFFFD\"", "\"\uFFFD\""},
		{"a\xe2\x80", "\"a\uFFFD\uFFFD\"", "\"a\uFFFD\uFFFD\""},
		{"\uFFFD", "\"\uFFFD\"", "\"\uFFFD\""},
	}
	for _, test := range tests {
		if got := jsontext.AppendString(nil, test.text, false); string(got) != test.want {
			t.Errorf("%q: %s", test.text, got)
		}
		if got := jsontext.AppendString(nil, []byte(test.text), true); string(got) != test.separators {
			t.Errorf("%q: %s, as JavaScript", test.text, got)
		}
	}
}

// Texts that are JSON, and pieces that are put where a value stands.
var values = []string{
	`0`, `-0`, `1`, `10`, `-1.5`, `0.0`, `1e5`, `1E-5`, `1.25e+10`, `""`, `"a"`, `"\u0041\n\"\\\/\b\f\r\t"`, `"é"`,
	`true`, `false`, `null`, `[]`, `{}`, `[1]`, `[[],{},[{}]]`, `{"a":{"b":[1,2,{"c":null}]},"d":""}`, ` [ 1 , 2 ] `, "\t{\n\"a\" : 1 }\r",
	`01`, `-`, `+1`, `.5`, `1.`, `1e`, `1e+`, `0x1`, `Infinity`, `NaN`, `tru`, `nul`, `True`, `'a'`, `"a`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\x01\"", `"\`,
	``, ` `, `[`, `]`, `{`, `}`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":1 "b":2}`, `{1:2}`, `{"a",1}`, `[}`, `{]`, `[1}`, `{"a":1]`,
	`,`, `:`, `1,2`, `[] []`, `{}{}`, `"a""b"`, `nulll`, `[1]]`, `{"a":1}}`,
}

func TestValuesAreAcceptedAsByTheStandardLibrary(t *testing.T) {
	for _, value := range values {
		for _, text := range []string{value, `{"k":` + value + `}`, `{"k":` + value + `,"l":[` + value + `]}`, `{"a":1,` + value + `:2}`} {
			var members int
			got := jsontext.Object([]byte(text), func(key, v []byte) bool {
				if !json.Valid(key) || !json.Valid(v) {
					t.Errorf("%s: member %s: %s", text, key, v)
				}
				members++
				return true
			})
			want := json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimLeft(text, " \t\n\r"), "{")
			if got != want {
				t.Errorf("%s: %t", text, got)
			}
		}
	}
}

func TestObjectEndsWhenTheCallerRefuses(t *testing.T) {
	calls := 0
	if jsontext.Object([]byte(`{"a":1,"b":2}`), func(_, _ []byte) bool { calls++; return false }) || calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestArrayHandsOutItsElements(t *testing.T) {
	tests := []struct {
		text string
		want string
		ok   bool
	}{
		{`[]`, "", true},
		{` [ ] `, "", true},
		{`[1, "a" ,[2,3],{"b":[]}]`, `1|"a"|[2,3]|{"b":[]}`, true},
		{`{}`, "", false},
		{`"a"`, "", false},
		{`1`, "", false},
	}
	for _, test := range tests {
		var got []string
		ok := jsontext.Array([]byte(test.text), func(v []byte) bool { got = append(got, string(v)); return true })
		if ok != test.ok || strings.Join(got, "|") != test.want {
			t.Errorf("%s: %q, %t", test.text, got, ok)
		}
	}
	if jsontext.Array([]byte(`[1]`), func([]byte) bool { return false }) {
		t.Error("an element that is refused is accepted")
	}
	for _, text := range []string{`[1`, `[1 2]`, `[x]`} {
		if jsontext.Array([]byte(text), func([]byte) bool { return true }) {
			t.Errorf("%s is an array", text)
		}
	}
}

func TestStringMeaning(t *testing.T) {
	tests := []struct {
		value, want string
		ok          bool
	}{
		{`""`, "", true},
		{`"abc"`, "abc", true},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", true},
		{`"\u0041\u00e9\u20AC"`, "Aé€", true},
		{`"\ud83d\ude00"`, "😀", true},
		{`"\ud83d"`, "\uFFFD", true},
		{`"\ude00x"`, "\uFFFDx", true},
		{`"\ud83d\u0041"`, "\uFFFDA", true},
		{`"\ud83d\ud83d\ude00"`, "\uFFFD😀", true},
		{`"\ud83dA"`, "\uFFFDA", true},
		{`1`, "", false},
		{`[]`, "", false},
		{`null`, "", false},
	}
	for _, test := range tests {
		got, ok := jsontext.String([]byte(test.value))
		if got != test.want || ok != test.ok {
			t.Errorf("%s: %q, %t", test.value, got, ok)
		}
	}
}

func TestKeysAreComparedByMeaning(t *testing.T) {
	tests := []struct {
		key  string
		want bool
	}{
		{`"sid"`, true},
		{`"\u0073\u0069\u0064"`, true},
		{`"s\u0069d"`, true},
		{`"SID"`, false},
		{`"sid "`, false},
		{`""`, false},
		{`"\u0073"`, false},
		{`"` + strings.Repeat(`\u0073`, 100) + `"`, false},
	}
	for _, test := range tests {
		if got := jsontext.Is([]byte(test.key), "sid"); got != test.want {
			t.Errorf("%s: %t", test.key, got)
		}
	}
}

func TestUintTakesDigitsOnly(t *testing.T) {
	tests := []struct {
		value string
		want  uint64
		ok    bool
	}{
		{"0", 0, true},
		{"9007199254740991", 1<<53 - 1, true},
		{"9007199254740992", 0, false},
		{"9999999999999999999", 0, false},
		{"10000000000000000000", 0, false},
		{"", 0, false},
		{"-1", 0, false},
		{"1.0", 0, false},
		{"1e3", 0, false},
		{`"1"`, 0, false},
		{"null", 0, false},
	}
	for _, test := range tests {
		got, ok := jsontext.Uint([]byte(test.value), 1<<53-1)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%s: %d, %t", test.value, got, ok)
		}
	}
}

func TestNestingNeitherRecursesNorAllocates(t *testing.T) {
	deep := []byte(`{"a":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + "}")
	allowed := []byte(`{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}")
	any := func(_, _ []byte) bool { return true }
	if got := testing.AllocsPerRun(10, func() {
		if jsontext.Object(deep, any) || !jsontext.Object(allowed, any) {
			t.Error("the limit is not 1,000")
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestATextCutShortIsRefused(t *testing.T) {
	text := `{"a":[1.5e3,{"b":"\u00e9\n"},null],"c":true}`
	for i := range text {
		if jsontext.Object([]byte(text[:i]), func(_, _ []byte) bool { return true }) {
			t.Errorf("%s is accepted", text[:i])
		}
	}
}
