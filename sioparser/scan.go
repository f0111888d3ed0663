package sioparser

// maxCuts is how many commas between arguments are remembered; those behind
// are looked for again when somebody asks. Almost all events have fewer.
const maxCuts = 4

// The scanner remembers one more, since an event's name is no argument.
const scanCuts = maxCuts + 1

// scanner checks one JSON array in a single pass: structure, depth, UTF-8,
// the elements' boundaries and the placeholders. It does not recurse, and
// allocates only for what it reports (marks) or for more than 63 levels.
type scanner struct {
	// results of elements
	first, last int32           // the elements, white space around them trimmed
	n           int32           // how many
	cuts        [scanCuts]int32 // offsets of the first commas between them
	end         int32           // behind the whole value
	lookalike   bool            // placeholders are data here, and there is one
	marks       []mark

	// scratch
	frames []frame
	spill  []uint64
}

// document checks text[i:], which must be one array, with nothing but white
// space behind it, and fills in the results. With asAttachment the marks are
// found; their nums are not yet compared with anything.
func (s *scanner) document(text []byte, i, depth int, mode placeholders) error {
	if i >= len(text) || text[i] != '[' {
		return fail(ErrPayload, i)
	}
	if err := s.walk(text, i, depth, mode, false); err != nil {
		return err
	}
	return trailing(text, int(s.end))
}

// elements finds the marks in an array's elements, given without brackets.
func (s *scanner) elements(text []byte) error {
	return s.walk(text, 0, maxText, asAttachment, true)
}

// value checks that text[i:] is one object, array or string, and finds its end.
func (s *scanner) value(text []byte, i, depth int) error {
	if text[i] == '"' {
		end := scanString(text, i+1)
		if end < 0 {
			return stringError(text, end)
		}
		s.end = int32(end)
	} else if err := s.walk(text, i, depth, asData, false); err != nil {
		return err
	}
	return trailing(text, int(s.end))
}

// trailing refuses anything but white space from i on.
func trailing(text []byte, i int) error {
	for ; i < len(text); i++ {
		if !isSpace(text[i]) {
			return fail(ErrSyntax, i)
		}
	}
	return nil
}

// walk goes from text[i], which is a bracket or a brace, to the one that closes
// it; or, if bare, over all of text as if it stood between brackets.
//
// The kinds of the open containers are bits of a shift register, objects 1,
// arrays 0, the innermost lowest; every 64 levels it is spilled.
func (s *scanner) walk(text []byte, i, limit int, mode placeholders, bare bool) error {
	if len(text) > maxText {
		return fail(ErrTooLong, maxText)
	}
	var (
		kinds  uint64
		depth  int
		c      byte
		begin  int    // of the last scalar
		end    int    // behind the last value
		member member // what a value of the open object means
	)
	s.n, s.first, s.last, s.lookalike = 0, 0, 0, false
	s.marks, s.frames, s.spill = s.marks[:0], s.frames[:0], s.spill[:0]
	if bare {
		depth, s.n = 1, 1
	}

value:
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i == len(text) {
		return fail(ErrSyntax, i)
	}
	begin = i
	switch text[i] {
	case '"':
		if i = scanString(text, i+1); i < 0 {
			return stringError(text, i)
		}
	case '{', '[':
		c = text[i]
		if member != otherMember {
			s.noteMember(member, nil, mode)
			member = otherMember
		}
		if depth++; depth > limit {
			return fail(ErrDepth, i)
		}
		if depth&63 == 0 {
			s.spill = append(s.spill, kinds)
		}
		kinds <<= 1
		if c == '{' {
			kinds |= 1
			if mode == asAttachment {
				s.open(i, limit, len(text))
			}
		}
		i++
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		if i == len(text) {
			return fail(ErrSyntax, i)
		}
		if c == '{' {
			if text[i] == '}' {
				goto closing
			}
			goto key
		}
		if depth == 1 {
			s.first, s.last = int32(i), int32(i)
		}
		if text[i] == ']' {
			goto closing
		}
		if depth == 1 {
			s.n = 1
		}
		goto value
	case 't':
		if i+4 > len(text) || string(text[i:i+4]) != "true" {
			return fail(ErrSyntax, i)
		}
		i += 4
	case 'f':
		if i+5 > len(text) || string(text[i:i+5]) != "false" {
			return fail(ErrSyntax, i)
		}
		i += 5
	case 'n':
		if i+4 > len(text) || string(text[i:i+4]) != "null" {
			return fail(ErrSyntax, i)
		}
		i += 4
	default:
		if i = scanNumber(text, i); i < 0 {
			return fail(ErrSyntax, -i-1)
		}
	}
	if member != otherMember {
		s.noteMember(member, text[begin:i], mode)
		member = otherMember
	}

after:
	end = i
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i == len(text) {
		if bare && depth == 1 {
			s.last, s.end = int32(end), int32(i)
			return nil
		}
		return fail(ErrSyntax, i)
	}
	switch text[i] {
	case ',':
		if kinds&1 == 1 {
			i++
			goto key
		}
		if depth == 1 {
			if s.n <= scanCuts {
				s.cuts[s.n-1] = int32(i)
			}
			s.n++
		}
		i++
		goto value
	case '}':
		if kinds&1 == 0 {
			return fail(ErrSyntax, i)
		}
	case ']':
		if kinds&1 == 1 {
			return fail(ErrSyntax, i)
		}
		if depth == 1 {
			s.last = int32(end)
		}
	default:
		return fail(ErrSyntax, i)
	}

closing:
	c = text[i]
	i++
	if c == '}' && mode == asAttachment {
		s.close(i)
	}
	kinds >>= 1
	if depth&63 == 0 {
		kinds = s.spill[len(s.spill)-1]
		s.spill = s.spill[:len(s.spill)-1]
	}
	if depth--; depth == 0 {
		s.end = int32(i)
		return nil
	}
	goto after

key:
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i == len(text) || text[i] != '"' {
		return fail(ErrSyntax, i)
	}
	begin = i + 1
	if i = scanString(text, begin); i < 0 {
		return stringError(text, i)
	}
	if i-begin > shortest[mode] {
		member = memberOf(text[begin:i-1], mode)
	}
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i == len(text) || text[i] != ':' {
		return fail(ErrSyntax, i)
	}
	i++
	goto value
}

func isSpace(c byte) bool {
	return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t')
}
