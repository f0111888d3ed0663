package autobahn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siokit/siokit/engineio"
)

// TestLarge is group 9: large messages, in one frame and in many, in large and in
// small pieces; and many messages one after the other.
func TestLarge(t *testing.T) {
	s := echoServer(t, engineio.WebSocket{})
	for _, a := range large() {
		t.Run(a.id, func(t *testing.T) { a.run(t, s) })
	}
	for i, n := range []int{0, 16, 64, 256, 1024, 4096} {
		for kind, f := range []frame{text(strings.Repeat("*", n)), bytes(strings.Repeat(fe, n))} {
			t.Run(fmt.Sprintf("9.%d.%d", 7+kind, i+1), func(t *testing.T) {
				talk(t, s, 1000, func(int) ([]frame, frame) { return []frame{f}, f })
			})
		}
	}
}

func large() []attempt {
	const kib, mib = 1 << 10, 1 << 20
	words := func(n int) frame { return text(repeat("BAsd7&jh23", n)) }
	octets := func(n int) frame { return bytes(repeat("\x00\xfe\x23\xfa\xf0", n)) }
	var list []attempt
	for i, n := range []int{64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib} {
		list = append(list,
			echoed(fmt.Sprintf("9.1.%d", i+1), whole, words(n)),
			echoed(fmt.Sprintf("9.2.%d", i+1), whole, octets(n)))
	}
	for i, n := range []int{64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib} {
		for kind, f := range []frame{text(strings.Repeat("*", 4*mib)), bytes(strings.Repeat(fe, 4*mib))} {
			list = append(list, attempt{id: fmt.Sprintf("9.%d.%d", 3+kind, i+1), send: fragments(f, n), want: []frame{f}})
		}
	}
	for i, chop := range []int{64, 128, 256, 512, kib, 2 * kib} {
		list = append(list,
			echoed(fmt.Sprintf("9.5.%d", i+1), chop, words(mib)),
			echoed(fmt.Sprintf("9.6.%d", i+1), chop, octets(mib)))
	}
	return list
}
