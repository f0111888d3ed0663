// Package msgpack writes and reads as much MessagePack as the suite's cases
// need: what a client sends, sometimes on purpose in an odd form, and what a
// server answers, turned into JSON text for comparison.
package msgpack

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Map is a map whose keys keep their order: name, value, name, value.
type Map []any

// Raw is appended as it is.
type Raw []byte

// Append appends the encoding of nil, bool, int, float64, string, []byte, []any,
// [Map] or [Raw]. It panics on other types: values are written by the suite.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, 0xc0)
	case bool:
		if v {
			return append(dst, 0xc3)
		}
		return append(dst, 0xc2)
	case int:
		return appendInt(dst, v)
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(v))
	case string:
		return append(appendLength(dst, len(v), 31, 0xa0, 0xd9, 0xda, 0xdb), v...)
	case []byte:
		return append(appendLength(dst, len(v), -1, 0, 0xc4, 0xc5, 0xc6), v...)
	case []any:
		dst = appendLength(dst, len(v), 15, 0x90, 0, 0xdc, 0xdd)
		for _, item := range v {
			dst = Append(dst, item)
		}
		return dst
	case Map:
		dst = appendLength(dst, len(v)/2, 15, 0x80, 0, 0xde, 0xdf)
		for _, item := range v {
			dst = Append(dst, item)
		}
		return dst
	case Raw:
		return append(dst, v...)
	default:
		panic(fmt.Sprintf("msgpack: a %T", v))
	}
}

// appendLength writes a length in its shortest form: in the first byte up to
// fixed, else behind the code for one (zero: there is none), two or four bytes.
func appendLength(dst []byte, n, fixed int, fix, one, two, four byte) []byte {
	switch {
	case n <= fixed:
		return append(dst, fix|byte(n))
	case n <= math.MaxUint8 && one != 0:
		return append(dst, one, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, two), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(dst, four), uint32(n))
	}
}

func appendInt(dst []byte, n int) []byte {
	switch {
	case n >= 0 && n <= 127:
		return append(dst, byte(n))
	case n < 0 && n >= -32:
		return append(dst, byte(int8(n)))
	case n >= 0 && n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(n))
	}
}

var errShort = errors.New("msgpack: unexpected end")

// JSON turns one encoded value into JSON text. Binary becomes what Node prints
// for it: {"type":"Buffer","data":[1,2]}. The extension that Node's encoder
// writes for undefined disappears from maps, with its key, and is null
// elsewhere. Bytes after the value are an error.
func JSON(data []byte) (string, error) {
	d := &decoder{data: data}
	var b strings.Builder
	if err := d.value(&b, 0); err != nil {
		return "", err
	}
	if len(d.data) > 0 {
		return "", fmt.Errorf("msgpack: %d bytes after the value", len(d.data))
	}
	return b.String(), nil
}

type decoder struct{ data []byte }

func (d *decoder) take(n uint64) ([]byte, error) {
	if uint64(len(d.data)) < n {
		return nil, errShort
	}
	p := d.data[:n]
	d.data = d.data[n:]
	return p, nil
}

// number reads a big-endian unsigned integer of n bytes.
func (d *decoder) number(n uint64) (uint64, error) {
	p, err := d.take(n)
	if err != nil {
		return 0, err
	}
	var v uint64
	for _, b := range p {
		v = v<<8 | uint64(b)
	}
	return v, nil
}

// maxDepth bounds the recursion.
const maxDepth = 1000

func (d *decoder) value(b *strings.Builder, depth int) error {
	if depth > maxDepth {
		return errors.New("msgpack: nested too deeply")
	}
	head, err := d.take(1)
	if err != nil {
		return err
	}
	switch c := head[0]; {
	case c <= 0x7f:
		fmt.Fprint(b, c)
	case c <= 0x8f:
		return d.sequence(b, uint64(c&0x0f), "{}", depth)
	case c <= 0x9f:
		return d.sequence(b, uint64(c&0x0f), "[]", depth)
	case c <= 0xbf:
		return d.text(b, uint64(c&0x1f))
	case c >= 0xe0:
		fmt.Fprint(b, int8(c))
	case c == 0xc0:
		b.WriteString("null")
	case c == 0xc2:
		b.WriteString("false")
	case c == 0xc3:
		b.WriteString("true")
	default:
		return d.sized(b, c, depth)
	}
	return nil
}

// sized reads a value whose length or number follows its first byte.
func (d *decoder) sized(b *strings.Builder, c byte, depth int) error {
	width := map[byte]uint64{
		0xc4: 1, 0xc5: 2, 0xc6: 4, 0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8,
		0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8, 0xd4: 2, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4,
	}[c]
	if width == 0 {
		return fmt.Errorf("msgpack: a value that begins with %#x", c)
	}
	n, err := d.number(width)
	if err != nil {
		return err
	}
	switch c {
	case 0xc4, 0xc5, 0xc6:
		return d.buffer(b, n)
	case 0xca:
		return d.float(b, float64(math.Float32frombits(uint32(n))))
	case 0xcb:
		return d.float(b, math.Float64frombits(n))
	case 0xd4:
		if n != 0 {
			return fmt.Errorf("msgpack: an extension of type %d", n>>8)
		}
		b.WriteString(undefined)
	case 0xd0:
		fmt.Fprint(b, int8(n))
	case 0xd1:
		fmt.Fprint(b, int16(n))
	case 0xd2:
		fmt.Fprint(b, int32(n))
	case 0xd3:
		fmt.Fprint(b, int64(n))
	case 0xd9, 0xda, 0xdb:
		return d.text(b, n)
	case 0xdc, 0xdd:
		return d.sequence(b, n, "[]", depth)
	case 0xde, 0xdf:
		return d.sequence(b, n, "{}", depth)
	default:
		fmt.Fprint(b, n)
	}
	return nil
}

func (d *decoder) float(b *strings.Builder, f float64) error {
	text, err := json.Marshal(f)
	b.Write(text)
	return err
}

func (d *decoder) text(b *strings.Builder, n uint64) error {
	p, err := d.take(n)
	if err != nil {
		return err
	}
	text, err := json.Marshal(string(p))
	b.Write(text)
	return err
}

func (d *decoder) buffer(b *strings.Builder, n uint64) error {
	p, err := d.take(n)
	if err != nil {
		return err
	}
	b.WriteString(`{"type":"Buffer","data":[`)
	for i, c := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(b, c)
	}
	b.WriteString("]}")
	return nil
}

// undefined stands for a value that JSON does not have, while reading.
const undefined = "undefined"

// sequence reads n elements, or n pairs between braces.
func (d *decoder) sequence(b *strings.Builder, n uint64, brackets string, depth int) error {
	b.WriteByte(brackets[0])
	separator := ""
	for range n {
		var name, item strings.Builder
		if brackets == "{}" {
			if err := d.value(&name, depth+1); err != nil {
				return err
			}
			name.WriteByte(':')
		}
		if err := d.value(&item, depth+1); err != nil {
			return err
		}
		text := item.String()
		if text == undefined {
			if brackets == "{}" {
				continue
			}
			text = "null"
		}
		b.WriteString(separator + name.String() + text)
		separator = ","
	}
	b.WriteByte(brackets[1])
	return nil
}
