package engineio

import (
	"sync"
	"time"
)

// corkTime is how long queued packets wait behind a cork, at least; they wait
// at most twice as long.
const corkTime = time.Millisecond

// Cork makes queued packets wait until Uncork was called as often as Cork, or
// until a millisecond or two after they were queued, whichever comes first.
// Whoever sends several messages in a row puts it before them and Uncork
// behind: they leave in one write.
func (s *Session) Cork() {
	s.mu.Lock()
	s.corks++
	s.held() // what is queued already waits behind it, too
	s.mu.Unlock()
}

// Uncork ends one cork, if there is any, and then does what Wake does.
func (s *Session) Uncork() {
	s.mu.Lock()
	if s.corks > 0 {
		s.corks--
	}
	s.pump(false)
}

// corks sees to it that no cork outlasts its time: a handler that sends and
// then waits for a database must not hold its own output back. It is one timer
// a server, armed while packets wait behind a cork.
type corks struct {
	group *group

	mu    sync.Mutex
	list  []*Session // those with outbox.listed
	spare []*Session
	timer *time.Timer
	armed bool
}

// held has the cork's time watched if something waits behind one. The caller
// holds mu.
func (s *Session) held() {
	if s.corks > 0 && !s.listed && (s.queue != nil || s.wake) {
		s.srv.corks.add(s)
	}
}

// add enters s, for which packets wait behind a cork now. The caller holds s.mu.
func (c *corks) add(s *Session) {
	s.listed, s.stale = true, false
	c.mu.Lock()
	c.list = append(c.list, s)
	c.arm()
	c.mu.Unlock()
}

func (c *corks) arm() {
	if c.armed {
		return
	}
	c.armed = true
	if c.timer == nil {
		c.timer = time.AfterFunc(corkTime, c.sweep)
	} else {
		c.timer.Reset(corkTime)
	}
}

// sweep is the timer's function: what it finds waiting for the second time, it
// writes.
func (c *corks) sweep() {
	c.group.begin()
	defer c.group.end()
	c.mu.Lock()
	c.armed = false
	list := c.list
	c.list, c.spare = c.spare[:0], nil
	c.mu.Unlock()

	n := 0
	for _, s := range list {
		s.mu.Lock()
		waits := s.corks > 0 && (s.queue != nil || s.wake)
		force := waits && s.stale
		if waits && !force {
			s.stale = true
			list[n] = s
			n++
		} else {
			s.listed = false
		}
		if force {
			// A link that is not ready, or is being written to, takes it when it is.
			s.waited = true
			s.pump(false)
		} else {
			s.mu.Unlock()
		}
	}

	c.mu.Lock()
	c.list = append(c.list, list[:n]...)
	clear(list)
	if cap(list) <= 4096 {
		c.spare = list[:0]
	}
	if len(c.list) > 0 {
		c.arm()
	}
	c.mu.Unlock()
}
