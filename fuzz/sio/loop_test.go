package sio_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/loop"
	"github.com/siokit/siokit/sioparser"
)

func newSIOMaker(t testing.TB) sioMaker { return sioMaker{sioVectors(t)} }

// The decoder and the model agree about random messages.
func TestSIOModelLoop(t *testing.T) {
	m := newSIOMaker(t)
	loop.Run(t, func(r *rand.Rand) error { return checkSIODecode(m.frames(r)) })
}

// The fast loop: no model, but many more messages. Changed packets are read by
// decoders that have read others before; what is accepted is written, read and
// written again without a change, parsed by itself, and bound.
func TestSIODecodeLoop(t *testing.T) {
	m := newSIOMaker(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		m.vectors = append(m.vectors, m.frames(r))
	}
	readers := sync.Pool{New: func() any { return newSIOReader() }}
	loop.Run(t, func(r *rand.Rand) error {
		reader := readers.Get().(*sioReader)
		defer readers.Put(reader)
		return reader.check(r, pick(r, m.vectors))
	})
}

// sioReader is memory for the fast loop.
type sioReader struct {
	first, second sioparser.Decoder
	input         []byte
	once, twice   []byte
	array         []byte
	bound         [2]any
}

func newSIOReader() *sioReader {
	return &sioReader{first: sioparser.Text.NewDecoder(sioparser.Limits{}), second: sioparser.Text.NewDecoder(sioparser.Limits{})}
}

func (s *sioReader) check(r *rand.Rand, frames []sioFrame) error {
	for _, f := range frames {
		s.input = append(s.input[:0], f.Data...)
		if !f.Binary {
			for range r.IntN(4) {
				s.input = sioChange(r, s.input)
			}
		}
		p, err := s.first.Decode(s.input, f.Binary)
		if err != nil {
			return nil
		}
		if p == nil {
			continue
		}
		if err := s.again(p); err != nil {
			return fmt.Errorf("%v, last one changed to %q: %w", frames, s.input, err)
		}
	}
	// What is still due never comes.
	_, _ = s.first.Decode(nil, false)
	return nil
}

// sioChange changes a byte or two, mostly to those that mean something.
func sioChange(r *rand.Rand, b []byte) []byte {
	const bytes = `[]{}",:\/-0123456789truefalsnE.+_ num` + "\x00\x1f\n\x7f\x80\xbf\xc2\xe1\xed\xf0\xff"
	at := r.IntN(len(b) + 1)
	switch r.IntN(4) {
	case 0:
		return b[:at]
	case 1:
		return slices.Insert(b, at, bytes[r.IntN(len(bytes))])
	case 2:
		if at < len(b) {
			return slices.Delete(b, at, at+1)
		}
	case 3:
		if at < len(b) {
			b[at] = bytes[r.IntN(len(bytes))]
		}
	}
	return b
}

func (s *sioReader) again(p *sioparser.Packet) error {
	if p.Type == sioparser.ConnectError && p.Payload == nil {
		return nil
	}
	once, _, attachments, err := sioparser.Text.AppendPacket(s.once[:0], p)
	s.once = once
	if err != nil {
		return fmt.Errorf("not encoded again: %w", err)
	}
	q, err := s.second.Decode(once, false)
	for _, b := range attachments {
		if q != nil || err != nil {
			return fmt.Errorf("%q: attachments behind a complete packet: %w", once, err)
		}
		q, err = s.second.Decode(b, true)
	}
	if q == nil {
		return fmt.Errorf("%q is not read again: %w", once, err)
	}
	twice, _, same, err := sioparser.Text.AppendPacket(s.twice[:0], q)
	s.twice = twice
	if err != nil || string(once) != string(twice) || len(attachments) != len(same) {
		return fmt.Errorf("%q is written as %q the second time, %v", once, twice, err)
	}
	if p.Namespace != q.Namespace || p.ID != q.ID || p.HasID != q.HasID || string(p.Name) != string(q.Name) || p.Args.Len() != q.Args.Len() {
		return fmt.Errorf("%+v became %+v", p, q)
	}
	s.array = q.Args.AppendArray(s.array[:0])
	a, err := sioparser.ParseArgs(s.array, q.Args.Attachments())
	if err != nil || a.Len() != q.Args.Len() {
		return fmt.Errorf("%q is not parsed again: %w", s.array, err)
	}
	// A number out of range is the only thing that an any cannot be.
	if err := sioValues.Bind(a, &s.bound[0], &s.bound[1]); err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%q: %w", s.array, err)
	}
	return nil
}

func TestSIOParseArgsLoop(t *testing.T) {
	loop.Run(t, func(r *rand.Rand) error {
		attachments := r.IntN(4)
		return checkSIOParseArgs(sioArray(r, attachments), attachments)
	})
}

func TestSIOBindAnyLoop(t *testing.T) {
	loop.Run(t, func(r *rand.Rand) error { return checkSIOBindAny(sioArray(r, 0)) })
}

// sioArray is a JSON array, now and then a broken one.
func sioArray(d dice, attachments int) []byte {
	var b strings.Builder
	b.WriteString("[")
	for i := range d.IntN(8) {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(sioSpaces.pick(d))
		sioJSON(d, &b, 5, attachments)
		b.WriteString(sioSpaces.pick(d))
	}
	b.WriteString("]")
	list := []sioFrame{sioText(b.String())}
	if d.IntN(3) == 0 {
		sioMutate(d, sioMaker{[][]sioFrame{list}}, list)
	}
	return list[0].Data
}

// One decoder, whatever it has read before, reads a packet as a new one does.
func TestSIODecoderHasNoMemory(t *testing.T) {
	m := newSIOMaker(t)
	loop.Run(t, func(r *rand.Rand) error {
		used := sioparser.Text.NewDecoder(sioparser.Limits{})
		for range 1 + r.IntN(3) {
			before := m.frames(r)
			for len(before) > 0 {
				p, n, err := decodeSIO(used, before)
				if p == nil && err == nil {
					if _, err := used.Decode([]byte("2"), false); err == nil {
						return fmt.Errorf("%v: text is taken while attachments are due", before)
					}
				}
				before = before[n:]
			}
		}
		frames := m.frames(r)
		p, n, err := decodeSIO(used, frames)
		q, k, err2 := decodeSIO(sioparser.Text.NewDecoder(sioparser.Limits{}), frames)
		if (err == nil) != (err2 == nil) || n != k || (p == nil) != (q == nil) || err != nil && err.Error() != err2.Error() {
			return fmt.Errorf("%v: a used decoder has %v, %v, a new one %v, %v", frames, p, err, q, err2)
		}
		if p == nil {
			return nil
		}
		a, err := modelOf(p)
		if err != nil {
			return err
		}
		b, err := modelOf(q)
		if err != nil {
			return err
		}
		if s := a.differs(b); s != "" {
			return fmt.Errorf("%v: a used decoder and a new one: %s", frames, s)
		}
		return nil
	})
}

// No message costs more than eight times its length and 4 KiB.
func TestSIOAllocationBound(t *testing.T) {
	m := newSIOMaker(t)
	var inputs [][]byte
	for _, frames := range m.vectors {
		for _, f := range frames {
			inputs = append(inputs, f.Data)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		for _, f := range m.frames(r) {
			inputs = append(inputs, f.Data)
		}
	}
	pieces := [][]string{sioStrings.all(), sioKeys.all(), sioScalars.all(), {"[", "{", `{"":`, `{"_placeholder":true,"num":0},`, `{"_placeholder":true,"num":0,"":`, `"a":1,`, `"_placeholder":true,`, "1,", `"",`, `"\u0041`, "[[[[1],"}}
	for _, head := range []string{`2["x",`, `51-["x",`, `2["`, `0{`, `0{"a":`, `3[`, `2/`, `5`} {
		for _, list := range pieces {
			for _, piece := range list {
				for _, size := range []int{300, 1000, 3000, 30_000} {
					inputs = append(inputs, []byte(head+strings.Repeat(piece, size/len(piece)+1)))
				}
			}
		}
	}
	for _, input := range inputs {
		d := sioparser.Text.NewDecoder(sioparser.Limits{})
		if got := loop.Allocated(func() { _, _ = d.Decode(input, false); d = sioparser.Text.NewDecoder(sioparser.Limits{}) }); got > loop.Bound(len(input)) {
			t.Errorf("%d bytes for %d of input that begins with %.60q", got, len(input), input)
		}
		if got := loop.Allocated(func() { _, _ = sioparser.ParseArgs(input, [][]byte{nil}) }); got > loop.Bound(len(input)) {
			t.Errorf("ParseArgs: %d bytes for %d of input that begins with %.60q", got, len(input), input)
		}
	}
}
