package sio_test

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"

	"github.com/leanovate/gopter"
	"github.com/siokit/siokit/sioparser"
)

// sioPacket is a packet whose arguments are Go values: nil, bool, float64,
// string, []byte, []any and map[string]any.
type sioPacket struct {
	Type      sioparser.PacketType // Event or Ack
	Namespace string
	ID        uint64
	HasID     bool
	Name      string
	Args      []any
}

func (p sioPacket) String() string {
	return fmt.Sprintf("%v %q id %v %d %q %#v", p.Type, p.Namespace, p.HasID, p.ID, p.Name, p.Args)
}

// encode makes the messages.
func (p sioPacket) encode() ([]sioFrame, error) {
	args, err := sioValues.Append(sioparser.Args{}, p.Args...)
	if err != nil {
		return nil, err
	}
	return encodeSIO(&sioparser.Packet{
		Type: p.Type, Namespace: p.Namespace, ID: p.ID, HasID: p.HasID, Name: []byte(p.Name), Args: args,
	})
}

// sioGoValues makes packets out of dice.
type sioGoValues struct {
	// keysInOrder leaves out keys that JavaScript sorts before all others or
	// takes for a prototype.
	keysInOrder bool
}

var (
	sioWords = []string{"", "a", "b", "x", "num", "_placeholder", "a\"b\\c", "\x00\x1f\b\f\n\r\t", "\x7f\u2028\u2029", "é", "漢字", "😀", "\uFFFD", "\U0010FFFF", "toJSON", "constructor",
		"1234567", "12345678", "</script>", strings.Repeat("long ", 40)}
	sioOddKeys = []string{"0", "1", "10", "-1", "1.5", "4294967295"}
	sioFloats  = []float64{0, 1, -1, 0.1, 1.5, 100, 1e20, 1e21, -1e21, 1e-6, 1e-7, 9007199254740991, 9007199254740992, 1.7976931348623157e308, 5e-324, 123456789.125, 2147483648, 4294967296}
)

func (g sioGoValues) packet(d dice) sioPacket {
	p := sioPacket{Type: sioparser.Event, Namespace: "/"}
	if d.IntN(4) == 0 {
		p.Type = sioparser.Ack
	} else {
		p.Name = g.text(d)
	}
	if d.IntN(2) == 0 {
		p.Namespace = "/" + strings.ReplaceAll(g.text(d), ",", "")
		if len(p.Namespace) > sioparser.DefaultNamespace {
			p.Namespace = "/shorter"
		}
	}
	if d.IntN(2) == 0 {
		p.HasID = true
		p.ID = pick(d, []uint64{0, 1, 7, 1 << 31, 1 << 32, sioparser.MaxID, uint64(d.IntN(1 << 30))})
	}
	p.Args = make([]any, d.IntN(6))
	left := 10
	for i := range p.Args {
		p.Args[i] = g.value(d, 3, &left)
	}
	return p
}

func (g sioGoValues) text(d dice) string {
	s := pick(d, sioWords)
	for range d.IntN(3) * d.IntN(2) {
		s += pick(d, sioWords)
	}
	return s
}

func (g sioGoValues) key(d dice) string {
	if !g.keysInOrder && d.IntN(8) == 0 {
		return pick(d, sioOddKeys)
	}
	key := g.text(d)
	if g.keysInOrder && key != "" && strings.Trim(key, "0123456789") == "" {
		key += "k"
	}
	return key
}

// value makes one value; attachments counts down how many more there may be.
func (g sioGoValues) value(d dice, depth int, attachments *int) any {
	n := d.IntN(12)
	if depth == 0 {
		n = d.IntN(8)
	}
	switch n {
	case 0:
		return nil
	case 1:
		return d.IntN(2) == 0
	case 2:
		return pick(d, sioFloats)
	case 3:
		return math.Float64frombits(uint64(d.IntN(0x7fe))<<52|uint64(d.IntN(1<<30))<<22|uint64(d.IntN(1<<22))) * float64(1-2*d.IntN(2))
	case 4, 5:
		return g.text(d)
	case 6, 7:
		if *attachments == 0 {
			return float64(d.IntN(1000))
		}
		*attachments--
		return []byte(strings.Repeat(string(rune('A'+d.IntN(26))), d.IntN(4)*d.IntN(4)))
	case 8, 9:
		list := make([]any, d.IntN(4))
		for i := range list {
			list[i] = g.value(d, depth-1, attachments)
		}
		return list
	default:
		object := map[string]any{}
		for range d.IntN(4) {
			object[g.key(d)] = g.value(d, depth-1, attachments)
		}
		return object
	}
}

// rngDice rolls gopter's random numbers.
type rngDice struct{ *rand.Rand }

func (d rngDice) IntN(n int) int { return d.Intn(n) }

// gen is a generator for gopter, with shrinking.
func (g sioGoValues) gen() gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		return gopter.NewGenResult(g.packet(rngDice{p.Rng}), func(v any) gopter.Shrink {
			return shrinkList(shrinkSIO(v.(sioPacket)))
		})
	}
}

func shrinkList(list []any) gopter.Shrink {
	return func() (any, bool) {
		if len(list) == 0 {
			return nil, false
		}
		next := list[0]
		list = list[1:]
		return next, true
	}
}

// shrinkSIO lists packets that are a little simpler.
func shrinkSIO(p sioPacket) (list []any) {
	add := func(change func(*sioPacket)) {
		q := p
		q.Args = slices.Clone(p.Args)
		change(&q)
		list = append(list, q)
	}
	for i, arg := range p.Args {
		add(func(q *sioPacket) { q.Args = slices.Delete(q.Args, i, i+1) })
		for _, simpler := range shrinkValue(arg) {
			add(func(q *sioPacket) { q.Args[i] = simpler })
		}
	}
	if p.HasID {
		add(func(q *sioPacket) { q.HasID, q.ID = false, 0 })
	}
	if p.Namespace != "/" {
		add(func(q *sioPacket) { q.Namespace = "/" })
	}
	for _, simpler := range shrinkText(p.Name) {
		add(func(q *sioPacket) { q.Name = simpler })
	}
	return list
}

func shrinkText(s string) []string {
	if s == "" {
		return nil
	}
	runes := []rune(s)
	return []string{"", string(runes[:len(runes)/2]), string(runes[1:]), string(runes[:len(runes)-1])}[:min(4, len(runes)+1)]
}

func shrinkValue(v any) (list []any) {
	switch v := v.(type) {
	case string:
		for _, s := range shrinkText(v) {
			list = append(list, s)
		}
	case []byte:
		if len(v) > 0 {
			list = append(list, v[:0], v[:len(v)/2])
		}
		list = append(list, nil)
	case float64:
		if v != 0 {
			list = append(list, 0.0)
		}
	case bool:
		list = append(list, nil)
	case []any:
		list = append(list, nil)
		for i, item := range v {
			list = append(list, item, slices.Delete(slices.Clone(v), i, i+1))
			for _, simpler := range shrinkValue(item) {
				w := slices.Clone(v)
				w[i] = simpler
				list = append(list, w)
			}
		}
	case map[string]any:
		list = append(list, nil)
		for k, item := range v {
			w := map[string]any{}
			for k2, item2 := range v {
				if k2 != k {
					w[k2] = item2
				}
			}
			list = append(list, item, w)
			for _, simpler := range shrinkValue(item) {
				x := map[string]any{k: simpler}
				for k2, item2 := range w {
					x[k2] = item2
				}
				list = append(list, x)
			}
		}
	}
	return list
}

// looksLikePlaceholder reports whether there is data in v that a receiver of
// attachments would take for one.
func looksLikePlaceholder(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, looksLikePlaceholder)
	case map[string]any:
		for _, item := range v {
			if looksLikePlaceholder(item) {
				return true
			}
		}
		return v["_placeholder"] == true
	}
	return false
}

func holdsBytes(v any) bool {
	switch v := v.(type) {
	case []byte:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsBytes)
	case map[string]any:
		for _, item := range v {
			if holdsBytes(item) {
				return true
			}
		}
	}
	return false
}
