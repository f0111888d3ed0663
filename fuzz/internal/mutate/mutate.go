// Package mutate changes inputs at random.
package mutate

import "math/rand/v2"

// Bytes makes one change: it cuts the end off, removes, changes or doubles some of
// b, or puts one of the tokens in, which are pieces that mean something to the
// decoder. It may change b itself.
func Bytes(r *rand.Rand, b []byte, tokens []string) []byte {
	at := r.IntN(len(b) + 1)
	switch r.IntN(7) {
	case 0: // cut the end
		return b[:at]
	case 1: // remove a byte
		if at < len(b) {
			return append(b[:at], b[at+1:]...)
		}
	case 2: // change a bit
		if at < len(b) {
			b[at] ^= 1 << r.IntN(8)
		}
	case 3: // any byte
		if at < len(b) {
			b[at] = byte(r.Uint32())
		}
	case 4: // double a piece
		end := at + r.IntN(len(b)-at+1)
		return append(b[:end:end], b[at:]...)
	default:
		token := tokens[r.IntN(len(tokens))]
		return append(b[:at:at], token+string(b[at:])...)
	}
	return b
}
