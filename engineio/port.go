package engineio

import (
	"time"

	"github.com/siokit/siokit/eioparser"
)

// Port is a link's side of its session: the server makes one for each link,
// and the link hands to it what it received. All of its methods may be called
// from the link's own methods, and none of them while the link holds a lock
// that its Write, TryWrite or Close takes.
type Port struct {
	s         *Session
	transport Transport
	link      Link
	try       TryWriter // link, if it is one

	live   bool // carries the session, or did; changes with s.receiving held
	corked bool // owned by whoever reads

	ready bool // link takes batches; guarded by s.mu
	turns bool // link is not always ready; guarded by s.mu
}

// attach completes a port with its link.
func (p *Port) attach(l Link) {
	p.link = l
	p.try, _ = l.(TryWriter)
}

// Session returns the session. While the link is being made it has an id and a
// handshake, and nothing else of it is to be used.
func (p *Port) Session() *Session { return p.s }

// Protocol returns the Engine.IO revision that the client speaks: 4, or 3.
func (p *Port) Protocol() int { return p.s.Protocol() }

// MaxPayload returns the size in bytes of the largest message that a client
// may send.
func (p *Port) MaxPayload() int64 { return p.s.srv.cfg.MaxPayload }

// WriteTimeout returns how long a write may make no progress.
func (p *Port) WriteTimeout() time.Duration { return p.s.srv.cfg.PingTimeout }

// Receive hands one packet to the session: a message goes to the handler, the
// rest is the protocol's. It returns when the packet has been dealt with, so
// packets must come from one goroutine, or in turns. p.Data need not stay
// valid, except that of a binary message, which is handed over.
//
// An error says that the link is not wanted any more; what had to be done
// about it has been done.
func (p *Port) Receive(pkt eioparser.Packet) error {
	err := p.receive(pkt)
	if err != nil && err != ErrClosed {
		p.s.end(TransportError, err) // before a POST is answered: what comes next must not find the session
	}
	return err
}

func (p *Port) receive(pkt eioparser.Packet) error {
	p.s.receiving.Lock()
	defer p.s.receiving.Unlock()
	if p.live {
		return p.s.receive(pkt)
	}
	return p.s.receiveProbe(p, pkt)
}

// Fail says that the link has ended, and why, as the result of Read does. It
// is for links without Read.
func (p *Port) Fail(err error) {
	s := p.s
	s.mu.Lock()
	live, probe := s.port == p, s.isNext(p)
	s.mu.Unlock()
	switch {
	case live:
		s.fail(p, err)
	case probe:
		s.abortProbe(p)
	}
}

// Cork says that a batch of input begins: what the session sends while it is
// being worked on waits for Uncork.
func (p *Port) Cork() {
	if p.live && !p.corked {
		p.corked = true
		p.s.Cork()
	}
}

// Uncork says that the input that arrived has been worked on.
func (p *Port) Uncork() {
	if p.corked {
		p.corked = false
		p.s.Uncork()
	}
}

// SetReady says whether the link takes batches. A link is ready when it is
// made; one that is not always (long-polling between two polls) calls
// SetReady(false) in Accept and within the TryWrite or Write with which it
// stops, and SetReady(true), which may write at once, when it can take the
// next batch.
func (p *Port) SetReady(ready bool) {
	s := p.s
	s.mu.Lock()
	p.ready = ready
	p.turns = p.turns || !ready
	if !ready || s.port != p {
		s.mu.Unlock()
		return
	}
	s.pump(false)
}

// Wake asks for a call of TryWrite, with an empty batch if nothing is queued:
// the link has something of its own to write.
func (p *Port) Wake() {
	s := p.s
	s.mu.Lock()
	if s.port == p {
		s.wake = true
		s.held()
		s.pump(false)
		return
	}
	s.mu.Unlock()
	_ = p.send(nil) // an error comes back to the link's Read
}

// Go runs f on a goroutine that Server.Shutdown waits for. f must end soon
// after the link was closed.
func (p *Port) Go(f func()) { p.s.srv.group.run(f) }

// send writes to a link that does not carry the session: what an upgrade has
// to say. It may block; whoever reads the link calls it.
func (p *Port) send(batch []Outgoing) error {
	if p.try == nil {
		if len(batch) == 0 {
			return nil
		}
		return p.write(batch)
	}
	err := p.tryWrite(batch)
	if err == ErrWouldBlock {
		err = p.write(nil)
	}
	return err
}

// start reads the link on a goroutine of the server.
func (p *Port) start() {
	p.s.srv.group.begin()
	go func() {
		defer p.s.srv.group.end()
		if err := p.read(); err == ErrReadOn {
			p.start()
		} else {
			p.readEnded(err)
		}
	}()
}

// readHere reads the link on this goroutine.
func (p *Port) readHere() {
	err := ErrReadOn
	for err == ErrReadOn {
		err = p.read()
	}
	p.readEnded(err)
}

func (p *Port) readEnded(err error) {
	p.Fail(err)
	p.close()
}

// reader returns the link as a Reader, or nil.
func (p *Port) reader() Reader {
	r, _ := p.link.(Reader)
	return r
}

// read, write, tryWrite and close are the link's methods. Anybody may have
// written them: a panic is an error like another, of that session alone.

func (p *Port) read() (err error) {
	defer p.recovered("Link.Read", &err)
	return p.reader().Read()
}

func (p *Port) write(batch []Outgoing) (err error) {
	defer p.recovered("Link.Write", &err)
	return p.link.Write(batch)
}

func (p *Port) tryWrite(batch []Outgoing) (err error) {
	defer p.recovered("Link.TryWrite", &err)
	return p.try.TryWrite(batch)
}

func (p *Port) close() {
	var err error // nobody is left to be told
	defer p.recovered("Link.Close", &err)
	p.link.Close()
}

// recovered is deferred around a call of the link.
func (p *Port) recovered(where string, err *error) {
	if v := recover(); v != nil {
		*err = p.s.srv.panicked(where, v)
	}
}
