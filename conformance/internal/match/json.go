package match

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// kind is the sort of a JSON value.
type kind byte

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// value is a parsed JSON value that keeps what encoding/json would lose: the
// order of members, repeated names, number texts, lone surrogates.
type value struct {
	kind    kind
	boolean bool
	number  string
	str     []uint16
	items   []value
	members []member
}

type member struct {
	name  []uint16
	value value
}

// parser reads JSON from data. Its recursion is bounded by maxDepth.
type parser struct {
	data string
	pos  int
}

// maxDepth is deeper than any case asks for and far from the stack's end.
const maxDepth = 20000

var errEnd = errors.New("unexpected end")

func parse(s string) (value, error) {
	p := &parser{data: s}
	v, err := p.value(0)
	if err != nil {
		return v, fmt.Errorf("not JSON at byte %d: %w", p.pos, err)
	}
	p.space()
	if p.pos != len(s) {
		return v, fmt.Errorf("not JSON: %d bytes after the value", len(s)-p.pos)
	}
	return v, nil
}

func (p *parser) space() {
	for p.pos < len(p.data) && strings.IndexByte(" \t\r\n", p.data[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) value(depth int) (value, error) {
	p.space()
	if p.pos == len(p.data) {
		return value{}, errEnd
	}
	if depth > maxDepth {
		return value{}, errors.New("nested too deeply")
	}
	switch c := p.data[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.text()
		return value{kind: kindString, str: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.num()
	default:
		for word, v := range map[string]value{"null": {}, "true": {kind: kindBool, boolean: true}, "false": {kind: kindBool}} {
			if strings.HasPrefix(p.data[p.pos:], word) {
				p.pos += len(word)
				return v, nil
			}
		}
		return value{}, fmt.Errorf("unexpected %q", c)
	}
}

func (p *parser) num() (value, error) {
	start := p.pos
	for p.pos < len(p.data) && strings.IndexByte("+-0123456789.eE", p.data[p.pos]) >= 0 {
		p.pos++
	}
	text := p.data[start:p.pos]
	if _, err := strconv.ParseFloat(text, 64); err != nil && !errors.Is(err, strconv.ErrRange) {
		return value{}, fmt.Errorf("bad number %q", text)
	}
	return value{kind: kindNumber, number: text}, nil
}

// sequence reads the elements between an opening and a closing bracket.
func (p *parser) sequence(closing byte, element func() error) error {
	p.pos++
	p.space()
	if p.pos < len(p.data) && p.data[p.pos] == closing {
		p.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		p.space()
		if p.pos == len(p.data) {
			return errEnd
		}
		c := p.data[p.pos]
		p.pos++
		switch c {
		case closing:
			return nil
		case ',':
		default:
			return fmt.Errorf("unexpected %q", c)
		}
	}
}

func (p *parser) array(depth int) (value, error) {
	v := value{kind: kindArray}
	err := p.sequence(']', func() error {
		item, err := p.value(depth + 1)
		v.items = append(v.items, item)
		return err
	})
	return v, err
}

func (p *parser) object(depth int) (value, error) {
	v := value{kind: kindObject}
	err := p.sequence('}', func() error {
		p.space()
		if p.pos == len(p.data) || p.data[p.pos] != '"' {
			return errors.New("expected a name")
		}
		name, err := p.text()
		if err != nil {
			return err
		}
		p.space()
		if p.pos == len(p.data) || p.data[p.pos] != ':' {
			return errors.New("expected a colon")
		}
		p.pos++
		item, err := p.value(depth + 1)
		v.members = append(v.members, member{name, item})
		return err
	})
	return v, err
}

var escapes = map[byte]uint16{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// text reads a string into UTF-16 code units.
func (p *parser) text() ([]uint16, error) {
	p.pos++
	units := []uint16{}
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		switch {
		case c == '"':
			p.pos++
			return units, nil
		case c < 0x20:
			return nil, fmt.Errorf("control byte %#x in a string", c)
		case c == '\\':
			p.pos++
			if p.pos == len(p.data) {
				return nil, errEnd
			}
			if p.data[p.pos] != 'u' {
				unit, ok := escapes[p.data[p.pos]]
				if !ok {
					return nil, fmt.Errorf("bad escape \\%c", p.data[p.pos])
				}
				units = append(units, unit)
				p.pos++
				continue
			}
			if p.pos+5 > len(p.data) {
				return nil, errEnd
			}
			n, err := strconv.ParseUint(p.data[p.pos+1:p.pos+5], 16, 16)
			if err != nil {
				return nil, errors.New("bad \\u escape")
			}
			units = append(units, uint16(n))
			p.pos += 5
		default:
			r, size := utf8.DecodeRuneInString(p.data[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return nil, errors.New("invalid UTF-8")
			}
			units = utf16.AppendRune(units, r)
			p.pos += size
		}
	}
	return nil, errEnd
}

// equalNumbers compares two number texts by value.
func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	if len(a)+len(b) > 400 {
		return false
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

// find returns the members of an object with a name.
func (v value) find(name []uint16) []value {
	var found []value
	for _, m := range v.members {
		if slices.Equal(m.name, name) {
			found = append(found, m.value)
		}
	}
	return found
}
