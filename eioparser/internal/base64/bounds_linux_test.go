package base64_test

import (
	"bytes"
	stdlib "encoding/base64"
	"os"
	"syscall"
	"testing"

	"github.com/siokit/siokit/eioparser/internal/base64"
)

// fenced returns memory of one page between two that nobody may touch.
func fenced(t *testing.T) []byte {
	t.Helper()
	page := os.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(memory); err != nil {
			t.Error(err)
		}
	})
	for _, fence := range [][]byte{memory[:page], memory[2*page:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return memory[page : 2*page : 2*page]
}

// Nothing is read or written outside of what was given: at both ends of it there
// is memory whose touch ends the process.
func TestBlocksStayWithinTheirMemory(t *testing.T) {
	from, to := fenced(t), fenced(t)
	atEnd := func(page []byte, n int) []byte { return page[len(page)-n:] }
	atStart := func(page []byte, n int) []byte { return page[:n:n] }
	for n := range 300 {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * 151)
		}
		text := []byte(stdlib.StdEncoding.EncodeToString(data))
		for _, place := range []func([]byte, int) []byte{atEnd, atStart} {
			src, dst := place(from, n), place(to, len(text))
			copy(src, data)
			done := base64.EncodeBlocks(dst, src)
			if done%24 != 0 || done > n || !bytes.Equal(dst[:done/3*4], text[:done/3*4]) {
				t.Fatalf("%d of %d bytes are encoded as %q, want %q", done, n, dst, text)
			}
			src, dst = place(from, len(text)), place(to, n)
			copy(src, text)
			done = base64.DecodeBlocks(dst, src)
			if done%32 != 0 || done > len(text) || !bytes.Equal(dst[:done/4*3], data[:done/4*3]) {
				t.Fatalf("%d of %d letters are decoded as %x, want %x", done, len(text), dst, data)
			}
			// Room is what dst has, not what src would need.
			for _, less := range []int{1, 8, 24, 32, n} {
				if room := n - less; room >= 0 {
					base64.DecodeBlocks(place(to, room), src)
				}
				if room := len(text) - less; room >= 0 {
					base64.EncodeBlocks(place(to, room), place(from, n))
				}
			}
		}
	}
}
