package sioparser

import (
	"iter"
	"slices"
)

// Args are the arguments of an event or an acknowledgement in canonical form:
// the elements of a JSON array as they stand between its brackets, the
// attachments that its placeholders refer to, and where the placeholders are.
//
// An Args is made by a decoder, by [ParseArgs] or by [Values.Append], so that
// it always holds valid JSON. It can be bound to Go values ([Values.Bind]),
// taken apart, put together and sent on without being parsed again. The zero
// value holds no arguments.
//
// It is a value like a slice: copying it copies the view, not the bytes.
// Methods that are not said to make memory of their own alias the receiver.
// Nothing may be changed through it, so that it is safe for concurrent use as
// long as the memory it aliases is left alone.
type Args struct {
	raw         []byte
	attachments [][]byte
	marks       []mark // placeholders in order of appearance, none inside another
	base        int32  // marks count from raw[-base:]
	n           int32
	cuts        [maxCuts]int32 // offsets in raw of the first commas
	suspect     bool           // there may be data that looks like a placeholder
}

// ParseArgs checks a JSON array from elsewhere (a log, a message bus) and
// returns its elements. With attachments, objects with "_placeholder":true are
// placeholders and their nums must be those of attachments; without, they are
// data, as on the wire.
//
// The result aliases both arguments. The nesting is limited to
// [DefaultDepth], attachments are not, since the caller holds them already; for
// other limits see [Limits.ParseArgs]. The error is an [*Error]. Nothing is
// allocated for arrays without placeholders that are nested less than 64 levels
// deep.
func ParseArgs(array []byte, attachments [][]byte) (Args, error) {
	return Limits{Attachments: -1, AttachmentBytes: -1}.ParseArgs(array, attachments)
}

// ParseArgs is the function [ParseArgs] with the limits that a decoder has:
// whatever a decoder with l lets through, this reads again. Namespace means
// nothing here.
func (l Limits) ParseArgs(array []byte, attachments [][]byte) (Args, error) {
	l = l.withDefaults()
	mode := asData
	if len(attachments) > 0 {
		mode = asAttachment
	}
	var s scanner
	if err := s.document(array, 0, l.Depth, mode); err != nil {
		return Args{}, err
	}
	if err := checkMarks(s.marks, len(attachments), l.Attachments); err != nil {
		return Args{}, err
	}
	if len(attachments) > l.Attachments {
		return Args{}, fail(ErrTooManyAttachments, 0)
	}
	size := int64(0)
	for _, b := range attachments {
		if size += int64(len(b)); size > l.AttachmentBytes {
			return Args{}, fail(ErrAttachmentBytes, 0)
		}
	}
	a := s.args(array, 0)
	a.attachments = slices.Clip(attachments)
	return a, nil
}

// MakeArgs is for codecs, which write the text themselves and know what is in
// it; everybody else wants [ParseArgs]. The caller answers for the n elements
// being valid JSON, comma separated, without white space between them and
// without brackets around them. ends are the offsets behind the first of them:
// four are enough, those that are missing are looked for. The placeholders must
// be in order of appearance, none inside another, each a [Placeholder] as
// [Args.Placeholders] yields it, and written as the text codec writes it. An
// object that only looks like a placeholder is data, and such arguments cannot be
// sent beside attachments by the text codec.
//
// The result aliases elements and attachments.
func MakeArgs(elements []byte, n int, ends []int, attachments [][]byte, placeholders []Placeholder) Args {
	if n == 0 {
		return Args{}
	}
	a := Args{
		raw:         slices.Clip(elements),
		n:           int32(n),
		attachments: slices.Clip(attachments),
		suspect:     true,
	}
	for i, start := 0, 0; i < a.knownCuts(); i++ {
		end := 0
		if i < len(ends) {
			end = ends[i]
		} else {
			end = skipValue(elements, start)
		}
		a.cuts[i] = int32(end)
		start = end + 1
	}
	if len(placeholders) > 0 {
		a.marks = make([]mark, len(placeholders))
		for i, p := range placeholders {
			a.marks[i] = mark{int32(p.Start), int32(p.End), int32(p.Num)}
		}
	}
	return a
}

// args makes Args of the scanner's results, from element first on. They alias
// its marks. The elements before, one at most, have no placeholder in them.
func (s *scanner) args(text []byte, first int) Args {
	if int(s.n) <= first {
		return Args{}
	}
	start := s.first
	if first > 0 {
		start = s.cuts[first-1] + 1
		for isSpace(text[start]) {
			start++
		}
	}
	a := Args{
		raw:     text[start:s.last:s.last],
		n:       s.n - int32(first),
		base:    start,
		suspect: s.lookalike,
	}
	for i := range a.knownCuts() {
		a.cuts[i] = s.cuts[first+i] - start
	}
	if len(s.marks) > 0 {
		a.marks = slices.Clip(s.marks)
	}
	return a
}

// Len is the number of arguments.
func (a Args) Len() int { return int(a.n) }

// Raw is the JSON text of all arguments, comma separated, without the array's
// brackets. Placeholders stand in it as they came.
func (a Args) Raw() []byte { return a.raw }

// All yields the raw JSON of each argument.
func (a Args) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := a.cursor()
		for c.next() {
			if !yield(a.raw[c.start:c.end:c.end]) {
				return
			}
		}
	}
}

// AppendArray appends the arguments as a JSON array. The nums in its
// placeholders count in [Args.Attachments]: [ParseArgs] of the two gives the
// same arguments again, unless beside attachments there are data that look like
// a placeholder, which [Text] does not send either.
func (a Args) AppendArray(dst []byte) []byte {
	dst = append(dst, '[')
	dst = append(dst, a.raw...)
	return append(dst, ']')
}

// Attachments are the buffers that the placeholders' nums count in. After
// [Args.Slice] there may be some that no placeholder refers to; a codec leaves
// those out.
func (a Args) Attachments() [][]byte { return a.attachments }

// HasAttachments reports whether any placeholder refers to an attachment, so
// that the packet goes out as a binary one.
func (a Args) HasAttachments() bool { return len(a.marks) > 0 }

// Placeholder is the place of an attachment in [Args.Raw].
type Placeholder struct {
	Start, End int // the object is Raw()[Start:End]
	Num        int // index in Attachments()
}

// Placeholders yields the placeholders in order of appearance.
func (a Args) Placeholders() iter.Seq[Placeholder] {
	return func(yield func(Placeholder) bool) {
		for _, m := range a.marks {
			if !yield(Placeholder{int(m.start - a.base), int(m.end - a.base), int(m.num)}) {
				return
			}
		}
	}
}

// Clone returns a copy with text of its own. The attachments' buffers are
// shared: nobody changes them.
func (a Args) Clone() Args {
	if a.raw != nil {
		a.raw = append(make([]byte, 0, len(a.raw)), a.raw...)
	}
	if a.marks != nil {
		a.marks = slices.Clone(a.marks)
		a.attachments = slices.Clone(a.attachments)
	} else {
		a.attachments = nil
	}
	return a
}

// Reset returns empty Args that keep the memory of a for [Values.Append] and
// [Args.Append]. Whatever aliases a is overwritten by them.
func (a Args) Reset() Args {
	clear(a.attachments)
	return Args{raw: a.raw[:0], attachments: a.attachments[:0], marks: a.marks[:0]}
}

// Slice returns the arguments i to j, j excluded. It panics, like a slice
// expression, unless 0 ≤ i ≤ j ≤ Len.
func (a Args) Slice(i, j int) Args {
	if i < 0 || j < i || j > a.Len() {
		panic("sioparser: Args.Slice out of range")
	}
	if i == j {
		return Args{}
	}
	if i == 0 && j == a.Len() {
		return a
	}
	c := a.cursor()
	for range i + 1 {
		c.next()
	}
	part := Args{attachments: a.attachments, suspect: a.suspect, n: int32(j - i)}
	start := c.start
	for k := range j - i - 1 {
		c.next()
		if k < maxCuts {
			part.cuts[k] = int32(c.comma - start)
		}
	}
	part.raw = a.raw[start:c.end:c.end]
	part.base = a.base + int32(start)
	low, high := a.marksBetween(start, c.end)
	if part.marks = a.marks[low:high:high]; low == high {
		part.marks, part.attachments = nil, nil
	}
	return part
}

// marksBetween returns the range of marks that lie in raw[start:end].
func (a Args) marksBetween(start, end int) (low, high int) {
	at := func(m mark, offset int) int { return int(m.start-a.base) - offset }
	low, _ = slices.BinarySearchFunc(a.marks, start, at)
	high, _ = slices.BinarySearchFunc(a.marks, end, at)
	return low, high
}

// Concat returns the arguments of a and then those of b, in memory of its
// own; attachments' buffers are shared.
func (a Args) Concat(b Args) Args {
	joined := Args{
		raw:   make([]byte, 0, len(a.raw)+1+len(b.raw)),
		marks: make([]mark, 0, len(a.marks)+len(b.marks)),
	}
	if n := len(a.attachments) + len(b.attachments); n > 0 {
		joined.attachments = make([][]byte, 0, n)
	}
	return joined.Append(a).Append(b)
}

// Append appends the arguments of b to a, with new nums in the placeholders of
// b. Like the built-in append it writes into spare memory of a if there is
// enough, and else into a new one.
func (a Args) Append(b Args) Args {
	if b.n == 0 {
		return a
	}
	a = a.rebased()
	if a.n > 0 {
		a.cut(len(a.raw))
		a.raw = append(a.raw, ',')
	}
	first := int32(len(a.attachments))
	shift := int32(len(a.raw)) // from offsets in b.raw to offsets in a.raw
	from := int32(0)           // what of b.raw is copied
	cut := 0                   // and how many of its cuts
	for _, m := range b.marks {
		m.start, m.end, m.num = m.start-b.base, m.end-b.base, m.num+first
		for ; cut < b.knownCuts() && b.cuts[cut] < m.start; cut++ {
			a.cutAt(int(a.n)+cut, int(b.cuts[cut]+shift))
		}
		a.raw = append(a.raw, b.raw[from:m.start]...)
		start := int32(len(a.raw))
		a.raw = appendPlaceholder(a.raw, int(m.num))
		from, shift = m.end, int32(len(a.raw))-m.end
		a.marks = append(a.marks, mark{start, int32(len(a.raw)), m.num})
	}
	for ; cut < b.knownCuts(); cut++ {
		a.cutAt(int(a.n)+cut, int(b.cuts[cut]+shift))
	}
	a.raw = append(a.raw, b.raw[from:]...)
	a.n += b.n
	a.attachments = append(a.attachments, b.attachments...)
	a.suspect = a.suspect || b.suspect
	return a
}

// knownCuts is how many of the commas between arguments are in cuts.
func (a *Args) knownCuts() int { return min(int(a.n)-1, maxCuts) }

// rebased returns a with marks that count from raw[0], as appending needs it.
func (a Args) rebased() Args {
	if a.base != 0 {
		marks := make([]mark, len(a.marks), len(a.marks)+1)
		for i, m := range a.marks {
			marks[i] = mark{m.start - a.base, m.end - a.base, m.num}
		}
		a.marks, a.base = marks, 0
	}
	return a
}

// cut remembers the comma at offset as the one behind the last argument.
func (a *Args) cut(offset int) { a.cutAt(int(a.n)-1, offset) }

func (a *Args) cutAt(i, offset int) {
	if i < maxCuts {
		a.cuts[i] = int32(offset)
	}
}
