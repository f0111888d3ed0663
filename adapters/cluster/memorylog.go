package cluster

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"
	"time"
)

// MemoryLog is a [Log] within one process, for tests and for trying things out.
// The zero value is ready; it keeps 10,000 entries of each namespace.
type MemoryLog struct {
	MemoryBus

	// MaxEntries bounds the entries of a namespace, if it isn't zero.
	MaxEntries int

	mu       sync.Mutex // before a subscription's
	logs     map[string]*memoryEntries
	sessions map[string]memorySession
}

var _ Log = (*MemoryLog)(nil)

// memoryEntries is the log of one namespace.
type memoryEntries struct {
	entries   []Entry
	last      Offset
	trimmed   Offset // the last entry that was dropped
	followers []*subscription
}

type memorySession struct {
	session SavedSession
	until   time.Time
}

const memoryEntriesKept = 10_000

func (l *MemoryLog) of(namespace string) *memoryEntries {
	if l.logs == nil {
		l.logs = make(map[string]*memoryEntries)
	}
	if l.logs[namespace] == nil {
		l.logs[namespace] = &memoryEntries{last: Offset{Major: 1}}
	}
	return l.logs[namespace]
}

// Append implements [Log]. It never blocks.
func (l *MemoryLog) Append(_ context.Context, namespace string, batch [][]byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.of(namespace)
	most := l.MaxEntries
	if most == 0 {
		most = memoryEntriesKept
	}
	for _, data := range batch {
		m.last.Minor++
		e := Entry{At: m.last, Data: bytes.Clone(data)}
		m.entries = append(m.entries, e)
		if len(m.entries) > most {
			m.trimmed = m.entries[0].At
			m.entries = m.entries[1:]
		}
		for _, f := range m.followers {
			f.add(e)
		}
	}
	return len(batch), nil
}

// Follow implements [Log].
func (l *MemoryLog) Follow(namespace string, f Follower) (stop func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.of(namespace)
	begun := false
	s := newSubscription(func(e Entry) {
		if !begun {
			begun = true
			f.Begin(e.At)
			return
		}
		f.Entry(e)
	})
	s.add(Entry{At: m.last})
	m.followers = append(m.followers, s)
	return func() {
		l.mu.Lock()
		m.followers = slices.DeleteFunc(m.followers, func(x *subscription) bool { return x == s })
		l.mu.Unlock()
		s.stop()
	}, nil
}

// Read implements [Log].
func (l *MemoryLog) Read(_ context.Context, namespace string, after Offset) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		l.mu.Lock()
		m := l.of(namespace)
		trimmed := m.trimmed.After(after)
		i, _ := slices.BinarySearchFunc(m.entries, after, func(e Entry, at Offset) int {
			if e.At.After(at) {
				return 1
			}
			return -1
		})
		entries := slices.Clone(m.entries[i:])
		l.mu.Unlock()
		if trimmed {
			yield(Entry{}, ErrTrimmed)
			return
		}
		for _, e := range entries {
			if !yield(Entry{At: e.At, Data: bytes.Clone(e.Data)}, nil) {
				return
			}
		}
	}
}

// SaveSession implements [Log].
func (l *MemoryLog) SaveSession(_ context.Context, s *SavedSession, keep time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sessions == nil {
		l.sessions = make(map[string]memorySession)
	}
	l.sessions[s.PrivateID] = memorySession{*s, time.Now().Add(keep)}
	return nil
}

// TakeSession implements [Log].
func (l *MemoryLog) TakeSession(_ context.Context, privateID string) (*SavedSession, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.sessions[privateID]
	delete(l.sessions, privateID)
	if !ok || !time.Now().Before(s.until) {
		return nil, ErrNoSession
	}
	return &s.session, nil
}
