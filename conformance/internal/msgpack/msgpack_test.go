package msgpack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/conformance/internal/msgpack"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatIsAppendedReadsAsJSON(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := map[string]struct {
		value any
		want  string
	}{
		"nil":            {nil, `null`},
		"booleans":       {[]any{true, false}, `[true,false]`},
		"small integers": {[]any{0, 127, -1, -32}, `[0,127,-1,-32]`},
		"integers":       {[]any{128, 65536, -33, 1 << 40, -1 << 40}, `[128,65536,-33,1099511627776,-1099511627776]`},
		"float":          {1.5, `1.5`},
		"strings":        {[]any{"", "é", long}, `["","é","` + long + `"]`},
		"binary":         {[]byte{1, 2}, `{"type":"Buffer","data":[1,2]}`},
		"map":            {msgpack.Map{"a", 1, "b", []any{}}, `{"a":1,"b":[]}`},
		"undefined":      {msgpack.Map{"a", msgpack.Raw{0xd4, 0, 0}, "b", []any{msgpack.Raw{0xd4, 0, 0}}}, `{"b":[null]}`},
		"raw":            {[]any{msgpack.Raw{0xd0, 0x80}}, `[-128]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := msgpack.JSON(msgpack.Append(nil, tt.value))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokenInputIsAnError(t *testing.T) {
	for name, data := range map[string]string{
		"empty":            "",
		"short string":     "\xa5ab",
		"short array":      "\x93\x01",
		"trailing bytes":   "\x01\x02",
		"reserved":         "\xc1",
		"extension":        "\xd4\x01\x02",
		"deep":             strings.Repeat("\x91", 2000) + "\xc0",
		"length too large": "\xdb\xff\xff\xff\xffab",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := msgpack.JSON([]byte(data)); err == nil {
				t.Errorf("read as %s", got)
			}
		})
	}
}
