package nodepeer_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/fuzz/internal/loop"
	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type echo struct {
	Data  []byte `json:"data"`
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func TestCallReturnsOneResultForEachCaseInOrder(t *testing.T) {
	peer := nodepeer.Start(t, "echo.js")
	var cases []echo
	for i := range 2000 {
		cases = append(cases, echo{Data: []byte{byte(i), 0, '\n'}, Text: strings.Repeat("é\u2028", i%100)})
	}
	for range 3 {
		got, err := nodepeer.Call[echo, echo](peer, "echo", cases)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(cases, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestWhatACaseThrowsIsItsResult(t *testing.T) {
	peer := nodepeer.Start(t, "echo.js")
	got, err := nodepeer.Call[echo, echo](peer, "fail", []echo{{Text: "a"}, {Text: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]echo{{Error: "refused a"}, {Error: "refused b"}}, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestAnUnknownOperationIsAnError(t *testing.T) {
	peer := nodepeer.Start(t, "echo.js")
	if _, err := nodepeer.Call[echo, echo](peer, "toString", []echo{{}}); err == nil || !strings.Contains(err.Error(), "no operation") {
		t.Fatalf("got %v", err)
	}
}

func TestEachComparesTheFirstCasesAndThenRandomOnes(t *testing.T) {
	t.Setenv(loop.CasesVariable, "5000")
	peer := nodepeer.Start(t, "echo.js")
	var got []string
	random := func(*rand.Rand) echo { return echo{Text: "random"} }
	nodepeer.Each(t, peer, "echo", []echo{{Text: "first"}, {Text: "second"}}, random, func(c, r echo) {
		if c.Text != r.Text {
			t.Fatalf("%q for %q", r.Text, c.Text)
		}
		got = append(got, r.Text)
	})
	if len(got) != 5000 || strings.Join(got[:3], " ") != "first second random" {
		t.Errorf("%d cases, the first are %q", len(got), got[:3])
	}
}
