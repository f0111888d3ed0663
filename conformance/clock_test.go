package conformance_test

import (
	"testing"
	"time"

	"github.com/siokit/siokit/conformance"
)

func TestLateness(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	tests := map[string]struct {
		since int
		ticks []int
		want  time.Duration
	}{
		"in time":            {0, []int{0, 5, 10, 15}, 0},
		"a little late":      {0, []int{0, 5, 18, 23}, 0},
		"late":               {0, []int{0, 5, 110, 115}, 100 * time.Millisecond},
		"the most counts":    {0, []int{0, 65, 170, 215}, 100 * time.Millisecond},
		"what came before":   {200, []int{0, 5, 110, 115, 220, 225}, 100 * time.Millisecond},
		"late before only":   {112, []int{0, 5, 110, 115}, 0},
		"forgotten after so": {0, []int{0, 100, 105, 20 * 60 * 1000}, 20*time.Minute - 110*time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var ticks []time.Time
			for _, ms := range tt.ticks {
				ticks = append(ticks, at(ms))
			}
			if got := conformance.Lateness(at(tt.since), ticks...); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
