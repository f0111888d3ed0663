package sioparser

import (
	"reflect"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Binary is a byte slice that becomes an attachment wherever it stands in an
// argument, exactly as []byte does. It is for those who want to say so in a
// type.
type Binary []byte

// RawArg is an argument that is JSON already. [Values.Append] checks it, at most
// [DefaultDepth]-1 levels of it, and copies it as it is; [Values.Bind] fills it with a copy of the argument's
// text. Attachments are no part of it: bind to [Args] to keep them.
type RawArg []byte

// MarshalJSONTo writes the text, without white space between its tokens.
func (r RawArg) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, jsontext.Value(r), jsontext.PreserveRawStrings(true), jsontext.AllowDuplicateNames(true))
}

// UnmarshalJSONFrom copies the text.
func (r *RawArg) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	text, err := dec.ReadValue()
	*r = append((*r)[:0], text...)
	return err
}

// Values turns Go values into arguments and back, by encoding/json/v2 with
// the options that the package documentation lists. It is immutable and safe
// for concurrent use; a nil *Values is one without further options.
type Values struct {
	custom       bool // there are options of the user's
	options      json.Options
	marshalers   *json.Marshalers   // the user's
	unmarshalers *json.Unmarshalers // the user's
	plainOut     json.Options       // for types that cannot hold bytes
	plainIn      json.Options
	payloadOut   json.Options // for what is no argument
	payloadIn    json.Options
	encoders     sync.Pool // *marshaler
	decoders     sync.Pool // *unmarshaler
}

var defaultValues = JSON()

// JSON returns Values with further options of encoding/json/v2, which take
// precedence over the defaults. Marshalers and unmarshalers among them are what
// the reference's replacer and reviver are: they are asked before those for
// bytes. An unmarshaler for the empty interface is asked for a whole any, and
// not again for the values inside what it leaves to this package.
func JSON(opts ...json.Options) *Values {
	v := &Values{custom: len(opts) > 0}
	v.options = json.JoinOptions(opts...)
	v.marshalers, _ = json.GetOption(v.options, json.WithMarshalers)
	v.unmarshalers, _ = json.GetOption(v.options, json.WithUnmarshalers)
	v.plainOut = json.JoinOptions(
		jsontext.AllowInvalidUTF8(true),
		jsonv1.FormatDurationAsNano(true),
		v.options,
	)
	v.plainIn = json.JoinOptions(
		jsontext.AllowDuplicateNames(true),
		jsontext.AllowInvalidUTF8(true),
		jsonv1.FormatDurationAsNano(true),
		v.options,
	)
	v.payloadOut = json.JoinOptions(v.plainOut, json.WithMarshalers(json.JoinMarshalers(
		v.marshalers, json.MarshalToFunc(marshalNumber))))
	v.payloadIn = json.JoinOptions(v.plainIn, json.WithUnmarshalers(json.JoinUnmarshalers(
		v.unmarshalers, json.UnmarshalFromFunc(unmarshalNumber))))
	v.encoders.New = func() any { return newMarshaler(v) }
	v.decoders.New = func() any { return newUnmarshaler(v) }
	return v
}

func (v *Values) orDefault() *Values {
	if v == nil {
		return defaultValues
	}
	return v
}

// ArgError says which of the values given to [Values.Append] or the pointers
// given to [Values.Bind] was at fault.
type ArgError struct {
	// Index of the value or pointer.
	Index int
	// Err is json/v2's error, or an [*Error] of this package.
	Err error
}

// Error is Err's text with the argument's index.
func (e *ArgError) Error() string {
	return "sioparser: argument " + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

// Unwrap is Err.
func (e *ArgError) Unwrap() error { return e.Err }

// Append marshals values and appends them to dst, whose spare memory it uses
// (see [Args.Reset]).
//
// A []byte or [Binary] at any depth becomes an attachment; the buffer is not
// copied and must not be changed while the result is in use. Nil ones are
// null. An [Args] among the values is spliced in with all its arguments, a
// [RawArg] as the one that it is. An error is an [*ArgError]; dst is then
// returned as it was.
func (v *Values) Append(dst Args, values ...any) (Args, error) {
	v = v.orDefault()
	a := dst.rebased()
	for i, value := range values {
		if err := v.appendOne(&a, value); err != nil {
			return dst, &ArgError{Index: i, Err: err}
		}
	}
	return a, nil
}

// begin makes room for one more argument.
func (a *Args) begin() {
	if a.n > 0 {
		a.cut(len(a.raw))
		a.raw = append(a.raw, ',')
	}
	a.n++
}

// attach appends a placeholder for b, the whole argument or part of one.
func (a *Args) attach(b []byte) {
	start := len(a.raw)
	num := len(a.attachments)
	a.raw = appendPlaceholder(a.raw, num)
	a.marks = append(a.marks, mark{int32(start), int32(len(a.raw)), int32(num)})
	a.attachments = append(a.attachments, b)
}

func (v *Values) appendOne(a *Args, value any) error {
	switch value := value.(type) {
	case Args:
		*a = a.Append(value)
		return nil
	case *Args:
		if value != nil {
			*a = a.Append(*value)
		}
		return nil
	case RawArg:
		return a.appendRaw(value)
	case nil:
		a.begin()
		a.raw = append(a.raw, "null"...)
		return nil
	}
	if !v.custom {
		switch value := value.(type) {
		case []byte:
			a.begin()
			a.attachOrNull(value)
			return nil
		case Binary:
			a.begin()
			a.attachOrNull(value)
			return nil
		case string:
			a.begin()
			a.raw = appendQuoted(a.raw, value)
			return nil
		case bool:
			a.begin()
			a.raw = strconv.AppendBool(a.raw, value)
			return nil
		case int:
			a.begin()
			a.raw = strconv.AppendInt(a.raw, int64(value), 10)
			return nil
		case int64:
			a.begin()
			a.raw = strconv.AppendInt(a.raw, value, 10)
			return nil
		case uint64:
			a.begin()
			a.raw = strconv.AppendUint(a.raw, value, 10)
			return nil
		}
	}
	m := v.encoders.Get().(*marshaler)
	err := m.append(a, value)
	v.encoders.Put(m)
	return err
}

func (a *Args) attachOrNull(b []byte) {
	if b == nil {
		a.raw = append(a.raw, "null"...)
		return
	}
	a.attach(b)
}

// appendRaw appends one argument's text after checking it.
func (a *Args) appendRaw(text []byte) error {
	array := make([]byte, 0, len(text)+2)
	array = append(array, '[')
	array = append(array, text...)
	one, err := ParseArgs(append(array, ']'), nil)
	if err != nil {
		return err
	}
	if one.n != 1 {
		return fail(ErrSyntax, len(text))
	}
	*a = a.Append(one)
	return nil
}

// AppendJSON marshals one value to JSON that is no argument and has no
// attachments: the payload of a Connect or a ConnectError. The rules are those of
// [Values.Append], but bytes are base64 strings.
func (v *Values) AppendJSON(dst []byte, value any) ([]byte, error) {
	text, err := json.Marshal(value, v.orDefault().payloadOut)
	return append(dst, text...), err
}

// BindJSON unmarshals JSON that is no argument into what ptr points to, by the
// rules of [Values.Bind].
func (v *Values) BindJSON(text []byte, ptr any) error {
	return json.Unmarshal(text, ptr, v.orDefault().payloadIn)
}

// Bind unmarshals the arguments, in order, into what the pointers point to.
// A nil skips its argument; a nil pointer of some type is an error, as is what is
// no pointer. Where there are fewer arguments than pointers, the rest is set to
// zero values; arguments beyond the last pointer are not looked at.
//
// An attachment becomes a []byte or [Binary]; also inside an any, where the
// other values are nil, bool, float64, string, []any and map[string]any. Its
// buffer is not copied. All other memory is the target's own. Pointers to
// [Args] and [RawArg] take an argument as it stands. An error is an
// [*ArgError].
func (v *Values) Bind(a Args, ptrs ...any) error {
	v = v.orDefault()
	c := a.cursor()
	for i, ptr := range ptrs {
		var err error
		switch there := c.next(); {
		case ptr == nil:
		case there:
			err = v.bindOne(&a, &c, ptr)
		default:
			err = setZero(ptr)
		}
		if err != nil {
			return &ArgError{Index: i, Err: err}
		}
	}
	return nil
}

func setZero(ptr any) error {
	p := reflect.ValueOf(ptr)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return &json.SemanticError{GoType: reflect.TypeOf(ptr), Err: errNotPointer}
	}
	p.Elem().SetZero()
	return nil
}

func (v *Values) bindOne(a *Args, c *cursor, ptr any) error {
	text := a.raw[c.start:c.end]
	switch ptr := ptr.(type) {
	case *Args:
		if ptr != nil {
			*ptr = a.Slice(c.i, c.i+1).Clone()
			return nil
		}
	case *RawArg:
		if ptr != nil {
			*ptr = append((*ptr)[:0], text...)
			return nil
		}
	case *any:
		if ptr != nil && v.unmarshalers == nil {
			var err error
			*ptr, err = a.walk(c.start, c.end)
			return err
		}
	case *string:
		if ptr != nil && !v.custom && text[0] == '"' {
			*ptr = unquote(text)
			return nil
		}
	}
	if v.unmarshalers == nil && !binds.special(reflect.TypeOf(ptr)) {
		return json.Unmarshal(text, ptr, v.plainIn)
	}
	m := v.decoders.Get().(*unmarshaler)
	err := m.bind(a, c, ptr)
	v.decoders.Put(m)
	return err
}

func unquote(text []byte) string {
	text = text[1 : len(text)-1]
	if hasEscape(text) {
		return string(appendUnescaped(make([]byte, 0, len(text)), text))
	}
	return string(text)
}
