package sioparser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
)

func placeholder(num int) string {
	return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, num)
}

// Arguments of every kind, with brackets, quotes and commas where a careless
// splitter would trip, and more of them than the remembered boundaries.
var boundaries = []string{
	`1`, `"a,b]"`, `[1,[2,"]"],{}]`, `{"a,":"}","b":[",\\"]}`, `"\"\\"`, `null`, `-1.5e+3`, `{}`, `[]`, `""`, `false`, `"é😀"`,
}

func TestArgsBoundaries(t *testing.T) {
	for n := range len(boundaries) + 1 {
		for _, comma := range []string{",", " ,", ", ", "\n\t,\r "} {
			a := parse(t, "[ "+strings.Join(boundaries[:n], comma)+" ]")
			equal(t, "len", a.Len(), n)
			equalLists(t, "args", raws(a), boundaries[:n])
			equal(t, "array", string(a.AppendArray([]byte("x"))), "x["+strings.Join(boundaries[:n], comma)+"]")
		}
	}
}

func TestArgsAllStops(t *testing.T) {
	n := 0
	for range parse(t, `[1,2,3]`).All() {
		if n++; n == 2 {
			break
		}
	}
	equal(t, "arguments seen", n, 2)
	n = 0
	for range parse(t, `[`+placeholder(0)+`,`+placeholder(0)+`]`, "a").Placeholders() {
		n++
		break
	}
	equal(t, "placeholders seen", n, 1)
}

func TestArgsSlice(t *testing.T) {
	for _, comma := range []string{",", " , "} {
		all := parse(t, `[`+strings.Join(boundaries, comma)+`]`)
		for i := range len(boundaries) + 1 {
			for j := i; j <= len(boundaries); j++ {
				part := all.Slice(i, j)
				equal(t, "len", part.Len(), j-i)
				equalLists(t, "args", raws(part), boundaries[i:j])
				equal(t, "raw", string(part.Raw()), strings.Join(boundaries[i:j], comma))
				if half := (j - i) / 2; half > 0 {
					equalLists(t, "slice of the slice", raws(part.Slice(half, j-i)), boundaries[i+half:j])
				}
			}
		}
	}
}

func TestArgsSliceOutOfRange(t *testing.T) {
	a := parse(t, `[1,2]`)
	for _, c := range [][2]int{{-1, 0}, {1, 0}, {0, 3}, {3, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Slice(%d, %d) did not panic", c[0], c[1])
				}
			}()
			a.Slice(c[0], c[1])
		}()
	}
}

// Appending to a slice must not write into the memory it was cut from.
func TestArgsSliceIsClipped(t *testing.T) {
	all := parse(t, `["a",`+placeholder(0)+`,"b",`+placeholder(1)+`]`, "x", "y")
	joined := all.Slice(0, 2).Append(parse(t, `["overwritten?",`+placeholder(0)+`]`, "z"))
	equalLists(t, "original", event(t, all), []string{`52-["e","a",` + placeholder(0) + `,"b",` + placeholder(1) + `]`, "x", "y"})
	equalLists(t, "joined", event(t, joined), []string{`52-["e","a",` + placeholder(0) + `,"overwritten?",` + placeholder(1) + `]`, "x", "z"})

	data := []byte(`2["name","a"]["untouched"]`)
	p, err := sioparser.Text.NewDecoder(sioparser.Limits{}).Decode(data[:13:len(data)], false)
	if err != nil {
		t.Fatal(err)
	}
	p.Args.Append(p.Args)
	equal(t, "the decoder's input", string(data), `2["name","a"]["untouched"]`)
}

// Relaying renumbers placeholders in order of appearance, repeats what is used
// twice and leaves out what is not used.
func TestRelayRenumbersPlaceholders(t *testing.T) {
	attachments := []string{"A", "B", "C"}
	for _, c := range []struct {
		name, array string
		i, j        int
		want        []string
	}{
		{"as they came", `[` + placeholder(0) + `,` + placeholder(1) + `]`, 0, 2,
			[]string{`52-["e",` + placeholder(0) + `,` + placeholder(1) + `]`, "A", "B"}},
		{"the tail", `[` + placeholder(0) + `,1,` + placeholder(2) + `]`, 1, 3,
			[]string{`51-["e",1,` + placeholder(0) + `]`, "C"}},
		{"the head", `[` + placeholder(0) + `,1,` + placeholder(2) + `]`, 0, 2,
			[]string{`51-["e",` + placeholder(0) + `,1]`, "A"}},
		{"none left", `[` + placeholder(0) + `,{"x":1}]`, 1, 2,
			[]string{`2["e",{"x":1}]`}},
		{"reversed", `[{"a":` + placeholder(2) + `},[` + placeholder(1) + `]]`, 0, 2,
			[]string{`52-["e",{"a":` + placeholder(0) + `},[` + placeholder(1) + `]]`, "C", "B"}},
		{"twice", `[` + placeholder(1) + `,` + placeholder(1) + `,` + placeholder(0) + `]`, 0, 3,
			[]string{`53-["e",` + placeholder(0) + `,` + placeholder(1) + `,` + placeholder(2) + `]`, "B", "B", "A"}},
		{"white space", `[ 0 , { "num" : 1 , "_placeholder" : true } , 2 ]`, 0, 3,
			[]string{`51-["e",0 , ` + placeholder(0) + ` , 2]`, "B"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			part := parse(t, c.array, attachments...).Slice(c.i, c.j)
			equal(t, "has attachments", part.HasAttachments(), len(c.want) > 1)
			equalLists(t, "messages", event(t, part), c.want)
			equalLists(t, "messages of the clone", event(t, part.Clone()), c.want)
		})
	}
}

// Twelve placeholders: nums of two digits are longer than those they replace.
func TestRelayRenumbersToLongerNums(t *testing.T) {
	array := `["x"` + strings.Repeat(`,`+placeholder(0), 12) + `]`
	want := `512-["e","x"`
	for i := range 12 {
		want += `,` + placeholder(i)
	}
	got := event(t, parse(t, array, "A"))
	equal(t, "head", got[0], want+`]`)
	equal(t, "attachments", len(got)-1, 12)
}

func TestArgsAppend(t *testing.T) {
	a := parse(t, `["a",`+placeholder(0)+`]`, "A")
	b := parse(t, `[`+placeholder(1)+`,"b"]`, "unused", "B").Slice(0, 2)
	want := []string{`52-["e","a",` + placeholder(0) + `,` + placeholder(1) + `,"b"]`, "A", "B"}
	equalLists(t, "Append", event(t, a.Append(b)), want)
	equalLists(t, "Concat", event(t, a.Concat(b)), want)
	equalLists(t, "args", raws(a.Concat(b).Concat(a)), []string{`"a"`, placeholder(0), placeholder(2), `"b"`, `"a"`, placeholder(3)})
	again, err := sioparser.ParseArgs(a.Concat(b).AppendArray(nil), a.Concat(b).Attachments())
	if err != nil {
		t.Fatal(err)
	}
	equalLists(t, "parsed again", event(t, again), want)
	equalLists(t, "of a slice", event(t, b.Slice(1, 2).Append(a.Slice(1, 2))), []string{`51-["e","b",` + placeholder(0) + `]`, "A"})
	equalLists(t, "behind a slice with attachments", event(t, a.Slice(1, 2).Append(b)),
		[]string{`52-["e",` + placeholder(0) + `,` + placeholder(1) + `,"b"]`, "A", "B"})
	var none sioparser.Args
	equal(t, "nothing and nothing", none.Append(none).Len(), 0)
	equalLists(t, "nothing and a", event(t, none.Concat(a)), event(t, a))
	equalLists(t, "a and nothing", event(t, a.Concat(none)), event(t, a))
	// Concat makes its own memory; Append uses what there is.
	long := parse(t, `[`+strings.Join(boundaries, ",")+`]`)
	for n := range len(boundaries) + 1 {
		joined := long.Slice(0, n).Concat(long.Slice(n, len(boundaries)))
		equalLists(t, "parted and joined", raws(joined), boundaries)
	}
	room := long.Clone().Reset()
	first := room.Append(parse(t, `["first"]`))
	room.Append(parse(t, `["other"]`))
	equal(t, "Append after Reset shares memory", string(first.Raw()), `"other"`)
}

func TestArgsClone(t *testing.T) {
	text := []byte(`["a",` + placeholder(0) + `]`)
	list := [][]byte{[]byte("A")}
	a, err := sioparser.ParseArgs(text, list)
	if err != nil {
		t.Fatal(err)
	}
	clone := a.Clone()
	want := event(t, a)
	clear(text)
	list[0] = nil
	equalLists(t, "messages", event(t, clone), want)
	var none sioparser.Args
	if c := none.Clone(); c.Len() != 0 || c.Raw() != nil || c.Attachments() != nil {
		t.Errorf("clone of nothing: %v", c)
	}
}

func TestArgsReset(t *testing.T) {
	values := sioparser.JSON()
	var a sioparser.Args
	var err error
	for i := range 3 {
		if a, err = values.Append(a.Reset(), i, []byte("x"), "y"); err != nil {
			t.Fatal(err)
		}
		equalLists(t, "messages", event(t, a), []string{fmt.Sprintf(`51-["e",%d,%s,"y"]`, i, placeholder(0)), "x"})
	}
}

func TestArgsPlaceholders(t *testing.T) {
	a := parse(t, `["skipped",[`+placeholder(1)+`],`+placeholder(0)+`]`, "A", "B").Slice(1, 3)
	var got []string
	for p := range a.Placeholders() {
		got = append(got, fmt.Sprintf("%s %d", a.Raw()[p.Start:p.End], p.Num))
	}
	equalLists(t, "placeholders", got, []string{placeholder(1) + " 1", placeholder(0) + " 0"})
}

func TestMakeArgs(t *testing.T) {
	var text []byte
	var ends []int
	var places []sioparser.Placeholder
	for i, element := range []string{`"a"`, placeholder(1), `[1,2]`, `{}`, `5`, placeholder(0), `"z"`} {
		if i > 0 {
			text = append(text, ',')
		}
		if element[0] == '{' && len(element) > 2 {
			places = append(places, sioparser.Placeholder{Start: len(text), End: len(text) + len(element), Num: 1 - len(places)})
		}
		text = append(text, element...)
		ends = append(ends, len(text))
	}
	want := parse(t, `[`+string(text)+`]`, "A", "B")
	for known := range len(ends) + 1 {
		a := sioparser.MakeArgs(text, len(ends), ends[:known], [][]byte{[]byte("A"), []byte("B")}, places)
		equalLists(t, "args", raws(a), raws(want))
		equalLists(t, "messages", event(t, a), event(t, want))
		for i := range a.Len() {
			equalLists(t, "slice", event(t, a.Slice(i, a.Len())), event(t, want.Slice(i, a.Len())))
		}
	}
	equal(t, "nothing", sioparser.MakeArgs(nil, 0, nil, nil, nil).Len(), 0)
	// Data that looks like a placeholder is data.
	alike := sioparser.MakeArgs([]byte(placeholder(0)), 1, nil, nil, nil)
	equalLists(t, "data", event(t, alike), []string{`2["e",` + placeholder(0) + `]`})
	_, _, _, err := sioparser.Text.AppendPacket(nil, &sioparser.Packet{Type: sioparser.Ack, Args: alike.Concat(want)})
	checkError(t, err, sioparser.ErrPlaceholder.Error())
}

func TestParseArgsErrors(t *testing.T) {
	for _, c := range []struct {
		name, array string
		attachments int
		err         error
		offset      int
	}{
		{"empty", ``, 0, sioparser.ErrPayload, 0},
		{"object", `{}`, 0, sioparser.ErrPayload, 0},
		{"leading space", ` []`, 0, sioparser.ErrPayload, 0},
		{"truncated", `[1`, 0, sioparser.ErrSyntax, 2},
		{"trailing", `[1]1`, 0, sioparser.ErrSyntax, 3},
		{"UTF-8", "[\"\xff\"]", 0, sioparser.ErrUTF8, 2},
		{"depth", strings.Repeat("[", 1001) + strings.Repeat("]", 1001), 0, sioparser.ErrDepth, 1000},
		{"num", `[` + placeholder(2) + `]`, 2, sioparser.ErrPlaceholder, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sioparser.ParseArgs([]byte(c.array), make([][]byte, c.attachments))
			checkSentinel(t, err, c.err, c.offset)
		})
	}
}

func TestParseArgsLimits(t *testing.T) {
	nested := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	placeholders := func(n int) string {
		return `[` + strings.TrimSuffix(strings.Repeat(placeholder(0)+`,`, n), `,`) + `]`
	}
	for _, c := range []struct {
		name        string
		limits      sioparser.Limits
		array       string
		attachments [][]byte
		err         error // nil if it is within the limits
		offset      int
	}{
		{"Depth at zero", sioparser.Limits{}, nested(1000), nil, nil, 0},
		{"Depth over zero", sioparser.Limits{}, nested(1001), nil, sioparser.ErrDepth, 1000},
		{"Depth", sioparser.Limits{Depth: 3}, nested(3), nil, nil, 0},
		{"over Depth", sioparser.Limits{Depth: 3}, nested(4), nil, sioparser.ErrDepth, 3},
		{"no Depth", sioparser.Limits{Depth: -1}, nested(50_000), nil, nil, 0},
		{"Attachments at zero", sioparser.Limits{}, `[]`, make([][]byte, 10), nil, 0},
		{"Attachments over zero", sioparser.Limits{}, `[]`, make([][]byte, 11), sioparser.ErrTooManyAttachments, 0},
		{"placeholders over zero", sioparser.Limits{}, placeholders(11), make([][]byte, 1), sioparser.ErrTooManyAttachments, 301},
		{"no Attachments", sioparser.Limits{Attachments: -1}, placeholders(11), make([][]byte, 11), nil, 0},
		{"AttachmentBytes", sioparser.Limits{AttachmentBytes: 3}, `[]`, [][]byte{{1}, {2, 3}}, nil, 0},
		{"over AttachmentBytes", sioparser.Limits{AttachmentBytes: 2}, `[]`, [][]byte{{1}, {2, 3}}, sioparser.ErrAttachmentBytes, 0},
		{"no AttachmentBytes", sioparser.Limits{AttachmentBytes: -1}, `[]`, [][]byte{make([]byte, sioparser.DefaultAttachmentBytes+1)}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.limits.ParseArgs([]byte(c.array), c.attachments)
			if c.err != nil {
				checkSentinel(t, err, c.err, c.offset)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Without attachments an object that looks like a placeholder is data, as in
// a plain EVENT.
func TestParseArgsPlaceholderAsData(t *testing.T) {
	a := parse(t, `[`+placeholder(7)+`]`)
	equal(t, "has attachments", a.HasAttachments(), false)
	equalLists(t, "messages", event(t, a), []string{`2["e",` + placeholder(7) + `]`})
}

// Data that looks like a placeholder cannot go out beside attachments: the
// receiver would close the connection, or see another's attachment.
func TestEncodeRefusesDataLikePlaceholder(t *testing.T) {
	alike := parse(t, `[{"\u005fplaceholder":true,"num":0},"b"]`)
	attached := parse(t, `[`+placeholder(0)+`]`, "A")
	values := sioparser.JSON()
	marshaled, err := values.Append(sioparser.Args{}, map[string]any{"_placeholder": true}, []byte("A"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := values.Append(sioparser.Args{}, sioparser.RawArg(`{"_placeholder":true}`), []byte("A"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args sioparser.Args
	}{
		{"behind", attached.Concat(alike)},
		{"before", alike.Concat(attached)},
		{"marshaled", marshaled},
		{"raw", raw},
	} {
		p := sioparser.Packet{Type: sioparser.Event, Name: []byte("e"), Args: c.args}
		dst, _, _, err := sioparser.Text.AppendPacket([]byte("before"), &p)
		if err == nil {
			t.Errorf("%s: encoded as %s", c.name, dst)
			continue
		}
		equal(t, "dst", string(dst), "before")
		checkError(t, err, sioparser.ErrPlaceholder.Error())
	}
	equalLists(t, "cut away", event(t, alike.Concat(attached).Slice(1, 3)), []string{`51-["e","b",` + placeholder(0) + `]`, "A"})
	named, err := values.Append(sioparser.Args{}, map[string]any{"text": `"_placeholder":true`}, []byte("A"))
	if err != nil {
		t.Fatal(err)
	}
	equalLists(t, "in a string", event(t, named), []string{`51-["e",{"text":"\"_placeholder\":true"},` + placeholder(0) + `]`, "A"})
}
