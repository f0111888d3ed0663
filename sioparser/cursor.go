package sioparser

// cursor walks over the arguments.
type cursor struct {
	a          *Args
	i          int // index of the argument at start:end
	start, end int
	comma      int // offset of the comma before the argument
}

func (a *Args) cursor() cursor { return cursor{a: a, i: -1, comma: -1} }

// next moves on to the following argument.
func (c *cursor) next() bool {
	if c.i++; c.i >= int(c.a.n) {
		return false
	}
	raw := c.a.raw
	if c.i > 0 {
		c.comma = c.close(c.i - 1)
	}
	c.start = c.comma + 1
	for isSpace(raw[c.start]) {
		c.start++
	}
	if c.i == int(c.a.n)-1 {
		c.end = len(raw)
		return true
	}
	c.end = c.close(c.i)
	for isSpace(raw[c.end-1]) {
		c.end--
	}
	return true
}

// close returns the offset of the comma behind argument i, which is the
// current one or the one before it.
func (c *cursor) close(i int) int {
	if i < maxCuts {
		return int(c.a.cuts[i])
	}
	end := c.end
	if i == c.i {
		end = skipValue(c.a.raw, c.start)
	}
	for c.a.raw[end] != ',' {
		end++
	}
	return end
}

// skipValue returns the end of the value that begins at text[i]. The text is
// known to be valid.
func skipValue(text []byte, i int) int {
	for depth := 0; ; i++ {
		switch text[i] {
		case '"':
			i = scanString(text, i+1)
			if depth == 0 {
				return i
			}
			i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		default:
			if depth == 0 {
				for i < len(text) && text[i] != ',' && !isSpace(text[i]) {
					i++
				}
				return i
			}
		}
	}
}
