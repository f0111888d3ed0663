package sioparser

// placeholders says what an object with "_placeholder":true is.
type placeholders uint8

const (
	asData placeholders = iota
	asAttachment
)

// shortest is the length of the shortest key that means anything.
var shortest = [...]int{asData: len(placeholderKey), asAttachment: len("num")}

// mark is a placeholder's place: raw[start:end] stands for attachment num.
type mark struct{ start, end, num int32 }

// badNum marks a placeholder without a usable num. It is an error only if no
// enclosing object turns out to be a placeholder itself.
const badNum = -1

// frame is what the scanner must remember of an open object while it looks for
// placeholders. JavaScript's rules hold: of equal keys the last one counts.
type frame struct {
	start       int32
	num         int32 // the value of "num", or badNum
	marks       int32 // how many marks there were when the object began
	placeholder bool  // "_placeholder" is true
}

// member is what a key means to the search for placeholders.
type member uint8

const (
	otherMember       member = iota
	placeholderMember        // "_placeholder"
	numMember                // "num"
)

const placeholderKey = "_placeholder"

// memberOf recognises the two keys, escaped or not.
func memberOf(key []byte, mode placeholders) member {
	switch {
	case string(key) == placeholderKey:
		return placeholderMember
	case string(key) == "num" && mode == asAttachment:
		return numMember
	}
	if hasEscape(key) && len(key) <= len(placeholderKey)*len(`\u0000`) {
		var buf [len(placeholderKey)]byte
		switch string(appendUnescaped(buf[:0], key)) {
		case placeholderKey:
			return placeholderMember
		case "num":
			if mode == asAttachment {
				return numMember
			}
		}
	}
	return otherMember
}

func (s *scanner) noteMember(m member, value []byte, mode placeholders) {
	if mode == asData {
		s.lookalike = s.lookalike || string(value) == "true"
		return
	}
	f := &s.frames[len(s.frames)-1]
	if m == placeholderMember {
		f.placeholder = string(value) == "true"
	} else {
		f.num = scanNum(value)
	}
}

// scanNum reads a placeholder's num: digits only. The JSON grammar has already
// kept leading zeros out.
func scanNum(value []byte) int32 {
	if len(value) == 0 || len(value) > 9 {
		return badNum
	}
	n := int32(0)
	for _, c := range value {
		if c < '0' || c > '9' {
			return badNum
		}
		n = n*10 + int32(c-'0')
	}
	return n
}

// open remembers an object. An object takes four bytes of input at least, so
// one allocation for all that can still come is linear in the input.
func (s *scanner) open(start, limit, length int) {
	if len(s.frames) == cap(s.frames) {
		room := max(4, min(limit, (length-start)/4+len(s.frames)+1))
		s.frames = append(make([]frame, 0, room), s.frames...)
	}
	s.frames = append(s.frames, frame{start: int32(start), num: badNum, marks: int32(len(s.marks))})
}

// close forgets an object, or marks it if it is a placeholder. Placeholders
// inside a placeholder vanish with it, as they do in the reference.
func (s *scanner) close(end int) {
	f := s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	if f.placeholder {
		s.marks = append(s.marks[:f.marks], mark{f.start, int32(end), f.num})
	}
}

// checkMarks compares the placeholders with the number of attachments and the
// limit on placeholders.
func checkMarks(marks []mark, attachments, limit int) error {
	for i, m := range marks {
		if m.num < 0 || int(m.num) >= attachments {
			return fail(ErrPlaceholder, int(m.start))
		}
		if i >= limit {
			return fail(ErrTooManyAttachments, int(m.start))
		}
	}
	return nil
}
