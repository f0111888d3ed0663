package sioparser

// maxWalk is how deep a value may be nested to be bound to an any: json/v2's
// own limit.
const maxWalk = 10_000

// maxShared is the length, in bytes, up to which all strings of a value are
// parts of one copy of its text. Whoever keeps one of them keeps them all, so
// longer texts are copied string by string.
const maxShared = 4 << 10

// walker makes Go values of an argument for an any. The text is known to be
// valid, so that one walk over it is enough, linear in its length. Of equal
// keys the last one counts.
type walker struct {
	args   Args
	raw    []byte // of args
	i      int    // position in raw
	depth  int
	start  int    // of the value in raw
	shared string // its text, or empty
}

// walk returns the value at raw[start:end].
func (a *Args) walk(start, end int) (any, error) {
	w := walker{args: *a, raw: a.raw, i: start, start: start}
	switch c := a.raw[start]; {
	case c == '"':
		return unquote(a.raw[start:end]), nil
	case end-start <= maxShared && (c == '{' || c == '['):
		w.shared = string(a.raw[start:end])
	}
	return w.next()
}

func (w *walker) space() {
	for isSpace(w.raw[w.i]) {
		w.i++
	}
}

// next returns the value at the position and moves behind it.
func (w *walker) next() (any, error) {
	switch w.raw[w.i] {
	case 'n':
		w.i += 4
		return nil, nil
	case 't':
		w.i += 4
		return true, nil
	case 'f':
		w.i += 5
		return false, nil
	case '"':
		return w.string(), nil
	case '[':
		return w.array()
	case '{':
		if w.args.HasAttachments() {
			if b, ok := w.args.attachmentAt(w.i); ok {
				w.i = skipValue(w.raw, w.i)
				return b, nil
			}
		}
		return w.object()
	}
	if f, end, ok := decimal(w.raw, w.i); ok {
		w.i = end
		return f, nil
	}
	begin := w.i
	w.i = scanNumber(w.raw, begin)
	return number(w.raw[begin:w.i])
}

func (w *walker) string() string {
	begin := w.i + 1
	end := plainEnd(w.raw, begin)
	escaped := w.raw[end] == '\\'
	if escaped {
		end = scanString(w.raw, end) - 1
	}
	w.i = end + 1
	text := w.raw[begin:end]
	switch {
	case escaped:
		return string(appendUnescaped(make([]byte, 0, len(text)), text))
	case w.shared != "":
		return w.shared[begin-w.start : end-w.start]
	}
	return string(text)
}

func (w *walker) deeper() error {
	if w.depth++; w.depth > maxWalk {
		return fail(ErrDepth, w.i)
	}
	w.i++
	w.space()
	return nil
}

func (w *walker) array() (any, error) {
	if err := w.deeper(); err != nil {
		return nil, err
	}
	list := []any{}
	for w.raw[w.i] != ']' {
		value, err := w.next()
		if err != nil {
			return nil, err
		}
		if cap(list) == 0 {
			list = make([]any, 0, 4)
		}
		list = append(list, value)
		w.separator()
	}
	w.i++
	w.depth--
	return list, nil
}

func (w *walker) object() (any, error) {
	if err := w.deeper(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for w.raw[w.i] != '}' {
		key := w.string()
		w.space()
		w.i++ // the colon
		w.space()
		value, err := w.next()
		if err != nil {
			return nil, err
		}
		object[key] = value
		w.separator()
	}
	w.i++
	w.depth--
	return object, nil
}

// separator moves to the next element or to the closing bracket.
func (w *walker) separator() {
	w.space()
	if w.raw[w.i] == ',' {
		w.i++
		w.space()
	}
}
