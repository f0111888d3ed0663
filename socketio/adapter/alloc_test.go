//go:build !race

// Under the race detector a sync.Pool forgets at random.

package adapter_test

import (
	"fmt"
	"testing"

	"github.com/siokit/siokit/socketio/adapter"
)

// The usual broadcasts allocate nothing of their own.
func TestBroadcastAllocatesNothing(t *testing.T) {
	a, err := adapter.NewMemory(nullServer{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		s := &nullSocket{id: fmt.Sprint(i)}
		if err := a.Join(s, s.id, "red"); err != nil {
			t.Fatal(err)
		}
	}
	packet := event(t, "x", "[]")
	for name, sel := range map[string]adapter.Selection{
		"one room":             {Rooms: []string{"red"}},
		"one room but one":     {Rooms: []string{"red"}, Except: []string{"7"}},
		"one socket":           {Rooms: []string{"7"}},
		"everyone":             {},
		"everyone but one":     {Except: []string{"7"}},
		"two rooms (pool map)": {Rooms: []string{"red", "7"}},
	} {
		n := testing.AllocsPerRun(200, func() {
			if err := a.Broadcast(packet, sel); err != nil {
				t.Fatal(err)
			}
		})
		// A collection may empty the pool of working memory in between.
		if n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
