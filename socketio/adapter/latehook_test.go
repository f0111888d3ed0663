package adapter_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// A hook hears of what changes from its registration on, not of what another one has
// not been told yet.
func TestHookHearsNothingFromBefore(t *testing.T) {
	for name, stops := range map[string]bool{"the other goes on": false, "the other has stopped": true} {
		t.Run(name, func(t *testing.T) {
			m := adapter.MakeMemory(adaptertest.NewServer("/"))
			u := m.Unreported()
			var first, second []string
			note := func(list *[]string) adapter.Hook {
				return func(e adapter.Event) { *list = append(*list, e.Kind.String()+" "+e.Room) }
			}
			stop := m.Observe(note(&first))
			s := adaptertest.NewSocket("s")
			if err := u.Join(s, "a"); err != nil {
				t.Fatal(err)
			}
			if stops {
				stop()
				u.Report()
			}
			defer m.Observe(note(&second))()
			if err := m.Join(s, "b"); err != nil {
				t.Fatal(err)
			}
			stop()
			if diff := cmp.Diff([]string{"created b", "joined b"}, second); diff != "" {
				t.Errorf("the second hook (-want +got):\n%s", diff)
			}
			if want := map[bool]int{false: 4, true: 0}[stops]; len(first) != want {
				t.Errorf("the first has heard %q", first)
			}
		})
	}
}
