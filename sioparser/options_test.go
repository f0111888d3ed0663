package sioparser_test

import (
	stdjson "encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
)

var values = sioparser.JSON()

// bind binds the one argument to a T.
func bind[T any](t *testing.T, argument string, attachments ...string) T {
	t.Helper()
	var v T
	if err := values.Bind(parse(t, `[`+argument+`]`, attachments...), &v); err != nil {
		t.Errorf("%s: %v", argument, err)
	}
	return v
}

// refuses wants an error when the argument is bound to a T.
func refuses[T any](t *testing.T, argument string) {
	t.Helper()
	var v T
	if err := values.Bind(parse(t, `[`+argument+`]`), &v); err == nil {
		t.Errorf("%s: bound to %v, want an error", argument, v)
	}
}

// emits wants value to be written as want, with the attachments.
func emits(t *testing.T, value any, want string, attachments ...string) {
	t.Helper()
	a, err := values.Append(sioparser.Args{}, value)
	if err != nil {
		t.Errorf("%v: %v", value, err)
		return
	}
	equal(t, fmt.Sprintf("%T", value), string(a.Raw()), want)
	equalLists(t, "messages", event(t, a), append([]string{strings.Replace(head(len(attachments)), "%", want, 1)}, attachments...))
}

// head is an event packet with one argument.
func head(attachments int) string {
	if attachments == 0 {
		return `2["e",%]`
	}
	return fmt.Sprintf(`5%d-["e",%%]`, attachments)
}

// emitsNot wants an error.
func emitsNot(t *testing.T, value any) {
	t.Helper()
	if a, err := values.Append(sioparser.Args{}, value); err == nil {
		t.Errorf("%T: written as %s, want an error", value, a.Raw())
	}
}

type point struct{ X, Y int }

type rule struct {
	line string
	test func(t *testing.T)
}

var binding = []rule{
	{"keys match names exactly, unknown keys are ignored", func(t *testing.T) {
		equal(t, "point", bind[point](t, `{"x":1,"Y":2,"Z":3}`), point{0, 2})
	}},
	{"of equal keys the last one counts, though objects bound to one struct or map member are merged", func(t *testing.T) {
		equal(t, "point", bind[point](t, `{"X":1,"X":2}`), point{2, 0})
		equal(t, "any", fmt.Sprint(bind[any](t, `{"a":{"X":1},"a":{"Y":2}}`)), `map[a:map[Y:2]]`)
		equal(t, "map", fmt.Sprint(bind[map[string]int](t, `{"X":1,"X":2}`)), `map[X:2]`)
		equal(t, "map of struct", bind[map[string]point](t, `{"a":{"X":1},"a":{"Y":2}}`)["a"], point{1, 2})
		equal(t, "struct of struct", bind[struct{ A point }](t, `{"A":{"X":1},"A":{"Y":2}}`).A, point{1, 2})
	}},
	{"null is the zero value", func(t *testing.T) {
		n, s, p := 5, []byte("x"), &point{}
		if err := values.Bind(parse(t, `[null,null,null]`), &n, &s, &p); err != nil || n != 0 || s != nil || p != nil {
			t.Error(n, s, p, err)
		}
	}},
	{"integers keep all digits and must fit, a fraction or an exponent is an error", func(t *testing.T) {
		equal(t, "uint64", bind[uint64](t, `18446744073709551615`), math.MaxUint64)
		equal(t, "int64", bind[int64](t, `-9223372036854775808`), math.MinInt64)
		refuses[uint64](t, `18446744073709551616`)
		refuses[int8](t, `128`)
		refuses[uint](t, `-1`)
		refuses[int](t, `1.0`)
		refuses[int](t, `1e2`)
	}},
	{"a number out of float64's range is an error", func(t *testing.T) {
		refuses[float64](t, `1e400`)
		refuses[any](t, `1e400`)
		refuses[any](t, `[{"a":-1e400}]`)
	}},
	{"a string is not a number and a number is no string", func(t *testing.T) {
		refuses[int](t, `"1"`)
		refuses[string](t, `1`)
	}},
	{"lone surrogates become U+FFFD", func(t *testing.T) {
		for _, text := range []string{`"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ud83d\ud83d"`} {
			want := "\uFFFD"
			if strings.HasSuffix(text, `41"`) {
				want += "A"
			}
			if strings.HasSuffix(text, `\ud83d\ud83d"`) {
				want += want
			}
			equal(t, "string", bind[string](t, text), want)
			equal(t, "any", bind[any](t, text), any(want))
			equal(t, "member", bind[map[string]string](t, `{"a":`+text+`}`)["a"], want)
			equal(t, "element of an any", bind[any](t, `[`+text+`]`).([]any)[0], any(want))
		}
		equal(t, "a pair", bind[string](t, `"\ud83d\ude00"`), "😀")
	}},
	{"an attachment becomes a []byte or Binary, in an any a []byte", func(t *testing.T) {
		equal(t, "bytes", string(bind[[]byte](t, placeholder(1), "A", "B")), "B")
		equal(t, "Binary", string(bind[sioparser.Binary](t, placeholder(0), "A")), "A")
		equal(t, "pointer", string(*bind[*[]byte](t, placeholder(0), "A")), "A")
		equal(t, "any", string(bind[any](t, placeholder(0), "A").([]byte)), "A")
		type nested struct {
			A []sioparser.Binary
			B map[string][]byte
			C any
			D []any
		}
		v := bind[nested](t, `{"A":[`+placeholder(0)+`,null],"B":{"b":`+placeholder(1)+`},"C":{"c":`+placeholder(2)+`},"D":[`+placeholder(0)+`]}`, "A", "B", "C")
		equal(t, "nested", fmt.Sprintf("%s", v), `{[A ] map[b:B] map[c:C] [A]}`)
		// In a plain packet it is data, and data is not bytes.
		refuses[[]byte](t, placeholder(0))
		refuses[struct{ A []byte }](t, `{"A":`+placeholder(0)+`}`)
		equal(t, "data", fmt.Sprint(bind[any](t, placeholder(0))), `map[_placeholder:true num:0]`)
	}},
	{"a []byte takes a base64 string too", func(t *testing.T) {
		equal(t, "alone", string(bind[[]byte](t, `"AQID"`)), "\x01\x02\x03")
		equal(t, "beside attachments", string(bind[[][]byte](t, `["AQID",`+placeholder(0)+`]`, "A")[0]), "\x01\x02\x03")
		refuses[[]byte](t, `"?"`)
		refuses[[]byte](t, `[1,2]`)
		refuses[sioparser.Binary](t, `{"x":1}`)
	}},
	{"an array must have exactly as many elements as its Go array", func(t *testing.T) {
		equal(t, "array", bind[[2]int](t, `[1,2]`), [2]int{1, 2})
		refuses[[2]int](t, `[1]`)
		refuses[[2]int](t, `[1,2,3]`)
	}},
	{"a time.Duration is a number of nanoseconds, a time.Time an RFC 3339 string", func(t *testing.T) {
		equal(t, "duration", bind[time.Duration](t, `1500000000`), 1500*time.Millisecond)
		equal(t, "time", bind[time.Time](t, `"2024-01-02T03:04:05.678Z"`).UnixMilli(), 1704164645678)
		refuses[time.Duration](t, `"1s"`)
	}},
	{"an encoding/json.Number takes a number or a string", func(t *testing.T) {
		equal(t, "number", bind[stdjson.Number](t, `1.50`), "1.50")
		equal(t, "string", bind[stdjson.Number](t, `"1.50"`), "1.50")
		equal(t, "member", bind[map[string]stdjson.Number](t, `{"a":18446744073709551616}`)["a"], "18446744073709551616")
		refuses[stdjson.Number](t, `true`)
	}},
	{"an any takes nil, bool, float64, string, []any and map[string]any", func(t *testing.T) {
		v := bind[any](t, ` [ null , true , false , -0.5e1 , 12 , "a\n" , [ ] , { } , { "k" : [ 1 ] , "l" : "" } ] `)
		equal(t, "any", fmt.Sprintf("%#v", v), fmt.Sprintf("%#v", []any{
			nil, true, false, -5.0, 12.0, "a\n", []any{}, map[string]any{}, map[string]any{"k": []any{1.0}, "l": ""},
		}))
		type holder struct{ A any }
		equal(t, "member", fmt.Sprintf("%#v", bind[holder](t, `{"A":[1]}`).A), fmt.Sprintf("%#v", []any{1.0}))
	}},
}

var emitting = []rule{
	{"a []byte or Binary becomes an attachment at any depth", func(t *testing.T) {
		emits(t, []byte("A"), placeholder(0), "A")
		emits(t, sioparser.Binary("A"), placeholder(0), "A")
		b := []byte("A")
		emits(t, &b, placeholder(0), "A")
		emits(t, struct {
			A any
			B []sioparser.Binary
			C map[string][]byte
			D *[]byte
		}{[]any{1, b}, []sioparser.Binary{sioparser.Binary("B"), nil}, map[string][]byte{"c": []byte("C")}, &b},
			`{"A":[1,`+placeholder(0)+`],"B":[`+placeholder(1)+`,null],"C":{"c":`+placeholder(2)+`},"D":`+placeholder(3)+`}`,
			"A", "B", "C", "A")
	}},
	{"a nil []byte or Binary is null, an empty one an empty attachment", func(t *testing.T) {
		emits(t, []byte(nil), `null`)
		emits(t, sioparser.Binary(nil), `null`)
		emits(t, []byte{}, placeholder(0), "")
		emits(t, []any{[]byte(nil), sioparser.Binary{}}, `[null,`+placeholder(0)+`]`, "")
	}},
	{"what MarshalJSONTo writes is searched for bytes, the text of MarshalJSON is not", func(t *testing.T) {
		emits(t, streams{[]byte("A")}, `{"data":`+placeholder(0)+`}`, "A")
		emits(t, []any{&streams{[]byte("A")}, 1}, `[{"data":`+placeholder(0)+`},1]`, "A")
		emits(t, finished{[]byte("A")}, `{"data":"QQ=="}`)
		emits(t, []any{finished{[]byte("A")}}, `[{"data":"QQ=="}]`)
	}},
	{"other named byte slices and byte arrays are base64 strings", func(t *testing.T) {
		type blob []byte
		emits(t, blob("A"), `"QQ=="`)
		emits(t, [1]byte{'A'}, `"QQ=="`)
	}},
	{"a nil slice is [], a nil map {}, a nil pointer or interface null", func(t *testing.T) {
		emits(t, []int(nil), `[]`)
		emits(t, map[string]int(nil), `{}`)
		emits(t, (*int)(nil), `null`)
		emits(t, []any{nil}, `[null]`)
		emits(t, nil, `null`)
	}},
	{"integers have all their digits", func(t *testing.T) {
		emits(t, uint64(math.MaxUint64), `18446744073709551615`)
		emits(t, int64(math.MinInt64), `-9223372036854775808`)
		emits(t, []any{uint64(math.MaxUint64), int8(-1), uint8(1)}, `[18446744073709551615,-1,1]`)
		emits(t, 42, `42`)
	}},
	{"floats are written as JavaScript writes them", func(t *testing.T) {
		emits(t, []float64{1, 0.1, 1e20, 1e21, 1e-6, 1e-7, 123456789.125}, `[1,0.1,100000000000000000000,1e+21,0.000001,1e-7,123456789.125]`)
		emits(t, 0.5, `0.5`)
		emits(t, float32(0.1), `0.1`)
	}},
	{"NaN and infinities are an error", func(t *testing.T) {
		for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			emitsNot(t, f)
			emitsNot(t, map[string]any{"a": f})
		}
	}},
	{"invalid UTF-8 becomes U+FFFD", func(t *testing.T) {
		emits(t, "a\xffb", "\"a\uFFFDb\"")
		emits(t, map[string]string{"k\xed\xa0\x80": "\xc3"}, "{\"k\uFFFD\uFFFD\uFFFD\":\"\uFFFD\"}")
	}},
	{"nothing is escaped that JSON does not ask for", func(t *testing.T) {
		emits(t, "<&>\u2028\x7f/é😀", "\"<&>\u2028\x7f/é😀\"")
		emits(t, []string{"<&>\u2028\x7f/é😀"}, "[\"<&>\u2028\x7f/é😀\"]")
		emits(t, "\x00\x1f\"\\\n\t", `"\u0000\u001f\"\\\n\t"`)
		emits(t, []string{"\x00\x1f\"\\\n\t"}, `["\u0000\u001f\"\\\n\t"]`)
	}},
	{"a time.Duration is a number of nanoseconds, a time.Time an RFC 3339 string", func(t *testing.T) {
		emits(t, time.Second, `1000000000`)
		emits(t, time.UnixMilli(1704164645678).UTC(), `"2024-01-02T03:04:05.678Z"`)
		emits(t, struct{ D time.Duration }{5}, `{"D":5}`)
	}},
	{"an encoding/json.Number is a number", func(t *testing.T) {
		emits(t, stdjson.Number("1.50"), `1.50`)
		emits(t, []any{stdjson.Number("18446744073709551616"), stdjson.Number("-1")}, `[18446744073709551616,-1]`)
		emits(t, map[stdjson.Number]int{"1": 2}, `{"1":2}`)
		emits(t, stdjson.Number(""), `0`)
		emitsNot(t, stdjson.Number("x"))
		emitsNot(t, stdjson.Number("1 2"))
		emitsNot(t, stdjson.Number(`"1"`))
	}},
	{"equal keys from a MarshalJSON are an error", func(t *testing.T) {
		emitsNot(t, stdjson.RawMessage(`{"a":1,"a":2}`))
		emitsNot(t, jsontext.Value(`{"a":1,"a":2}`))
	}},
	{"nesting beyond 10,000 levels and cycles are an error", func(t *testing.T) {
		var deep any
		for range 10_001 {
			deep = []any{deep}
		}
		emitsNot(t, deep)
		cycle := map[string]any{}
		cycle["self"] = cycle
		emitsNot(t, cycle)
	}},
	{"functions, channels and complex numbers are an error", func(t *testing.T) {
		emitsNot(t, func() {})
		emitsNot(t, make(chan int))
		emitsNot(t, complex(1, 2))
	}},
}

// streams writes its bytes through the encoder.
type streams struct{ data []byte }

func (s streams) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	if err := enc.WriteToken(jsontext.String("data")); err != nil {
		return err
	}
	if err := json.MarshalEncode(enc, s.data); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

// finished makes its text alone.
type finished struct{ data []byte }

func (f finished) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]byte{"data": f.data})
}

func TestBinding(t *testing.T)  { testRules(t, "Binding", binding) }
func TestEmitting(t *testing.T) { testRules(t, "Emitting", emitting) }

// testRules runs the rules and holds the package documentation to them, line
// by line.
func testRules(t *testing.T, section string, rules []rule) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "// # "+section+"\n")
	if !found {
		t.Fatal("no such section in doc.go")
	}
	rest, _, _ = strings.Cut(rest, "// # ")
	var lines []string
	for line := range strings.Lines(rest) {
		if line, found := strings.CutPrefix(line, "//   - "); found {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	var tested []string
	for _, r := range rules {
		tested = append(tested, r.line)
		t.Run(r.line, r.test)
	}
	equalLists(t, "lines of doc.go", lines, tested)
}
