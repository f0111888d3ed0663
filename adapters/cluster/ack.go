package cluster

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// BroadcastAck implements [adapter.AckBroadcaster].
func (a *Adapter) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	local := sel.Flags&adapter.LocalOnly != 0
	if local && !a.recovers() {
		return a.Memory.BroadcastAck(ctx, p, sel)
	}
	return func(yield func(adapter.Reply, error) bool) {
		if err := sioparser.Valid(p); err != nil {
			yield(adapter.Reply{}, err)
			return
		}
		ctx := ctx
		rq, g := askReplies(BroadcastAck)
		if !local {
			var cancel context.CancelFunc
			ctx, cancel = a.deadline(ctx)
			defer cancel()
			deadline, _ := ctx.Deadline()
			defer a.ask(ctx, rq, &Message{
				Type: Broadcast, Selection: sel, Name: p.Name, Args: p.Args,
				Detail: true, Timeout: max(time.Until(deadline), time.Millisecond),
			})()
		}
		deliver := a.DeliverAck
		if a.recovers() {
			deliver = a.journal.deliverAck
		}
		forget, err := deliver(p, sel, g.Expect, func(s adapter.Socket, args sioparser.Args, err error) {
			if err != nil {
				g.Lose(s)
				return
			}
			g.Answer(s, adapter.Reply{Args: args.Clone(), Socket: s.ID()})
		})
		if err != nil {
			yield(adapter.Reply{}, err)
			return
		}
		defer func() { forget(g.Awaited()) }()
		g.All(ctx)(yield)
	}
}

// asked is a broadcast of another server whose acknowledgements it waits for.
type asked struct {
	timer alarm // ends the waiting

	mu     sync.Mutex
	open   map[adapter.Socket]struct{}
	forget func([]adapter.Socket) // nil until the broadcast is out
}

// acknowledge serves a Broadcast with a request id: it reports how many sockets
// were asked, and each answer. Answers may overtake the count.
func (a *Adapter) acknowledge(m *Message, p *sioparser.Packet) error {
	q := &asked{}
	q.timer.f = func() { a.finish(q) }
	a.mu.Lock()
	closed := a.closed.Load()
	if !closed {
		a.asked[q] = struct{}{}
	}
	a.mu.Unlock()
	if closed {
		return nil
	}
	uid, id, detail := m.UID, m.RequestID, m.Detail
	clients := 0
	forget, err := a.DeliverAck(p, m.Selection, func(sockets []adapter.Socket) {
		clients = len(sockets)
		q.expect(sockets)
	}, func(s adapter.Socket, args sioparser.Args, err error) {
		if q.answered(s) {
			a.finish(q)
		}
		r := &Message{Type: BroadcastAck, RequestID: id}
		switch {
		case detail:
			r.Args, r.Socket, r.Gone = args, s.ID(), err != nil
		case err == nil:
			r.Args = args.Slice(0, min(args.Len(), 1))
		default:
			return // the wire has no word for it; the other server's deadline ends it
		}
		a.respond(uid, r)
	})
	a.respond(uid, &Message{Type: BroadcastClientCount, RequestID: id, Clients: clients})
	if err != nil || q.sent(forget) {
		a.finish(q)
		return err
	}
	wait := m.Timeout
	if wait == 0 {
		wait = a.config.RequestTimeout
	}
	q.timer.set(wait) // does nothing if the last answer has come meanwhile
	return nil
}

func (q *asked) expect(sockets []adapter.Socket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = make(map[adapter.Socket]struct{}, len(sockets))
	for _, s := range sockets {
		q.open[s] = struct{}{}
	}
}

// answered reports whether s was the last.
func (q *asked) answered(s adapter.Socket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, s)
	return len(q.open) == 0 && q.forget != nil
}

// sent notes that the broadcast is out and reports whether all have answered.
func (q *asked) sent(forget func([]adapter.Socket)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget = forget
	return len(q.open) == 0
}

// finish ends the waiting, once or more often.
func (a *Adapter) finish(q *asked) {
	a.mu.Lock()
	delete(a.asked, q)
	a.mu.Unlock()
	q.timer.cancel()
	q.mu.Lock()
	silent := slices.Collect(maps.Keys(q.open))
	forget := q.forget
	q.open = nil
	q.mu.Unlock()
	if len(silent) > 0 && forget != nil {
		forget(silent)
	}
}

// finishAll ends all that other servers wait for, and waits for the timers.
func (a *Adapter) finishAll() {
	a.mu.Lock()
	list := slices.Collect(maps.Keys(a.asked))
	a.mu.Unlock()
	for _, q := range list {
		a.finish(q)
		q.timer.stop()
	}
}
