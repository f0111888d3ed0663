package jsonp_test

import (
	"errors"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/vectors"
	"github.com/siokit/siokit/eioparser/jsonp"
)

func TestAnswerVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/answers.tsv") {
		t.Run(v.Name, func(t *testing.T) {
			if got := jsonp.Append([]byte("x"), 0, v.Wire); string(got) != "x"+string(v.Text(t)) {
				t.Errorf("%q is answered with %s", v.Wire, got)
			}
		})
	}
}

func TestBodyVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/bodies.tsv") {
		t.Run(v.Name, func(t *testing.T) {
			got, err := jsonp.DecodeBody(v.Wire)
			if v.IsError() {
				if !errors.Is(err, eioparser.ErrJSONP) || got != nil {
					t.Fatalf("%q gives %q, %v", v.Wire, got, err)
				}
				return
			}
			if err != nil || string(got) != string(v.Text(t)) {
				t.Fatalf("%q gives %q, %v", v.Wire, got, err)
			}
		})
	}
}

func TestTheBodyIsNotChanged(t *testing.T) {
	body := []byte(`d=4%5Cn\n+`)
	if _, err := jsonp.DecodeBody(body); err != nil || string(body) != `d=4%5Cn\n+` {
		t.Errorf("the body is now %q, %v", body, err)
	}
}

func TestIndexIsDigitsOnly(t *testing.T) {
	for j, want := range map[string]int{"0": 0, "7": 7, "007": 7, "12345": 12345, "999999999": 999_999_999} {
		if got, err := jsonp.ParseIndex(j); err != nil || got != want {
			t.Errorf("%q is %d, %v", j, got, err)
		}
	}
	for _, j := range []string{"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "1]alert(1)//", "٤", "1000000000", "\x00"} {
		if got, err := jsonp.ParseIndex(j); !errors.Is(err, eioparser.ErrJSONP) || got != 0 {
			t.Errorf("%q is %d, %v", j, got, err)
		}
	}
}

func TestIndexStandsInTheAnswer(t *testing.T) {
	if got := jsonp.Append(nil, 42, []byte("2")); string(got) != `___eio[42]("2");` {
		t.Errorf("got %s", got)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst, payload := make([]byte, 0, 256), []byte("4\u2028é\n\"")
	if got := testing.AllocsPerRun(100, func() { _ = jsonp.Append(dst, 0, payload) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
