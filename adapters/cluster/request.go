package cluster

import (
	"context"

	"github.com/siokit/siokit/socketio/adapter"
)

// request is one of ours that waits for other servers. answer is the type of the
// responses; of sockets and replies, the one that takes them is set, and g is
// that one.
type request struct {
	answer  Type
	g       gatherer
	sockets *adapter.Gather[adapter.SocketInfo]
	replies *adapter.Gather[adapter.Reply]
}

func askSockets() (*request, *adapter.Gather[adapter.SocketInfo]) {
	g := adapter.NewGather[adapter.SocketInfo]()
	return &request{answer: FetchSocketsResponse, g: g, sockets: g}, g
}

// askReplies is for BroadcastAck and ServerSideEmitResponse.
func askReplies(answer Type) (*request, *adapter.Gather[adapter.Reply]) {
	g := adapter.NewGather[adapter.Reply]()
	return &request{answer: answer, g: g, replies: g}, g
}

// gatherer is what is the same for all gatherings.
type gatherer interface {
	ExpectNodes(names ...string)
	ExpectMoreNodes(n int)
	NodeLeft(node string, err error)
	Close(err error)
}

// deadline gives ctx one if it has none.
func (a *Adapter) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, a.config.RequestTimeout)
}

// ask sends m as a request to all other servers; rq waits for them from now on.
// The caller calls done when it waits no longer.
func (a *Adapter) ask(ctx context.Context, rq *request, m *Message) (done func()) {
	id := randomID() // a codec may change that of m
	m.RequestID = id
	a.mu.Lock()
	err := error(nil)
	if a.closed.Load() {
		err = errClosed
	} else {
		a.requests[id] = rq // from here on it hears who leaves
	}
	a.mu.Unlock()
	done = func() {
		a.mu.Lock()
		delete(a.requests, id)
		if len(a.requests) == 0 {
			clear(a.marks) // nobody waits for them
		}
		a.mu.Unlock()
	}
	nodes := a.nodes.awaited(rq.g)
	if a.config.counts() {
		// If the bus can't tell how many there are, somebody may be there.
		n, err := a.Servers(ctx)
		if err != nil {
			n = 2
		}
		// Who has left since then may be counted, as one of those without a name:
		// that may wait too long, but takes nobody's answer for another's.
		more := max(n-1-a.nodes.still(nodes), 0)
		nodes = append(nodes, make([]string, more)...)
		rq.g.ExpectMoreNodes(more)
	}
	// A broadcast is also for the sockets of servers that have just come, and whom
	// nobody knows yet.
	if len(nodes) == 0 && (m.Type != Broadcast || a.config.counts()) {
		return done
	}
	if err == nil {
		err = a.publish(m)
	}
	if err != nil {
		// Nobody was asked, so nobody will answer.
		for _, name := range nodes {
			rq.g.NodeLeft(name, err)
		}
	}
	return done
}

// request returns the one that a response is for, nil if nobody waits for it any
// more.
func (a *Adapter) request(id string) *request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[id]
}

// eachRequest calls f, with nothing locked, for each that is under way.
func (a *Adapter) eachRequest(f func(gatherer)) {
	a.mu.Lock()
	list := make([]gatherer, 0, len(a.requests))
	for _, rq := range a.requests {
		list = append(list, rq.g)
	}
	a.mu.Unlock()
	for _, g := range list {
		f(g)
	}
}

// goodbye ends the waiting for a server that leaves. Its answers came on a topic of
// their own, which may be behind: what this server sends itself there comes after
// them. A Router knows only one kind of response, and has one connection.
func (a *Adapter) goodbye(uid string) {
	a.nodes.left(uid)
	var waiting []gatherer
	a.eachRequest(func(g gatherer) { waiting = append(waiting, g) })
	left := func() {
		for _, g := range waiting {
			g.NodeLeft(uid, nil)
		}
	}
	if len(waiting) == 0 || a.router != nil {
		left()
		return
	}
	id := randomID()
	a.mu.Lock()
	a.marks[id] = left
	a.mu.Unlock()
	if a.send(a.responseTopic(a.config.UID), &Message{Type: FetchSocketsResponse, RequestID: id}) != nil {
		a.mark(id)
	}
}

// mark does what was to be done behind the answers that were on their way.
func (a *Adapter) mark(id string) {
	a.mu.Lock()
	f := a.marks[id]
	delete(a.marks, id)
	a.mu.Unlock()
	if f != nil {
		f()
	}
}

// silent gives up a server whose heartbeats have stopped.
func (a *Adapter) silent(uid string) {
	a.config.Logger.Warn("cluster: a server has fallen silent", "namespace", a.local.Namespace(), "uid", uid)
	a.eachRequest(func(g gatherer) { g.NodeLeft(uid, ErrSilent) })
}
