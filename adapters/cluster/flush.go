package cluster

import (
	"sync"

	"github.com/siokit/siokit/socketio/adapter"
)

// flusher writes what messages from the bus have queued on sockets. While it
// writes, more may come: a socket that gets many packets in a row is written to
// once for all of them. Its goroutine exists while there is something to write;
// wait waits for it.
type flusher struct {
	flush func([]adapter.Socket)
	done  sync.WaitGroup

	mu      sync.Mutex // a leaf
	queued  []adapter.Socket
	tidyAt  int // the length of queued from which repetitions are taken out
	running bool
}

// fewQueued is a length of the queue that is not worth tidying.
const fewQueued = 4096

// add has what was queued on sockets written soon. It does not keep the slice.
func (f *flusher) add(sockets []adapter.Socket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queued = append(f.queued, sockets...)
	if len(f.queued) > max(f.tidyAt, fewQueued) {
		f.queued = distinct(f.queued)
		f.tidyAt = 2 * len(f.queued)
	}
	if !f.running {
		f.running = true
		f.done.Add(1)
		go f.run()
	}
}

func (f *flusher) run() {
	defer f.done.Done()
	for {
		f.mu.Lock()
		list := f.queued
		f.queued, f.tidyAt = nil, 0
		f.running = len(list) > 0
		f.mu.Unlock()
		if len(list) == 0 {
			return
		}
		f.flush(distinct(list))
	}
}

// distinct takes repetitions out of list, in place.
func distinct(list []adapter.Socket) []adapter.Socket {
	seen := make(map[adapter.Socket]struct{}, len(list))
	kept := list[:0]
	for _, s := range list {
		if _, ok := seen[s]; !ok {
			seen[s] = struct{}{}
			kept = append(kept, s)
		}
	}
	clear(list[len(kept):])
	return kept
}

// wait waits until everything is written. Nothing is added any more.
func (f *flusher) wait() { f.done.Wait() }
