package eio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/jsonp"
	"github.com/siokit/siokit/fuzz/internal/nodepeer"
)

// The reference's parsers, in a Node process, and ours see the same random
// inputs. Every difference must be one of the module's list, DIFFERENCES.md.

// nodePacket is a packet as node/eio.js writes it.
type nodePacket struct {
	Type   int    `json:"t"`
	Binary bool   `json:"b"`
	Data   []byte `json:"d"`
	Error  bool   `json:"e,omitempty"`
}

func (p nodePacket) same(q eioparser.Packet) bool {
	return !p.Error && p.Type == int(q.Type) && p.Binary == q.Binary && bytes.Equal(p.Data, q.Data)
}

// comparePackets compares what both made of one input. Packets must be the same
// up to our error, if any; the reference may read on beyond it if the error is
// one of stricter, those for which ours is meant to be stricter.
func comparePackets(t *testing.T, input []byte, ours iter.Seq2[eioparser.Packet, error], theirs []nodePacket, stricter ...error) {
	t.Helper()
	i := 0
	for p, err := range ours {
		if err != nil {
			for _, allowed := range stricter {
				if errors.Is(err, allowed) {
					return
				}
			}
			if i != len(theirs)-1 || !theirs[i].Error {
				t.Errorf("%q: packet %d is %v, theirs %+v", input, i, err, theirs)
			}
			return
		}
		if i >= len(theirs) || !theirs[i].same(p) {
			t.Errorf("%q: packet %d is %+v, theirs %+v", input, i, p, theirs)
			return
		}
		i++
	}
	if i != len(theirs) {
		t.Errorf("%q: %d packets, theirs %+v", input, i, theirs)
	}
}

func one(p eioparser.Packet, err error) iter.Seq2[eioparser.Packet, error] {
	return func(yield func(eioparser.Packet, error) bool) { yield(p, err) }
}

func TestEIODecodersAgreeWithTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "eio.js")
	tests := []struct {
		op, kind string
		decode   func([]byte) iter.Seq2[eioparser.Packet, error]
		stricter []error
	}{
		{"text", eioText, func(b []byte) iter.Seq2[eioparser.Packet, error] { return one(eioparser.DecodeText(b)) },
			[]error{eioparser.ErrUTF8, eioparser.ErrBase64}},
		{"payload", eioPayload, eioparser.Payload,
			[]error{eioparser.ErrUTF8, eioparser.ErrBase64}},
		{"text3", eio3Text, func(b []byte) iter.Seq2[eioparser.Packet, error] { return one(eio3.DecodeText(b)) },
			[]error{eioparser.ErrUTF8, eioparser.ErrBase64}},
		{"binary3", eio3BinaryBody, func(b []byte) iter.Seq2[eioparser.Packet, error] { return one(eio3.DecodeBinary(b)) },
			nil},
		{"payload3", eio3Payload, eio3.Payload,
			[]error{eioparser.ErrUTF8, eioparser.ErrBase64, eioparser.ErrEmptyPacket, eioparser.ErrLength}},
		{"binaryPayload3", eio3BinaryBody, eio3.BinaryPayload,
			[]error{eioparser.ErrUTF8, eioparser.ErrBase64, eioparser.ErrEmptyPacket, eioparser.ErrLength}},
	}
	for _, test := range tests {
		t.Run(test.op, func(t *testing.T) {
			m := newEIOMaker(t, test.kind)
			nodepeer.Each(t, peer, test.op, m.vectors, m.input, func(input []byte, theirs []nodePacket) {
				// A type that does not exist is an error here, not a packet.
				if i := slices.IndexFunc(theirs, func(p nodePacket) bool { return p.Type < 0 }); i >= 0 {
					theirs = append(theirs[:i], nodePacket{Error: true})
				}
				if test.op == "binaryPayload3" && theirsAtOnce(input, theirs) {
					return
				}
				comparePackets(t, input, test.decode(input), theirs, test.stricter...)
			})
		})
	}
}

// theirsAtOnce reports whether both refuse a binary body of revision 3, but the
// reference, which cuts the whole body before it decodes a packet, refuses it
// before the packets that we deliver; or whether the lengths are ones that only
// the reference takes.
func theirsAtOnce(body []byte, theirs []nodePacket) bool {
	_, err := collectPackets(eio3.BinaryPayload(body))
	return errors.Is(err, eioparser.ErrLength) || err != nil && len(theirs) == 1 && theirs[0].Error
}

type streamCase struct {
	Chunks [][]byte `json:"chunks"`
	Limit  int      `json:"limit"`
}

func TestEIOStreamsAgreeWithTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "eio.js")
	m := newEIOMaker(t, eioStream)
	makeCase := func(r *rand.Rand) streamCase {
		c := streamCase{Limit: streamLimit}
		for stream := m.input(r); len(stream) > 0; {
			n := min(len(stream), 1+r.IntN(1<<r.IntN(8)))
			c.Chunks = append(c.Chunks, stream[:n])
			stream = stream[n:]
		}
		return c
	}
	nodepeer.Each(t, peer, "stream", nil, makeCase, func(c streamCase, theirs []nodePacket) {
		stream := bytes.Join(c.Chunks, nil)
		r := eioparser.NewStreamReader(bytes.NewReader(stream), streamLimit)
		ours := func(yield func(eioparser.Packet, error) bool) {
			for {
				p, err := r.Next()
				var bad eioparser.Error
				if err != nil && !errors.As(err, &bad) {
					return // the end; the reference waits for more
				}
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
		stricter := []error{eioparser.ErrUTF8, eioparser.ErrBase64}
		if bytes.Contains(stream, []byte("\ufeff")) {
			stricter = append(stricter, eioparser.ErrPacketType, eioparser.ErrEmptyPacket)
		}
		comparePackets(t, stream, ours, theirs, stricter...)
	})
}

// randomPacket is one that either side could send.
func randomPacket(r *rand.Rand) nodePacket {
	p := nodePacket{Type: 4, Data: []byte{}}
	pieces := []string{"a", "hello ", "é", "€", "😀", "\x00", "\n", `"`, `\`, "\u2028", "\ufeff", "0:", "b"}
	for range r.IntN(1 << r.IntN(9)) {
		p.Data = append(p.Data, pieces[r.IntN(len(pieces))]...)
	}
	switch r.IntN(3) {
	case 0:
		p.Type = r.IntN(7)
	case 1:
		p.Binary = true
		for i := range p.Data {
			p.Data[i] = byte(r.Uint32())
		}
	}
	return p
}

func randomPackets(r *rand.Rand) []nodePacket {
	list := make([]nodePacket, 1+r.IntN(5))
	for i := range list {
		list[i] = randomPacket(r)
	}
	return list
}

func (p nodePacket) packet() eioparser.Packet {
	return eioparser.Packet{Type: eioparser.PacketType(p.Type), Binary: p.Binary, Data: p.Data}
}

func TestEIOEncodersMakeTheBytesOfTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "eio.js")
	t.Run("encodeText", func(t *testing.T) {
		nodepeer.Each(t, peer, "encodeText", nil, randomPacket, func(p nodePacket, theirs []byte) {
			if ours := eioparser.AppendPacket(nil, p.packet()); !bytes.Equal(ours, theirs) {
				t.Errorf("%+v: %q, theirs %q", p, ours, theirs)
			}
		})
	})
	tests := map[string]func([]byte, ...eioparser.Packet) []byte{
		"encodePayload":        eioparser.AppendPayload,
		"encodePayload3":       eio3.AppendPayload,
		"encodeBinaryPayload3": eio3.AppendBinaryPayload,
		"encodeStream": func(dst []byte, packets ...eioparser.Packet) []byte {
			for _, p := range packets {
				// The reference sends a frame that its own decoder refuses.
				if p.Binary && len(p.Data) == 0 {
					dst = append(dst, 0x80)
					continue
				}
				dst = eioparser.AppendStreamPacket(dst, p)
			}
			return dst
		},
	}
	for op, encode := range tests {
		t.Run(op, func(t *testing.T) {
			nodepeer.Each(t, peer, op, nil, randomPackets, func(list []nodePacket, theirs []byte) {
				var packets []eioparser.Packet
				for _, p := range list {
					packets = append(packets, p.packet())
				}
				if ours := encode(nil, packets...); !bytes.Equal(ours, theirs) {
					t.Errorf("%+v: %q, theirs %q", list, ours, theirs)
				}
			})
		})
	}
}

func TestEIOHandshakesAgreeWithTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "eio.js")
	m := newEIOMaker(t, eioHandshake)
	nodepeer.Each(t, peer, "handshake", m.vectors, m.input, func(data []byte, theirs json.RawMessage) {
		h, err := eioparser.ParseHandshake(data)
		if err != nil {
			return // the reference checks nothing; our rules are in the model
		}
		var text []byte
		if err := json.Unmarshal(theirs, &text); err != nil {
			t.Errorf("%q is accepted, theirs %s", data, theirs)
			return
		}
		// A lone surrogate that JSON.stringify escapes again is U+FFFD to us.
		if ours := h.AppendJSON(nil); !bytes.Equal(ours, text) && !bytes.Contains(text, []byte(`\ud`)) {
			t.Errorf("%q is %s, theirs %s", data, ours, text)
		}
	})
}

func TestEIOJSONPAgreesWithTheReference(t *testing.T) {
	peer := nodepeer.Start(t, "eio.js")
	t.Run("jsonpBody", func(t *testing.T) {
		m := newEIOMaker(t, eioJSONPFormBody)
		nodepeer.Each(t, peer, "jsonpBody", m.vectors, m.input, func(body []byte, theirs []byte) {
			ours, err := jsonp.DecodeBody(body)
			// What is not UTF-8 the payload's decoder refuses, and a key may be
			// escaped for the reference.
			if err != nil || !utf8.Valid(body) || !utf8.Valid(ours) || bytes.Contains(body, []byte("%64")) {
				return
			}
			if !bytes.Equal(ours, theirs) {
				t.Errorf("%q is %q, theirs %q", body, ours, theirs)
			}
		})
	})
	t.Run("jsonpAnswer", func(t *testing.T) {
		m := newEIOMaker(t, eioJSONPAnswer)
		nodepeer.Each(t, peer, "jsonpAnswer", m.vectors, m.input, func(payload []byte, theirs []byte) {
			if ours := jsonp.Append(nil, 7, payload); utf8.Valid(payload) && !bytes.Equal(ours, theirs) {
				t.Errorf("%q is answered with %q, theirs %q", payload, ours, theirs)
			}
		})
	})
}
