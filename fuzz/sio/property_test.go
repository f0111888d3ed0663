package sio_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/siokit/siokit/fuzz/internal/property"
	"github.com/siokit/siokit/sioparser"
)

// decoded is the one packet that the messages make.
func decoded(frames []sioFrame) (*sioparser.Packet, *sioModel, error) {
	p, used, err := decodeSIO(sioparser.Text.NewDecoder(sioparser.Limits{}), frames)
	if err != nil {
		return nil, nil, err
	}
	if p == nil || used != len(frames) {
		return nil, nil, fmt.Errorf("%v: %d messages used", frames, used)
	}
	m, err := modelOf(p)
	return p, m, err
}

func TestSIORoundTrip(t *testing.T) {
	all := property.New(t, 1000, 100)
	packets := sioGoValues{}.gen()

	all.Property("what is encoded is decoded", prop.ForAll(func(p sioPacket) (bool, error) {
		frames, err := p.encode()
		if slices.ContainsFunc(p.Args, looksLikePlaceholder) && slices.ContainsFunc(p.Args, holdsBytes) {
			return errors.Is(err, sioparser.ErrPlaceholder), nil
		}
		if err != nil {
			return false, err
		}
		_, m, err := decoded(frames)
		if err != nil {
			return false, err
		}
		want := &sioModel{Type: p.Type, Namespace: p.Namespace, ID: p.ID, HasID: p.HasID, Name: p.Name, Args: p.Args}
		if slices.ContainsFunc(p.Args, holdsBytes) {
			want.Type += sioparser.BinaryEvent - sioparser.Event
		}
		if s := m.differs(want); s != "" {
			return false, errors.New(s)
		}
		return true, nil
	}, packets))

	all.Property("relaying is the identity", prop.ForAll(func(p sioPacket) (bool, error) {
		frames, err := p.encode()
		if err != nil {
			return true, nil
		}
		q, _, err := decoded(frames)
		if err != nil {
			return false, err
		}
		again, err := encodeSIO(q)
		if err != nil || !sameFrames(frames, again) {
			return false, fmt.Errorf("%v became %v, %w", frames, again, err)
		}
		return true, nil
	}, packets))

	all.Property("values appended one by one, from the front or the back, are the same arguments", prop.ForAll(func(p sioPacket, at int) (bool, error) {
		whole, err := sioValues.Append(sioparser.Args{}, p.Args...)
		if err != nil {
			return false, err
		}
		at = at % (len(p.Args) + 1)
		var single sioparser.Args
		for _, v := range p.Args {
			if single, err = sioValues.Append(single, v); err != nil {
				return false, err
			}
		}
		front, err := sioValues.Append(sioparser.Args{}, p.Args[:at]...)
		if err != nil {
			return false, err
		}
		back, err := sioValues.Append(sioparser.Args{}, p.Args[at:]...)
		if err != nil {
			return false, err
		}
		for _, other := range []sioparser.Args{single, front.Concat(back), whole.Slice(0, at).Concat(whole.Slice(at, whole.Len()))} {
			got := make([]any, len(p.Args))
			ptrs := make([]any, len(got))
			for i := range got {
				ptrs[i] = &got[i]
			}
			if err := sioValues.Bind(other, ptrs...); err != nil {
				return false, err
			}
			if !sameValues(got, p.Args) {
				return false, fmt.Errorf("%#v", got)
			}
		}
		return true, nil
	}, packets, gen.IntRange(0, 1<<20)))

	all.Property("the log's form is the same arguments", prop.ForAll(func(p sioPacket) (bool, error) {
		frames, err := p.encode()
		if err != nil {
			return true, nil
		}
		q, _, err := decoded(frames)
		if err != nil {
			return false, err
		}
		q.Args, err = sioparser.ParseArgs(q.Args.AppendArray(nil), q.Args.Attachments())
		if err != nil {
			return false, err
		}
		again, err := encodeSIO(q)
		return err == nil && sameFrames(frames, again), err
	}, packets))

	all.TestingRun(t)
}

// Connections whose messages come in turns do not disturb each other, however
// they are interleaved.
func TestSIOInterleavedConnections(t *testing.T) {
	all := property.New(t, 1000, 100)
	packets := sioGoValues{}.gen()
	all.Property("any split", prop.ForAll(func(p, q sioPacket, order uint64) (bool, error) {
		var queues [2][]sioFrame
		var want [2][]*sioModel
		for i, packet := range []sioPacket{p, q} {
			frames, err := packet.encode()
			if err != nil {
				return true, nil
			}
			_, m, err := decoded(frames)
			if err != nil {
				return false, err
			}
			queues[i] = slices.Concat(frames, frames)
			want[i] = []*sioModel{m, m}
		}
		decoders := []sioparser.Decoder{sioparser.Text.NewDecoder(sioparser.Limits{}), sioparser.Text.NewDecoder(sioparser.Limits{})}
		for len(queues[0])+len(queues[1]) > 0 {
			i := int(order & 1)
			if order >>= 1; len(queues[i]) == 0 {
				i = 1 - i
			}
			got, used, err := decodeSIO(decoders[i], queues[i][:1])
			if err != nil {
				return false, err
			}
			queues[i] = queues[i][used:]
			if got == nil {
				continue
			}
			m, err := modelOf(got)
			if err != nil {
				return false, err
			}
			if s := m.differs(want[i][0]); s != "" {
				return false, errors.New(s)
			}
			want[i] = want[i][1:]
		}
		return len(want[0])+len(want[1]) == 0, nil
	}, packets, packets, gen.UInt64()))
	all.TestingRun(t)
}
