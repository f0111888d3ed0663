package eio_test

import (
	"bytes"
	"fmt"
	"iter"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/jsonp"
	"github.com/siokit/siokit/fuzz/internal/property"
)

// shrunk adds a shrinker to a generator, which gopter's Map takes away.
func shrunk(g gopter.Gen, shrink gopter.Shrinker) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		result := g(p)
		result.Shrinker = shrink
		return result
	}
}

// genEIOPacket makes packets whose data is text, without the separator of
// payloads, or bytes; a failing one is shrunk by its data and then to a message.
func genEIOPacket() gopter.Gen {
	text := gen.AnyString().Map(func(s string) eioparser.Packet {
		return eioparser.Packet{Type: eioparser.Message, Data: eioTextOf(s)}
	})
	typed := gopter.CombineGens(gen.UInt8Range(0, 6), gen.AnyString()).Map(func(v []any) eioparser.Packet {
		return eioparser.Packet{Type: eioparser.PacketType(v[0].(uint8)), Data: eioTextOf(v[1].(string))}
	})
	binary := gen.SliceOf(gen.UInt8()).Map(func(b []uint8) eioparser.Packet {
		return eioparser.Packet{Type: eioparser.Message, Binary: true, Data: b}
	})
	return shrunk(gen.OneGenOf(text, typed, binary), shrinkEIOPacket)
}

func eioTextOf(s string) []byte {
	return []byte(strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x1e", ""))
}

func shrinkEIOPacket(v any) gopter.Shrink {
	p := v.(eioparser.Packet)
	if p.Binary {
		return gen.SliceShrinker(gen.UInt8Shrinker)(p.Data).Map(func(b []uint8) eioparser.Packet {
			return eioparser.Packet{Type: p.Type, Binary: true, Data: b}
		})
	}
	shorter := gen.StringShrinker(string(p.Data)).Map(func(s string) eioparser.Packet {
		return eioparser.Packet{Type: p.Type, Data: eioTextOf(s)}
	})
	simpler := func() (any, bool) {
		if p.Type == eioparser.Message {
			return nil, false
		}
		p.Type = eioparser.Message
		return p, true
	}
	return gopter.ConcatShrinks(simpler, shorter)
}

func genEIOPackets() gopter.Gen {
	list := gen.SliceOf(genEIOPacket(), reflect.TypeFor[eioparser.Packet]())
	return shrunk(list, gen.SliceShrinker(shrinkEIOPacket))
}

func samePacketList(a, b []eioparser.Packet) bool { return slices.EqualFunc(a, b, samePacket) }

// comesBack says whether a payload's packets are read as they were written.
func comesBack(
	read func([]byte) iter.Seq2[eioparser.Packet, error],
	write func([]byte, ...eioparser.Packet) []byte,
) func([]eioparser.Packet) (bool, error) {
	return func(packets []eioparser.Packet) (bool, error) {
		if len(packets) == 0 {
			return true, nil // see TestAPayloadOfNoPacketsIsNothing
		}
		got, err := collectPackets(read(write(nil, packets...)))
		return samePacketList(got, packets), err
	}
}

func TestEIOProperties(t *testing.T) {
	all := property.New(t, 200, 30)
	all.Property("a payload's packets come back", prop.ForAll(
		comesBack(eioparser.Payload, eioparser.AppendPayload), genEIOPackets()))
	all.Property("a payload's packets come back, revision 3", prop.ForAll(
		comesBack(eio3.Payload, eio3.AppendPayload), genEIOPackets()))
	all.Property("a payload's packets come back, revision 3, binary", prop.ForAll(
		comesBack(eio3.BinaryPayload, eio3.AppendBinaryPayload), genEIOPackets()))

	all.Property("a payload reads like its packets one by one", prop.ForAll(
		func(packets []eioparser.Packet) (bool, error) {
			var single []eioparser.Packet
			for _, p := range packets {
				got, err := eioparser.DecodeText(eioparser.AppendPacket(nil, p))
				if err != nil {
					return false, err
				}
				single = append(single, got)
			}
			if len(packets) == 0 {
				return true, nil
			}
			whole, err := collectPackets(eioparser.Payload(eioparser.AppendPayload(nil, packets...)))
			return samePacketList(single, whole), err
		}, genEIOPackets()))

	all.Property("two payloads with a separator between them are one", prop.ForAll(
		func(a, b []eioparser.Packet) (bool, error) {
			if len(a) == 0 || len(b) == 0 {
				return true, nil
			}
			joined := append(eioparser.AppendPayload(nil, a...), eioparser.Separator)
			joined = eioparser.AppendPayload(joined, b...)
			got, err := collectPackets(eioparser.Payload(joined))
			return samePacketList(got, slices.Concat(a, b)), err
		}, genEIOPackets(), genEIOPackets()))

	all.Property("a stream reads the same however it is cut", prop.ForAll(
		func(packets []eioparser.Packet, sizes []int) (bool, error) {
			var stream []byte
			for _, p := range packets {
				stream = eioparser.AppendStreamPacket(stream, p)
			}
			next := 0
			r := eioparser.NewStreamReader(&pieces{rest: stream, size: func() int {
				if len(sizes) == 0 {
					return len(stream)
				}
				next++
				return sizes[next%len(sizes)]
			}}, 0)
			for _, want := range packets {
				got, err := r.Next()
				if err != nil || !samePacket(got, want) {
					return false, err
				}
			}
			_, err := r.Next()
			return err != nil, nil
		}, genEIOPackets(), gen.SliceOf(gen.IntRange(1, 40))))

	all.Property("a handshake comes back", prop.ForAll(
		func(sid string, upgrades []string, interval, timeout int32, limit int64) (bool, error) {
			want := eioparser.Handshake{
				SID: "x" + strings.ToValidUTF8(sid, ""), Upgrades: []string{},
				PingInterval: time.Duration(interval) * time.Millisecond,
				PingTimeout:  time.Duration(timeout) * time.Millisecond,
				MaxPayload:   limit,
			}
			for _, name := range upgrades {
				want.Upgrades = append(want.Upgrades, strings.ToValidUTF8(name, ""))
			}
			got, err := eioparser.ParseHandshake(want.AppendJSON(nil))
			return reflect.DeepEqual(got, want), err
		}, gen.AnyString(), gen.SliceOf(gen.AnyString()), gen.Int32Range(0, 1<<31-1), gen.Int32Range(0, 1<<31-1), gen.Int64Range(0, 1<<53-1)))

	all.Property("a JSONP body comes back", prop.ForAll(
		func(packets []eioparser.Packet) (bool, error) {
			payload := eioparser.AppendPayload(nil, packets...)
			// What the official client of revision 3 does before it fills in a form.
			field := strings.ReplaceAll(string(payload), `\n`, "\\\n")
			field = strings.ReplaceAll(field, "\n", `\n`)
			got, err := jsonp.DecodeBody([]byte("d=" + url.QueryEscape(field)))
			return bytes.Equal(got, payload), err
		}, genEIOPackets()))
	all.TestingRun(t)
}

// A failing list of packets is shrunk to the one that fails.
func TestEIOPacketsAreShrunk(t *testing.T) {
	fails := prop.ForAll(func(packets []eioparser.Packet) bool {
		return !slices.ContainsFunc(packets, func(p eioparser.Packet) bool { return p.Binary && len(p.Data) > 2 })
	}, genEIOPackets())
	parameters := gopter.DefaultTestParametersWithSeed(1)
	result := fails.Check(parameters)
	if result.Passed() || len(result.Args) != 1 {
		t.Fatalf("the property does not fail: %+v", result)
	}
	got := fmt.Sprint(result.Args[0].Arg)
	if want := fmt.Sprint([]eioparser.Packet{{Type: eioparser.Message, Binary: true, Data: []byte{0, 0, 0}}}); got != want {
		t.Errorf("shrunk to %s, want %s", got, want)
	}
}
