package mutant

import (
	"strings"

	"github.com/siokit/siokit/conformance/wire"
)

// frames makes a hook of a change of single frames; nil drops the frame.
func frames(change func(*Session, wire.Frame) *wire.Frame) func(*Session, wire.Frame) []wire.Frame {
	return func(s *Session, f wire.Frame) []wire.Frame {
		if changed := change(s, f); changed != nil {
			return []wire.Frame{*changed}
		}
		return nil
	}
}

// fragmented keeps track of fragmented messages, and tells whether the frame
// stands inside one.
func fragmented(s *Session, f wire.Frame) bool {
	inside := s.Seen["fragmented"] != ""
	if f.Op < wire.Close {
		if f.Fin {
			delete(s.Seen, "fragmented")
		} else {
			s.Seen["fragmented"] = "1"
		}
	}
	return inside
}

// frameFaults are servers that don't mind, or mind too much, what RFC 6455 says.
func frameFaults() []Mutant {
	in := func(name, fault string, change func(*Session, wire.Frame) *wire.Frame) Mutant {
		return Mutant{Name: name, Fault: fault, FramesIn: frames(change)}
	}
	out := func(name, fault string, change func(*Session, wire.Frame) *wire.Frame) Mutant {
		return Mutant{Name: name, Fault: fault, FramesOut: frames(change)}
	}
	closing := func(from []int, to int) func(*Session, wire.Frame) *wire.Frame {
		return func(_ *Session, f wire.Frame) *wire.Frame {
			for _, code := range from {
				if f.Op == wire.Close && f.CloseCode() == code {
					f.Payload = wire.ClosePayload(to, "")
				}
			}
			return &f
		}
	}
	return []Mutant{
		in("frame-utf8", "text that is not UTF-8 is delivered", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op == wire.Text && f.Fin {
				f.Payload = []byte(strings.ToValidUTF8(string(f.Payload), "?"))
			}
			return &f
		}),
		in("frame-utf8-fragments", "UTF-8 is checked in each fragment alone", func(s *Session, f wire.Frame) *wire.Frame {
			if fragmented(s, f) || !f.Fin {
				f.Payload = []byte(strings.ToValidUTF8(string(f.Payload), "?"))
			}
			return &f
		}),
		in("frame-unmasked", "frames that are not masked are accepted", func(_ *Session, f wire.Frame) *wire.Frame {
			f.Masked = true
			return &f
		}),
		in("frame-reserved-bits", "reserved bits are ignored", func(s *Session, f wire.Frame) *wire.Frame {
			if s.Path != "/eio-gzip/" {
				f.RSV = 0
			}
			return &f
		}),
		in("frame-reserved-opcode", "frames with reserved opcodes are ignored", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op > wire.Binary && f.Op < wire.Close {
				return nil
			}
			return &f
		}),
		in("frame-continuation", "a continuation without a start is ignored", func(s *Session, f wire.Frame) *wire.Frame {
			if !fragmented(s, f) && f.Op == wire.Continuation {
				return nil
			}
			return &f
		}),
		in("frame-interleaved", "a new message inside a fragmented one is ignored", func(s *Session, f wire.Frame) *wire.Frame {
			if s.Seen["fragmented"] != "" && (f.Op == wire.Text || f.Op == wire.Binary) {
				return nil
			}
			fragmented(s, f)
			return &f
		}),
		in("frame-fragments-lost", "of a fragmented message the first fragment is lost", func(s *Session, f wire.Frame) *wire.Frame {
			if !fragmented(s, f) && !f.Fin && f.Op == wire.Text {
				f.Payload = f.Payload[:min(len(f.Payload), 1)]
			}
			return &f
		}),
		in("frame-empty-fragments", "an empty first fragment ends the connection", func(s *Session, f wire.Frame) *wire.Frame {
			if !f.Fin && f.Op == wire.Text && len(f.Payload) == 0 {
				s.close(1002)
				return nil
			}
			return &f
		}),
		{Name: "frame-ping-waits", Fault: "a ping inside a fragmented message is answered after it", FramesIn: func(s *Session, f wire.Frame) []wire.Frame {
			inside := fragmented(s, f)
			switch {
			case inside && f.Op == wire.Ping:
				s.Seen["ping"] = string(f.Payload)
				return nil
			case inside && f.Fin && s.Seen["ping"] != "":
				return []wire.Frame{f, {Fin: true, Op: wire.Ping, Masked: true, Payload: []byte(s.Seen["ping"])}}
			}
			return []wire.Frame{f}
		}},
		in("frame-control-fragments", "fragmented control frames are accepted", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op >= wire.Close {
				f.Fin = true
			}
			return &f
		}),
		in("frame-control-length", "long control frames are cut", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op >= wire.Close && len(f.Payload) > 125 {
				f.Payload = f.Payload[:125]
			}
			return &f
		}),
		in("frame-close-byte", "a close frame of one byte is read as an empty one", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op == wire.Close && len(f.Payload) == 1 {
				f.Payload = nil
			}
			return &f
		}),
		in("frame-close-status", "a close frame may have any status", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op == wire.Close && f.CloseCode() == 1005 {
				f.Payload = wire.ClosePayload(1000, "")
			}
			return &f
		}),
		in("frame-close-ignored", "a close frame is ignored", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op == wire.Close {
				return nil
			}
			return &f
		}),
		in("frame-fragment-limit", "fragments that are too large together are dropped", func(s *Session, f wire.Frame) *wire.Frame {
			if (fragmented(s, f) || !f.Fin) && s.Path == "/eio-small/" {
				return nil
			}
			return &f
		}),
		out("frame-code-protocol", "protocol errors end the connection with 1011", closing([]int{1002}, 1011)),
		out("frame-code-utf8", "text that is not UTF-8 ends the connection with 1002", closing([]int{1007}, 1002)),
		out("frame-code-limit", "messages that are too large end the connection with 1002", closing([]int{1009}, 1000)),
		out("frame-code-echo", "a close frame is answered with another status", closing([]int{1000}, 1001)),
		out("frame-no-pong", "ping frames are not answered", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op == wire.Pong {
				return nil
			}
			return &f
		}),
		out("frame-pong-bare", "pong frames have no payload", func(_ *Session, f wire.Frame) *wire.Frame {
			if f.Op == wire.Pong {
				f.Payload = nil
			}
			return &f
		}),
		{Name: "frame-ping-counts", Fault: "a ping frame of WebSocket counts as a pong", FramesIn: func(_ *Session, f wire.Frame) []wire.Frame {
			if f.Op == wire.Ping {
				return []wire.Frame{f, {Fin: true, Op: wire.Text, Masked: true, Payload: []byte("3")}}
			}
			return []wire.Frame{f}
		}},
	}
}
