package jsontext

import "unicode/utf8"

// maxDepth bounds the nesting of arrays and objects in a text that is read. It
// is what one word of bits for each 64 levels makes free of allocation.
const maxDepth = 1000

// scanner walks over JSON text. i is the first byte that is not consumed; once a
// method has returned false, i means nothing.
type scanner struct {
	b []byte
	i int
}

// Object reads data as one JSON object and calls member for each of its
// members, with the raw text of the key, quotes included, and of the value. It
// returns false if data is not UTF-8, not an object, nested deeper than 1,000
// levels, followed by more than white space, or if member returned false.
func Object(data []byte, member func(key, value []byte) bool) bool {
	s := scanner{b: data}
	if !utf8.Valid(data) || !s.open('{') {
		return false
	}
	for more := !s.closes('}'); more; {
		key, ok := s.key()
		if !ok {
			return false
		}
		value, ok := s.value()
		if !ok || !member(key, value) {
			return false
		}
		if more, ok = s.next('}'); !ok {
			return false
		}
	}
	s.space()
	return s.i == len(s.b)
}

// Array calls element with the raw text of each element of the array that
// value, a value that Object handed out, is. It returns false if value is not an
// array or element returned false.
func Array(value []byte, element func(value []byte) bool) bool {
	s := scanner{b: value}
	if !s.open('[') {
		return false
	}
	for more := !s.closes(']'); more; {
		v, ok := s.value()
		if !ok || !element(v) {
			return false
		}
		if more, ok = s.next(']'); !ok {
			return false
		}
	}
	return true
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// open consumes white space and c.
func (s *scanner) open(c byte) bool {
	s.space()
	if s.i == len(s.b) || s.b[s.i] != c {
		return false
	}
	s.i++
	return true
}

// closes consumes white space and, if it is next, c.
func (s *scanner) closes(c byte) bool { return s.open(c) }

// next consumes a comma, and more follows, or the closing bracket end.
func (s *scanner) next(end byte) (more, ok bool) {
	if s.open(',') {
		return true, true
	}
	return false, s.closes(end)
}

// key consumes a string and the colon after it.
func (s *scanner) key() ([]byte, bool) {
	s.space()
	start := s.i
	if !s.str() {
		return nil, false
	}
	key := s.b[start:s.i]
	return key, s.open(':')
}

// value consumes one value of any kind and depth. The kinds of the open
// containers are one bit each, so nesting costs neither stack nor heap.
func (s *scanner) value() ([]byte, bool) {
	var objects [maxDepth/64 + 1]uint64 // bit d: container d is an object
	s.space()
	start, depth := s.i, 0
	for {
		opened, ok := s.scalarOrOpen()
		if !ok {
			return nil, false
		}
		if opened != 0 {
			if depth == maxDepth {
				return nil, false
			}
			word, bit := &objects[depth/64], uint64(1)<<(depth%64)
			depth++
			if opened == '{' {
				*word |= bit
			} else {
				*word &^= bit
			}
		}
		inside := opened != 0 // nothing in the innermost container yet
		for {
			if depth == 0 {
				return s.b[start:s.i], true
			}
			object := objects[(depth-1)/64]>>((depth-1)%64)&1 == 1
			end := byte(']')
			if object {
				end = '}'
			}
			if s.closes(end) {
				depth--
				inside = false
				continue
			}
			if !inside && !s.open(',') {
				return nil, false
			}
			if object {
				if _, ok := s.key(); !ok {
					return nil, false
				}
			}
			break
		}
	}
}

// scalarOrOpen consumes a string, number or literal, or an opening bracket,
// which it returns.
func (s *scanner) scalarOrOpen() (opened byte, ok bool) {
	s.space()
	if s.i == len(s.b) {
		return 0, false
	}
	switch c := s.b[s.i]; c {
	case '{', '[':
		s.i++
		return c, true
	case '"':
		return 0, s.str()
	case 't':
		return 0, s.literal("true")
	case 'f':
		return 0, s.literal("false")
	case 'n':
		return 0, s.literal("null")
	}
	return 0, s.number()
}

func (s *scanner) literal(text string) bool {
	if len(s.b)-s.i < len(text) || string(s.b[s.i:s.i+len(text)]) != text {
		return false
	}
	s.i += len(text)
	return true
}

func (s *scanner) number() bool {
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.b) && s.b[s.i] == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		s.i++
	}
	return s.i > start
}

// str consumes a string. Its bytes are known to be UTF-8.
func (s *scanner) str() bool {
	if s.i == len(s.b) || s.b[s.i] != '"' {
		return false
	}
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return true
		case c < ' ':
			return false
		case c == '\\':
			n := escapeLen(s.b[s.i:])
			if n == 0 {
				return false
			}
			s.i += n - 1
		}
	}
	return false
}

// escapeLen returns the length of the escape that b begins with, 0 if it is
// none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b); ok {
			return 6
		}
	}
	return 0
}
