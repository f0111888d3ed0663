package eioparser_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/vectors"
)

func TestHandshakeVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/handshakes.tsv") {
		t.Run(v.Name, func(t *testing.T) {
			h, err := eioparser.ParseHandshake(v.Wire)
			if v.IsError() {
				if !errors.Is(err, eioparser.ErrHandshake) || !reflect.DeepEqual(h, eioparser.Handshake{}) {
					t.Fatalf("%s gives %+v, %v", v.Wire, h, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := h.AppendJSON([]byte("0"))
			if string(got) != "0"+string(v.Text(t)) {
				t.Fatalf("%s is %s, want %s", v.Wire, got[1:], v.Text(t))
			}
			again, err := eioparser.ParseHandshake(got[1:])
			if err != nil || again.SID != h.SID || again.MaxPayload != h.MaxPayload {
				t.Errorf("%s is read as %+v, %v", got[1:], again, err)
			}
		})
	}
}

func TestHandshakeFields(t *testing.T) {
	h, err := eioparser.ParseHandshake([]byte(`{"sid":"abc","upgrades":["websocket","webtransport"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	want := eioparser.Handshake{
		SID:          "abc",
		Upgrades:     []string{"websocket", "webtransport"},
		PingInterval: 25 * time.Second,
		PingTimeout:  20 * time.Second,
		MaxPayload:   1e6,
	}
	if err != nil || !reflect.DeepEqual(h, want) {
		t.Errorf("got %+v, %v", h, err)
	}
}

func TestHandshakeIsWrittenInWholeMillisecondsAndNeverNegative(t *testing.T) {
	h := eioparser.Handshake{SID: "\"\x00\xff", PingInterval: 1999 * time.Microsecond, PingTimeout: -time.Second, MaxPayload: -1}
	want := `{"sid":"\"\u0000` + "\uFFFD" + `","upgrades":[],"pingInterval":1,"pingTimeout":0,"maxPayload":0}`
	if got := h.AppendJSON(nil); string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestHandshakeNestingIsBounded(t *testing.T) {
	member := func(depth int) []byte {
		return []byte(`{"sid":"s","pingInterval":1,"pingTimeout":2,"x":` +
			strings.Repeat(`[{"a":`, depth/2) + "1" + strings.Repeat("}]", depth/2) + "}")
	}
	if _, err := eioparser.ParseHandshake(member(1000)); err != nil {
		t.Errorf("1,000 levels: %v", err)
	}
	for _, depth := range []int{1002, 200_000} {
		if _, err := eioparser.ParseHandshake(member(depth)); !errors.Is(err, eioparser.ErrHandshake) {
			t.Errorf("%d levels: %v", depth, err)
		}
	}
}

func TestSID(t *testing.T) {
	data := eioparser.AppendSID([]byte("0"), "a\"b")
	if string(data) != `0{"sid":"a\"b"}` {
		t.Fatalf("written as %s", data)
	}
	good := map[string]string{
		string(data[1:]):               `a"b`,
		` { "sid" : "x" , "y" : [] } `: "x",
		`{"sid":"\u0041"}`:             "A",
	}
	for text, want := range good {
		if sid, err := eioparser.ParseSID([]byte(text)); err != nil || sid != want {
			t.Errorf("%s gives %q, %v", text, sid, err)
		}
	}
	for _, text := range []string{``, `{}`, `{"sid":""}`, `{"sid":1}`, `{"SID":"x"}`, `"x"`, `{"sid":"x"`, `{"sid":"x"}x`, "{\"sid\":\"\xff\"}", `{"sid":"\u00"}`} {
		if sid, err := eioparser.ParseSID([]byte(text)); !errors.Is(err, eioparser.ErrHandshake) || sid != "" {
			t.Errorf("%s gives %q, %v", text, sid, err)
		}
	}
}
