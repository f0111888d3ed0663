package engineio

import "maps"

// table is a map that gives memory back after a peak, which a Go map does not
// do by itself. The zero value is empty.
type table[K comparable, V any] struct {
	m    map[K]V
	peak int // most entries since m was made
}

func (t *table[K, V]) put(k K, v V) {
	if t.m == nil {
		t.m = make(map[K]V)
	}
	t.m[k] = v
	t.peak = max(t.peak, len(t.m))
}

func (t *table[K, V]) remove(k K) {
	delete(t.m, k)
	if n := len(t.m); t.peak > 64 && n < t.peak/4 {
		small := make(map[K]V, n)
		maps.Copy(small, t.m)
		t.m, t.peak = small, n
	}
}
