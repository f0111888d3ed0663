package engineio

import (
	"runtime"
	"sync"
)

// flushShare is how many sessions a broadcaster writes itself, and how many a
// worker takes at a time.
const flushShare = 64

// flusher writes what a broadcast queued, on several cores. Its workers exist
// while there is work; there are never more than processors.
type flusher struct {
	group *group

	mu      sync.Mutex
	work    [][]*Session
	workers int
}

// Uncork does Session.Wake for each of sessions: up to 64 of them itself, the
// rest by goroutines of the server, so that a broadcast to many does not take
// one core's time for all of them. The slice is the caller's again when Uncork
// returns. It ends no cork.
func (srv *Server) Uncork(sessions []*Session) {
	own := sessions
	if len(sessions) > flushShare {
		own = sessions[:flushShare]
		srv.flusher.add(append([]*Session(nil), sessions[flushShare:]...))
	}
	for _, s := range own {
		s.Wake()
	}
}

func (f *flusher) add(sessions []*Session) {
	f.mu.Lock()
	f.work = append(f.work, sessions)
	start := max(0, min((len(sessions)+flushShare-1)/flushShare, runtime.GOMAXPROCS(0)-f.workers))
	f.workers += start
	f.mu.Unlock()
	for range start {
		f.group.run(f.flush)
	}
}

// flush is a worker.
func (f *flusher) flush() {
	for {
		f.mu.Lock()
		if len(f.work) == 0 {
			f.workers--
			f.work = nil
			f.mu.Unlock()
			return
		}
		list := f.work[0]
		n := min(flushShare, len(list))
		share := list[:n]
		if n == len(list) {
			f.work[0] = nil
			f.work = f.work[1:]
		} else {
			f.work[0] = list[n:]
		}
		f.mu.Unlock()
		for _, s := range share {
			s.Wake()
		}
	}
}
