package adapter

// Unreported changes a Memory as its own methods do, but tells hooks nothing
// until Report is called. It is for an adapter that changes the index under a
// lock of its own, since hooks run under none: it calls Report when it has
// released its lock.
type Unreported struct{ m *Memory }

// Unreported returns the view of m.
func (m *Memory) Unreported() Unreported { return Unreported{m} }

// Join is [Memory.Join] without the report.
func (u Unreported) Join(s Socket, rooms ...string) error { return u.m.join(s, rooms, 0) }

// Leave is [Memory.Leave] without the report; left is called with each room that
// s was in, while s is locked, and calls nothing back.
func (u Unreported) Leave(s Socket, left func(room string), rooms ...string) {
	u.m.leave(s, rooms, func(l *link) { left(l.room.name) })
}

// Remove is [Memory.Remove] without the report; ok is false for a socket that was
// removed before, or has never joined.
func (u Unreported) Remove(s Socket) (rooms []string, ok bool) { return u.m.remove(s) }

// Report tells the hooks what has changed.
func (u Unreported) Report() { u.m.hooks.report() }
