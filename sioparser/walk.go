package sioparser

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// maxWalk is how deep a value may be nested to be bound to an any: json/v2's
// own limit.
const maxWalk = 10_000

// walker makes Go values of an argument for an any. The text is known to be
// valid, so that one walk over it is enough, linear in its length. Of equal
// keys the last one counts.
type walker struct {
	args  *Args
	i     int // position in args.raw
	depth int
}

// value returns the value that begins at raw[start].
func (w *walker) value(start int) (any, error) {
	w.i = start
	return w.next()
}

func (w *walker) space() {
	for isSpace(w.args.raw[w.i]) {
		w.i++
	}
}

// next returns the value at the position and moves behind it.
func (w *walker) next() (any, error) {
	raw := w.args.raw
	switch raw[w.i] {
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
		if b, ok := w.args.attachmentAt(w.i); ok {
			w.i = skipValue(raw, w.i)
			return b, nil
		}
		return w.object()
	}
	end := skipNumber(raw, w.i)
	text := raw[w.i:end]
	w.i = end
	return number(text)
}

func (w *walker) string() string {
	end := skipValue(w.args.raw, w.i)
	text := w.args.raw[w.i:end]
	w.i = end
	return unquote(text)
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
	for w.args.raw[w.i] != ']' {
		value, err := w.next()
		if err != nil {
			return nil, err
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
	for w.args.raw[w.i] != '}' {
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
	if w.args.raw[w.i] == ',' {
		w.i++
		w.space()
	}
}

// skipNumber returns the end of a number.
func skipNumber(raw []byte, i int) int {
	for i < len(raw) {
		switch c := raw[i]; {
		case c-'0' <= 9, c == '-', c == '+', c == '.', c == 'e', c == 'E':
			i++
		default:
			return i
		}
	}
	return i
}

// number returns a float64; out of its range is an error.
func number(text []byte) (any, error) {
	if len(text) <= 15 && text[0] != '-' {
		n := int64(0)
		for _, c := range text {
			if c -= '0'; c > 9 {
				n = -1
				break
			}
			n = n*10 + int64(c)
		}
		if n >= 0 {
			return float64(n), nil
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return nil, &json.SemanticError{
			JSONKind: '0', JSONValue: slices.Clone(text), GoType: reflect.TypeFor[float64](), Err: strconv.ErrRange,
		}
	}
	return f, nil
}
