package cluster

// serials knows the newest serial numbers of one server. They need not come in
// order: of messages that were appended together, a log may have refused one and
// taken the next.
type serials struct {
	last uint64
	seen [recent / 64]uint64 // bits, of the numbers up to last
}

// recent is how many numbers are remembered: more than are appended together.
const recent = 4 * maxBatch

// fresh notes n and reports whether it has not come before. One that is far behind
// the last is of a server that has begun anew, with a clock that is behind.
func (s *serials) fresh(n uint64) bool {
	switch {
	case n > s.last && n-s.last >= recent, n <= s.last && s.last-n >= recent:
		*s = serials{last: n}
	case n > s.last:
		for s.last < n {
			s.last++
			s.seen[s.last%recent/64] &^= 1 << (s.last % 64)
		}
	}
	word, bit := &s.seen[n%recent/64], uint64(1)<<(n%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
