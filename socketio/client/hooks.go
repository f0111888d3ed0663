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
	notNil(f)
	mu.Lock()
	defer mu.Unlock()
	entry := h.insert(f)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		h.remove(entry)
	}
}

func notNil(f any) {
	if reflect.ValueOf(f).IsNil() {
		panic(fmt.Sprintf("socketio: nil %T", f)) // rather than at some event
	}
}

func (h *hooks[F]) insert(f F) *F {
	h.all = append(slices.Clip(h.all), &f)
	return &f
}

func (h *hooks[F]) remove(entry *F) {
	h.all = slices.DeleteFunc(slices.Clone(h.all), func(e *F) bool { return e == entry })
}
