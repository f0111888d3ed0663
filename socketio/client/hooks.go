package client

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
)

// hooks are functions in the order of their registration. A slice that was read
// does not change.
type hooks[F any] struct{ all []*F }

// add registers f under mu; the function that it returns takes it back.
func (h *hooks[F]) add(mu *sync.Mutex, f F) (stop func()) {
	if reflect.ValueOf(f).IsNil() {
		panic(fmt.Sprintf("socketio: nil %T", f)) // rather than at some event
	}
	mu.Lock()
	defer mu.Unlock()
	entry := &f
	h.all = append(slices.Clip(h.all), entry)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		h.all = slices.DeleteFunc(slices.Clone(h.all), func(e *F) bool { return e == entry })
	}
}
