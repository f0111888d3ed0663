package match_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/conformance/internal/match"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPacket(t *testing.T) {
	tests := map[string]struct {
		want, got string
		caps      match.Captures
		err       string
	}{
		"same text":                 {want: "4hello", got: "4hello", caps: match.Captures{}},
		"other text":                {want: "4hello", got: "4hellp", err: "instead of"},
		"white space is free":       {want: `42["a",1]`, got: `42["a", 1]`, caps: match.Captures{}},
		"key order is free":         {want: `0{"a":1,"b":2}`, got: `0{"b":2,"a":1}`, caps: match.Captures{}},
		"number spelling is free":   {want: `42["a",1000]`, got: `42["a",1e3]`, caps: match.Captures{}},
		"escapes are free":          {want: `42["é"]`, got: `42["\u00e9"]`, caps: match.Captures{}},
		"lone surrogate is kept":    {want: `42["\ud83d"]`, got: `42["` + "\ufffd" + `"]`, err: "instead of"},
		"masks":                     {want: `40/a,{"sid":"<sid>"}`, got: `40/a,{"sid":"xyz"}`, caps: match.Captures{"sid": "xyz"}},
		"mask needs a string":       {want: `40{"sid":"<sid>"}`, got: `40{"sid":1}`, err: "where <sid>"},
		"mask needs text":           {want: `40{"sid":"<sid>"}`, got: `40{"sid":""}`, err: "where <sid>"},
		"number mask in the head":   {want: `42<n>["q"]`, got: `4217["q"]`, caps: match.Captures{"n": "17"}},
		"number mask needs digits":  {want: `42<n>["q"]`, got: `42["q"]`, err: "does not look like"},
		"missing key":               {want: `0{"a":1}`, got: `0{}`, err: "$.a is missing"},
		"extra key":                 {want: `0{}`, got: `0{"a":1}`, err: "$.a is not expected"},
		"doubled key":               {want: `0{"a":1}`, got: `0{"a":1,"a":1}`, err: "occurs 2 times"},
		"array length":              {want: `42["a"]`, got: `42["a",1]`, err: "2 elements instead of 1"},
		"trailing bytes":            {want: `42["a"]`, got: `42["a"]x`, err: "after the value"},
		"truncated":                 {want: `42["a"]`, got: `42["a"`, err: "unexpected end"},
		"binary":                    {want: "<bin 01>", got: "<bin 01>", caps: match.Captures{}},
		"other binary":              {want: "<bin 01>", got: "<bin 02>", err: "different"},
		"any binary":                {want: "<bin>", got: "<bin 02>", caps: match.Captures{}},
		"binary instead of text":    {want: "41", got: "<bin 02>", err: "different"},
		"any value":                 {want: `42["a","<any>"]`, got: `42["a",{"b":[]}]`, caps: match.Captures{}},
		"JSON where none should be": {want: "40", got: `40{"sid":"x"}`, err: "one has JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			caps, err := match.Packet(tt.want, tt.got)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one about %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.caps, caps); diff != "" {
				t.Error(diff)
			}
		})
	}
}
