package sioparser_test

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
)

func TestAppendManyValues(t *testing.T) {
	relayed := parse(t, `["r",`+placeholder(1)+`]`, "unused", "R")
	a, err := values.Append(parse(t, `[`+placeholder(0)+`]`, "first"),
		"s", 1, true, nil, []byte("A"), point{1, 2}, relayed, sioparser.RawArg(` {"raw" : "\ud83d"} `), []any{[]byte("B")}, &relayed, (*sioparser.Args)(nil), int64(-1), uint64(1), false)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "len", a.Len(), 16)
	equalLists(t, "messages", event(t, a), []string{
		`55-["e",` + placeholder(0) + `,"s",1,true,null,` + placeholder(1) + `,{"X":1,"Y":2},"r",` + placeholder(2) +
			`,{"raw" : "\ud83d"},[` + placeholder(3) + `],"r",` + placeholder(4) + `,-1,1,false]`,
		"first", "A", "R", "B", "R",
	})
}

func TestBindPartially(t *testing.T) {
	a := parse(t, `["x",{"X":1,"Y":2},[3],"last"]`)
	var s string
	var p point
	if err := values.Bind(a, &s, &p); err != nil {
		t.Fatal(err)
	}
	equal(t, "first", s, "x")
	equal(t, "second", p, point{1, 2})
	var last string
	if err := values.Bind(a, nil, nil, nil, &last); err != nil {
		t.Fatal(err)
	}
	equal(t, "last", last, "last")
	if err := values.Bind(a); err != nil {
		t.Fatal(err)
	}
}

func TestBindMissing(t *testing.T) {
	n, s, p, x := 5, "s", &point{}, any(1)
	if err := values.Bind(parse(t, `[7]`), &n, &s, nil, &p, &x); err != nil {
		t.Fatal(err)
	}
	if n != 7 || s != "" || p != nil || x != nil {
		t.Errorf("got %v, %q, %v, %v", n, s, p, x)
	}
	for _, ptr := range []any{5, (*int)(nil), "x", (*string)(nil), (*any)(nil), (*sioparser.Args)(nil), (*sioparser.RawArg)(nil)} {
		for _, array := range []string{`[]`, `[1]`, `["x"]`} {
			var e *sioparser.ArgError
			if err := values.Bind(parse(t, array), ptr); !errors.As(err, &e) || e.Index != 0 {
				t.Errorf("Bind(%s, %T): %v", array, ptr, err)
			}
		}
	}
}

// A proxy takes the arguments that it does not care about as they stand.
func TestBindRaw(t *testing.T) {
	a := parse(t, `["x" , {"a" : `+placeholder(1)+`, "\u0062":1.0},3]`, "A", "B")
	var raw sioparser.RawArg
	var rest sioparser.Args
	if err := values.Bind(a, nil, &rest, &raw); err != nil {
		t.Fatal(err)
	}
	equal(t, "raw", string(raw), `3`)
	equalLists(t, "rest", event(t, rest), []string{`51-["e",{"a" : ` + placeholder(0) + `, "\u0062":1.0}]`, "B"})
	if err := values.Bind(a, nil, &raw); err != nil {
		t.Fatal(err)
	}
	equal(t, "raw", string(raw), `{"a" : `+placeholder(1)+`, "\u0062":1.0}`)
	type holder struct {
		A sioparser.RawArg
		B jsontext.Value
	}
	h := bind[holder](t, `{"A":{"x":[1 , 2]},"B":[1 , 2]}`)
	equal(t, "nested", fmt.Sprintf("%s %s", h.A, h.B), `{"x":[1 , 2]} [1 , 2]`)
	emits(t, holder{sioparser.RawArg(`{"x":1}`), jsontext.Value(`2`)}, `{"A":{"x":1},"B":2}`)
}

func TestAppendRawArgErrors(t *testing.T) {
	for _, raw := range []string{``, ` `, `1,2`, `[`, `]`, `1]`, "\"\xff\"", `{"a"}`, `nul`} {
		dst := parse(t, `["before"]`)
		a, err := values.Append(dst, "x", sioparser.RawArg(raw))
		var e *sioparser.ArgError
		if !errors.As(err, &e) {
			t.Errorf("%q: got %s, %v", raw, a.Raw(), err)
			continue
		}
		equal(t, "index", e.Index, 1)
		equal(t, "dst", string(a.Raw()), `"before"`)
		if !strings.HasPrefix(err.Error(), "sioparser: argument 1: ") {
			t.Error(err)
		}
	}
}

func TestLimitRawArgDepth(t *testing.T) {
	nested := func(levels int) sioparser.RawArg {
		return sioparser.RawArg(strings.Repeat("[", levels) + strings.Repeat("]", levels))
	}
	if _, err := values.Append(sioparser.Args{}, nested(sioparser.DefaultDepth-1)); err != nil {
		t.Error(err)
	}
	if _, err := values.Append(sioparser.Args{}, nested(sioparser.DefaultDepth)); !errors.Is(err, sioparser.ErrDepth) {
		t.Error(err)
	}
}

// What failed leaves nothing behind: neither in the result nor in the pool.
func TestAppendAfterError(t *testing.T) {
	before, err := values.Append(sioparser.Args{}, []byte("A"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		a, err := values.Append(before, []any{[]byte("B"), []byte("C"), func() {}})
		if err == nil {
			t.Fatal("no error")
		}
		equalLists(t, "dst", event(t, a), []string{`51-["e",` + placeholder(0) + `]`, "A"})
		a, err = values.Append(before, []any{[]byte("D")})
		if err != nil {
			t.Fatal(err)
		}
		equalLists(t, "next", event(t, a), []string{`52-["e",` + placeholder(0) + `,[` + placeholder(1) + `]]`, "A", "D"})
	}
}

func TestBindErrors(t *testing.T) {
	a := parse(t, `["x",1,`+placeholder(0)+`,{"A":`+placeholder(0)+`}]`, "A")
	for i, ptrs := range [][]any{
		{new(int)},
		{new(string), new(string)},
		{nil, nil, new(string)},
		{nil, nil, nil, new(struct{ A []int })},
	} {
		err := values.Bind(a, ptrs...)
		var e *sioparser.ArgError
		var semantic *json.SemanticError
		if !errors.As(err, &e) || !errors.As(err, &semantic) || e.Index != len(ptrs)-1 {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

// Numbers of few digits are read by a way of their own.
func TestBindNumbersToAny(t *testing.T) {
	numbers := []string{
		"0", "0.0", "0e0", "1.5e3", "1E-7", "1e+2", "0.1", "0.30000000000000004", "0.0000000000001", "0.000000000000000", "99999999999999.9",
		"9007199254740993", "999999999999999", "999999999999999.9", "1234567890123456", "12345678901234567", "123456789012345678901", "1712345678901",
	}
	for n := range 20_000 {
		numbers = append(numbers, fmt.Sprintf("%d.%0*d", n%97, n%14+1, n))
	}
	for _, unsigned := range numbers {
		for _, text := range []string{unsigned, "-" + unsigned} {
			want, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			var alone, among any
			if err := values.Bind(parse(t, "["+text+",["+text+" ,1]]"), &alone, &among); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for _, got := range []any{alone, among.([]any)[0]} {
				if f, ok := got.(float64); !ok || math.Float64bits(f) != math.Float64bits(want) {
					t.Errorf("%s is read as %v", text, got)
				}
			}
		}
	}
}

// A string ends at its first quote that is not escaped, wherever in a word of eight
// bytes it stands.
func TestBindStringsToAny(t *testing.T) {
	for _, end := range []string{"", `\"`, `\\`, `\\\"`, `é\n`, "😀", `x\u0000y`} {
		for n := range 40 {
			text := `"` + strings.Repeat("x", n) + end + `"`
			want, err := strconv.Unquote(strings.ReplaceAll(text, `\u0000`, `\x00`))
			if err != nil {
				t.Fatal(err)
			}
			var alone, among any
			if err := values.Bind(parse(t, "["+text+",{"+text+":["+text+"]}]"), &alone, &among); err != nil {
				t.Fatal(err)
			}
			list, _ := among.(map[string]any)[want].([]any)
			if alone != want || len(list) != 1 || list[0] != want {
				t.Errorf("%s is read as %q, %q", text, alone, among)
			}
		}
	}
}

// The same attachment may be asked for again, and in any order.
func TestBindAttachmentsInAnyOrder(t *testing.T) {
	a := parse(t, `[`+placeholder(2)+`,[`+placeholder(0)+`,`+placeholder(2)+`],{"x":{"y":`+placeholder(1)+`}}]`, "A", "B", "C").Slice(1, 3)
	var list [][]byte
	var deep struct {
		X struct{ Y []byte } `json:"x"`
	}
	if err := values.Bind(a, &list, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "list", fmt.Sprintf("%s", list), "[A C]")
	if err := values.Bind(a, nil, &deep); err == nil {
		equal(t, "case matters", deep.X.Y == nil, true)
	}
	var tagged struct {
		X struct {
			Y sioparser.Binary `json:"y"`
		} `json:"x"`
	}
	if err := values.Bind(a, nil, &tagged); err != nil {
		t.Fatal(err)
	}
	equal(t, "deep", string(tagged.X.Y), "B")
	var first, second any
	if err := values.Bind(a, &first, &second); err != nil {
		t.Fatal(err)
	}
	equal(t, "any", fmt.Sprintf("%s %s", first, second), "[A C] map[x:map[y:B]]")
}

// Any depth that a decoder lets in can be bound; deeper text from elsewhere is
// an error, not a crash.
func TestBindDepth(t *testing.T) {
	nested := func(n int) sioparser.Args {
		d := sioparser.Text.NewDecoder(sioparser.Limits{Depth: -1})
		p, err := d.Decode([]byte(`2["x",`+strings.Repeat(`[`, n)+strings.Repeat(`]`, n)+`]`), false)
		if err != nil {
			t.Fatal(err)
		}
		return p.Args
	}
	var v any
	if err := values.Bind(nested(10_000), &v); err != nil {
		t.Error(err)
	}
	err := values.Bind(nested(10_001), &v)
	if !errors.Is(err, sioparser.ErrDepth) {
		t.Errorf("got %v", err)
	}
	object := strings.Repeat(`{"a":`, 20_000) + `1` + strings.Repeat(`}`, 20_000)
	d := sioparser.Text.NewDecoder(sioparser.Limits{Depth: -1})
	p, err := d.Decode([]byte(`2["x",`+object+`]`), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := values.Bind(p.Args, &v); !errors.Is(err, sioparser.ErrDepth) {
		t.Errorf("got %v", err)
	}
	var typed struct{ A any }
	if err := values.Bind(p.Args, &typed); err == nil {
		t.Error("no error")
	}
}

// Options of the user's take precedence, also over those for bytes.
func TestJSONOptions(t *testing.T) {
	custom := sioparser.JSON(
		json.FormatNilSliceAsNull(true),
		json.MatchCaseInsensitiveNames(true),
		json.Deterministic(true),
		json.WithMarshalers(json.JoinMarshalers(
			json.MarshalToFunc(func(enc *jsontext.Encoder, d time.Duration) error {
				return enc.WriteToken(jsontext.String(d.String()))
			}),
			json.MarshalToFunc(func(enc *jsontext.Encoder, s string) error {
				return enc.WriteToken(jsontext.String(strings.ToUpper(s)))
			}),
			json.MarshalToFunc(func(enc *jsontext.Encoder, p point) error {
				return json.MarshalEncode(enc, []byte{byte(p.X)})
			}),
		)),
		json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, d *time.Duration) error {
			var s string
			err := json.UnmarshalDecode(dec, &s)
			if err == nil {
				*d, err = time.ParseDuration(s)
			}
			return err
		})),
	)
	a, err := custom.Append(sioparser.Args{}, []int(nil), time.Second, "up", point{65, 0}, map[string]any{"b": 1, "a": []byte("x")}, []byte("y"))
	if err != nil {
		t.Fatal(err)
	}
	equalLists(t, "messages", event(t, a), []string{
		`53-["e",null,"1s","UP",` + placeholder(0) + `,{"A":` + placeholder(1) + `,"B":1},` + placeholder(2) + `]`, "A", "x", "y",
	})
	var d time.Duration
	var p point
	var x any
	var list []any
	if err := custom.Bind(parse(t, `["2s",{"x":1,"y":2},{"k":`+placeholder(0)+`},[`+placeholder(0)+`]]`, "A"), &d, &p, &x, &list); err != nil {
		t.Fatal(err)
	}
	equal(t, "duration", d, 2*time.Second)
	equal(t, "point", p, point{1, 2})
	equal(t, "any", fmt.Sprintf("%s %s", x, list), "map[k:A] [A]")
}

// White space that options ask for does not disturb the placeholders.
func TestJSONOptionsIndent(t *testing.T) {
	custom := sioparser.JSON(jsontext.WithIndent("  "))
	a, err := custom.Append(sioparser.Args{}, []any{[]byte("A"), map[string]any{"b": []byte("B")}}, 1, []byte("C"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "len", a.Len(), 3)
	got := event(t, a)
	equalLists(t, "attachments", got[1:], []string{"A", "B", "C"})
	var v any
	var c []byte
	if err := values.Bind(a, &v, nil, &c); err != nil {
		t.Fatal(err)
	}
	equal(t, "bound", fmt.Sprintf("%s %s", v, c), "[A map[b:B]] C")
}

// A user's marshaler for []byte keeps bytes in the text.
func TestJSONOptionsOwnBytes(t *testing.T) {
	custom := sioparser.JSON(json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, b []byte) error {
		return enc.WriteToken(jsontext.String(fmt.Sprintf("%x", b)))
	})))
	a, err := custom.Append(sioparser.Args{}, []byte("A"), []any{[]byte("B")})
	if err != nil {
		t.Fatal(err)
	}
	equalLists(t, "messages", event(t, a), []string{`2["e","41",["42"]]`})
}

// Values is safe for concurrent use, also inside a marshaler.
func TestValuesConcurrently(t *testing.T) {
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf("%d/%d", i, j)
				a, err := values.Append(sioparser.Args{}, nesting{[]byte(want)})
				if err != nil {
					t.Error(err)
					return
				}
				var got map[string][]byte
				if err := values.Bind(a, &got); err != nil {
					t.Error(err)
					return
				}
				equal(t, "bytes", string(got["outer"]), want)
			}
		})
	}
	wait.Wait()
}

// nesting marshals something else while it is being marshaled.
type nesting struct{ data []byte }

func (n nesting) MarshalJSONTo(enc *jsontext.Encoder) error {
	if _, err := values.Append(sioparser.Args{}, []any{[]byte("inner")}); err != nil {
		return err
	}
	return json.MarshalEncode(enc, map[string][]byte{"outer": n.data})
}

// A panic of a user's marshaler is the user's; Values works on.
func TestValuesAfterPanic(t *testing.T) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		values.Append(sioparser.Args{}, []any{[]byte("x"), panics{}})
	}()
	emits(t, []any{[]byte("A")}, `[`+placeholder(0)+`]`, "A")
}

type panics struct{}

func (panics) MarshalJSONTo(*jsontext.Encoder) error { panic("user") }

// Types that refer to themselves have an end.
func TestRecursiveTypes(t *testing.T) {
	type tree struct {
		Leaf  string           `json:"leaf,omitempty"`
		Nodes []*tree          `json:"nodes,omitempty"`
		Index map[string]*tree `json:"index,omitempty"`
	}
	emits(t, tree{Nodes: []*tree{{Leaf: "a"}}}, `{"nodes":[{"leaf":"a"}]}`)
	type bytesTree struct {
		Next *bytesTree `json:"next,omitempty"`
		Data []byte     `json:"data,omitzero"`
	}
	emits(t, bytesTree{Next: &bytesTree{Data: []byte("A")}}, `{"next":{"data":`+placeholder(0)+`}}`, "A")
	equal(t, "bound", string(bind[bytesTree](t, `{"next":{"data":`+placeholder(0)+`}}`, "A").Next.Data), "A")
}

func TestAppendLargeValues(t *testing.T) {
	large := strings.Repeat("x", 200_000)
	a, err := values.Append(sioparser.Args{}, []string{large}, []string{"small"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "raw", string(a.Raw()), `["`+large+`"],["small"]`)
}

// Payloads have no attachments: bytes in them are base64.
func TestPayloadJSON(t *testing.T) {
	text, err := values.AppendJSON([]byte("4"), map[string]any{"message": []byte("A")})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "text", string(text), `4{"message":"QQ=="}`)
	var v struct {
		Token string `json:"token"`
		N     time.Duration
	}
	if err := values.BindJSON([]byte(`{"token":"\ud83d","token":"t","N":5}`), &v); err != nil {
		t.Fatal(err)
	}
	equal(t, "token", v.Token, "t")
	text, err = values.AppendJSON(nil, map[string]stdjson.Number{"n": "1.50"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "text", string(text), `{"n":1.50}`)
	var number map[string]stdjson.Number
	if err := values.BindJSON(text, &number); err != nil {
		t.Fatal(err)
	}
	equal(t, "number", number["n"], "1.50")
	if text, err := values.AppendJSON([]byte("4"), func() {}); err == nil || string(text) != "4" {
		t.Errorf("got %s, %v", text, err)
	}
	if err := values.BindJSON([]byte(`{`), &v); err == nil {
		t.Error("no error")
	}
}

// A nil *Values is one without options.
func TestNilValues(t *testing.T) {
	var none *sioparser.Values
	a, err := none.Append(sioparser.Args{}, point{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	var p point
	if err := none.Bind(a, &p); err != nil {
		t.Fatal(err)
	}
	equal(t, "point", p, point{1, 2})
	if text, err := none.AppendJSON(nil, 1); err != nil || string(text) != "1" {
		t.Error(string(text), err)
	}
	if err := none.BindJSON([]byte(`{"X":3}`), &p); err != nil || p.X != 3 {
		t.Error(p, err)
	}
}

// What stands in an attachment's place may be read as any type that it is not:
// an error, or nothing.
func TestBindAttachmentMismatch(t *testing.T) {
	a := parse(t, `[[`+placeholder(0)+`],{"A":{"x":1}}]`, "A")
	var numbers []int
	if err := values.Bind(a, &numbers); err == nil {
		t.Errorf("bound to %v", numbers)
	}
	var held struct{ A []byte }
	if err := values.Bind(a, nil, &held); err == nil {
		t.Errorf("bound to %s", held.A)
	}
}

// Escapes of all kinds in names and strings.
func TestUnescape(t *testing.T) {
	text := `"\"\\\/\b\f\n\r\t\u0041\u00e9\u6f22\ud83d\ude00\uD83D\uDE00x"`
	want := "\"\\/\b\f\n\r\tAé漢😀😀x"
	equal(t, "string", bind[string](t, text), want)
	p, err := decode(t, sioparser.Limits{}, message{data: []byte(`2[` + text + `]`)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "name", string(p.Name), want)
	equal(t, "key", bind[map[string]int](t, `{`+text+`:1}`)[want], 1)
	equal(t, "key in an any", bind[any](t, `{`+text+`:1}`).(map[string]any)[want], any(1.0))
}

// One pooled encoder writes very many values of all sizes one after the other.
func TestAppendManyTimes(t *testing.T) {
	type pair struct {
		S string
		B []byte
	}
	var a sioparser.Args
	for i := range 3000 {
		size := i * i % 3001
		s, b := strings.Repeat("s", size), []byte(fmt.Sprint(i))
		var err error
		if a, err = values.Append(a.Reset(), []string{s}, []any{pair{s, b}, b}, point{i, size}); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf(`52-["e",[%q],[{"S":%q,"B":%s},%s],{"X":%d,"Y":%d}]`, s, s, placeholder(0), placeholder(1), i, size)
		equalLists(t, "messages", event(t, a), []string{want, string(b), string(b)})
	}
}
