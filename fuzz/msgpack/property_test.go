package msgpack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/siokit/siokit/fuzz/internal/property"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// genMsgpackArgs makes lists of values that both JSON and MessagePack hold: nil,
// bools, whole and other numbers, strings, buffers, and lists and maps of them.
func genMsgpackArgs(p *gopter.GenParameters) *gopter.GenResult {
	list := make([]any, p.Rng.Intn(5))
	for i := range list {
		list[i] = randomMsgpackValue(p.Rng, 3)
	}
	return gopter.NewGenResult(list, shrinkMsgpackArgs)
}

func randomMsgpackValue(r *rand.Rand, levels int) any {
	kind := r.Intn(8)
	if levels == 0 {
		kind = r.Intn(6)
	}
	switch kind {
	case 0:
		return r.Intn(2) == 0
	case 1:
		return r.Int63() >> r.Intn(63) * int64(1-2*r.Intn(2))
	case 2:
		return r.NormFloat64() * float64(int(1)<<r.Intn(60))
	case 3:
		text := make([]rune, r.Intn(40))
		for i := range text {
			text[i] = rune(r.Intn(1 << (3 + r.Intn(14))))
		}
		return strings.ToValidUTF8(string(text), "?")
	case 4:
		return bytes.Repeat([]byte{byte(r.Int())}, r.Intn(300))
	case 5:
		return nil
	case 6:
		list := make([]any, r.Intn(20))
		for i := range list {
			list[i] = randomMsgpackValue(r, levels-1)
		}
		return list
	}
	object := map[string]any{}
	for i := range r.Intn(20) {
		object[fmt.Sprintf("key %d", i)] = randomMsgpackValue(r, levels-1)
	}
	return object
}

func shrinkMsgpackArgs(v any) gopter.Shrink { return gen.SliceShrinker(shrinkMsgpackValue)(v) }

func shrinkMsgpackValue(v any) gopter.Shrink {
	switch v := v.(type) {
	case int64:
		return gen.Int64Shrinker(v)
	case string:
		return gen.StringShrinker(v)
	case []byte:
		return gen.SliceShrinker(gen.UInt8Shrinker)(v)
	case []any:
		return shrinkMsgpackArgs(v)
	}
	return gopter.NoShrink
}

func TestMsgpackProperties(t *testing.T) {
	all := property.New(t, 200, 30)
	values := sioparser.JSON()

	all.Property("arguments come back with the same JSON and attachments", prop.ForAll(
		func(list []any) (bool, error) {
			args, err := values.Append(sioparser.Args{}, list...)
			if err != nil {
				return false, err
			}
			back, err := msgpack.ToArgs(msgpack.AppendFromArgs(nil, args), sioparser.Limits{Attachments: -1})
			if err != nil {
				return false, err
			}
			if got, want := back.AppendArray(nil), args.AppendArray(nil); !sameMsgpackJSON(got, want) {
				return false, fmt.Errorf("%s became %s", want, got)
			}
			return sameMsgpackBuffers(back.Attachments(), args.Attachments()), nil
		}, genMsgpackArgs))

	all.Property("a packet comes back", prop.ForAll(
		func(kind uint8, id uint64, list []any) (bool, error) {
			args, err := values.Append(sioparser.Args{}, list...)
			if err != nil {
				return false, err
			}
			p := sioparser.Packet{Type: sioparser.Ack, HasID: true, ID: id, Namespace: "/x", Args: args}
			if kind == 0 {
				p.Type, p.Name, p.HasID = sioparser.Event, []byte("e"), id%2 == 0
			}
			wire, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
			if err != nil {
				return false, err
			}
			q, err := msgpack.Codec.NewDecoder(sioparser.Limits{Attachments: -1}).Decode(wire, true)
			if err != nil {
				return false, err
			}
			return q.Type == p.Type && q.HasID == p.HasID && (!p.HasID || q.ID == p.ID) && q.Namespace == "/x" &&
				bytes.Equal(q.Name, p.Name) && sameMsgpackJSON(q.Args.AppendArray(nil), args.AppendArray(nil)), nil
		}, gen.UInt8Range(0, 1), gen.UInt64Range(0, sioparser.MaxID), genMsgpackArgs))

	all.Property("a message cut short is refused", prop.ForAll(
		func(list []any) (bool, error) {
			args, err := values.Append(sioparser.Args{}, list...)
			if err != nil {
				return false, err
			}
			wire := msgpack.AppendFromArgs(nil, args)
			for i := 0; i < len(wire); i += 1 + len(wire)/50 {
				if msgpack.Valid(wire[:i]) == nil {
					return false, fmt.Errorf("%x is valid, of %x", wire[:i], wire)
				}
			}
			return msgpack.Valid(wire) == nil, nil
		}, genMsgpackArgs))
	all.TestingRun(t)
}

// A failing list of arguments is shrunk to the one that fails.
func TestMsgpackArgumentsAreShrunk(t *testing.T) {
	fails := prop.ForAll(func(list []any) bool {
		for _, v := range list {
			if s, ok := v.(string); ok && s != "" {
				return false
			}
		}
		return true
	}, genMsgpackArgs)
	result := fails.Check(gopter.DefaultTestParametersWithSeed(1))
	if result.Passed() || len(result.Args) != 1 {
		t.Fatalf("the property does not fail: %+v", result)
	}
	text, err := json.Marshal(result.Args[0].Arg)
	if list := result.Args[0].Arg.([]any); err != nil || len(list) != 1 || len([]rune(list[0].(string))) != 1 {
		t.Errorf("shrunk to %s, %v", text, err)
	}
}
