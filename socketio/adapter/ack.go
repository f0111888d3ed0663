package adapter

import (
	"context"
	"iter"

	"github.com/siokit/siokit/sioparser"
)

// BroadcastAck implements [AckBroadcaster].
func (m *Memory) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel Selection) iter.Seq2[Reply, error] {
	return broadcastAck(ctx, m.DeliverAck, p, sel)
}

// deliverAck has the form of [Memory.DeliverAck].
type deliverAck func(*sioparser.Packet, Selection, func([]Socket), ReplyFunc) (func([]Socket), error)

func broadcastAck(ctx context.Context, deliver deliverAck, p *sioparser.Packet, sel Selection) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		g := NewGather[Reply]()
		forget, err := deliver(p, sel, g.Expect, func(s Socket, args sioparser.Args, err error) {
			if err != nil {
				g.Lose(s)
				return
			}
			g.Answer(s, Reply{Args: args.Clone(), Socket: s.ID()})
		})
		if err != nil {
			yield(Reply{}, err)
			return
		}
		defer func() { forget(g.Awaited()) }()
		g.All(ctx)(yield)
	}
}

// DeliverAck broadcasts a packet that asks for acknowledgements to the sockets
// of this server: BroadcastAck with callbacks, for adapters that gather answers
// from elsewhere too. expect is called once, under an index lock and before
// anything is queued, with the sockets that are asked; reply, for each of them,
// as Local.PrepareAck says. The caller calls forget, when it waits no longer,
// with those that have not answered.
func (m *Memory) DeliverAck(p *sioparser.Packet, sel Selection, expect func([]Socket), reply ReplyFunc) (forget func([]Socket), err error) {
	if !m.anyone(sel) {
		expect(nil)
		return func([]Socket) {}, nil
	}
	d, forget, err := m.local.PrepareAck(p, sel.Flags, reply)
	if err != nil {
		return nil, err
	}
	w := newWalk()
	defer w.free()
	held := m.rlock(sel)
	m.collect(sel, w)
	expect(w.sockets)
	for _, s := range w.sockets {
		s.Push(d)
	}
	m.runlock(held)
	if len(w.sockets) > 0 {
		m.local.Flush(w.sockets)
	}
	return forget, nil
}
