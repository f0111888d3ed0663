//go:build !386 && !arm && !mips && !mipsle

package sioparser_test

import (
	"syscall"
	"testing"

	"github.com/siokit/siokit/sioparser"
)

// A text of 2 GiB is refused before it is looked at. The memory is mapped, not
// used.
func TestLimitText(t *testing.T) {
	text, err := syscall.Mmap(-1, 0, 1<<31, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Munmap(text); err != nil {
			t.Error(err)
		}
	}()
	text[0] = '2'
	_, err = sioparser.Text.NewDecoder(sioparser.Limits{}).Decode(text, false)
	checkSentinel(t, err, sioparser.ErrTooLong, 1<<31-1)
	text[0] = '['
	_, err = sioparser.ParseArgs(text, nil)
	checkSentinel(t, err, sioparser.ErrTooLong, 1<<31-1)
	p := sioparser.Packet{Type: sioparser.Connect, Payload: text}
	text[0] = '{'
	checkSentinel(t, sioparser.Valid(&p), sioparser.ErrTooLong, 1<<31-1)
}
