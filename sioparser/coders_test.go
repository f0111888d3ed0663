package sioparser_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
)

// union reads and writes itself by a coder of its own, with the options of the one
// that it is given.
type union struct {
	Data  []byte
	Extra any
	Twice bool
}

func (u union) MarshalJSONTo(enc *jsontext.Encoder) error {
	type plain union
	text, err := json.Marshal(plain(u), enc.Options())
	if err == nil && u.Twice {
		text, err = json.Marshal(plain(u), enc.Options())
	}
	if err != nil {
		return err
	}
	return enc.WriteValue(text)
}

func (u *union) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain union
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	return json.Unmarshal(text, (*plain)(u), dec.Options())
}

func TestCodersOfMethods(t *testing.T) {
	value := []any{"in front", union{Data: []byte("A"), Extra: map[string]any{"b": []byte("B")}}, []byte("C")}
	emits(t, value, `["in front",{"Data":`+placeholder(0)+`,"Extra":{"b":`+placeholder(1)+`},"Twice":false},`+placeholder(2)+`]`, "A", "B", "C")
	twice, err := values.Append(sioparser.Args{}, union{Data: []byte("A"), Twice: true})
	if err != nil {
		t.Fatal(err)
	}
	equalLists(t, "messages", event(t, twice), []string{`51-["e",{"Data":` + placeholder(0) + `,"Extra":null,"Twice":true}]`, "A"})
	// Beside such text nobody can tell data that look like a placeholder.
	emitsNot(t, union{Data: []byte("A"), Extra: map[string]any{"_placeholder": true, "num": 0}})
	emitsNot(t, union{Data: []byte("A"), Extra: map[string]any{"_placeholder": true, "num": 7}})

	var u struct{ Union union }
	a := parse(t, `["in front",{"Union":{"Data":`+placeholder(1)+`,"Extra":["x",`+placeholder(0)+`]}}]`, "A", "B")
	if err := values.Bind(a, nil, &u); err != nil {
		t.Fatal(err)
	}
	equal(t, "bound", fmt.Sprintf("%s %s", u.Union.Data, u.Union.Extra), "B [x A]")
	a = parse(t, `["in front",{"Union":{"Extra":{"_placeholder":true,"a":"b"}}}]`)
	if err := values.Bind(a, nil, &u); err != nil {
		t.Fatal(err)
	}
	equal(t, "without attachments", fmt.Sprint(u.Union.Extra), "map[_placeholder:true a:b]")
}

// elsewhere reads some other text with the options of the decoder.
type elsewhere struct {
	text string
	into any
}

func (e *elsewhere) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if err := dec.SkipValue(); err != nil {
		return err
	}
	return json.Unmarshal([]byte(e.text), e.into, dec.Options())
}

func TestDecodersOfOtherTexts(t *testing.T) {
	a := parse(t, `[1,`+placeholder(0)+`]`, "A")
	for _, text := range []string{`{"_placeholder":true,"num":1}`, `{"_placeholder":true}`, "[\"\\n\xff\"]"} {
		var value any
		var data []byte
		for _, e := range []*elsewhere{{text, &value}, {text, &data}} {
			var argument *sioparser.ArgError
			if err := values.Bind(a, e); !errors.As(err, &argument) {
				t.Errorf("%s into %T: %v", text, e.into, err)
			}
		}
	}
	var data []byte
	if err := values.Bind(a, &elsewhere{placeholder(0), &data}); err != nil || string(data) != "A" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestRawArgInside(t *testing.T) {
	type message struct{ Body sioparser.RawArg }
	const text = `{"Body":{"a":1.0,"a":"\ud800\u0041"}}`
	var m message
	if err := values.Bind(parse(t, `[`+text+`]`), &m); err != nil {
		t.Fatal(err)
	}
	emits(t, m, text)
}
