package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// What clients send is relayed as it came, so it is judged as sioparser judges it.
var readOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

var errNotJSON = errors.New("cluster: the message is not JSON")

// valid says whether data, which may be anything, is one JSON value. Everything
// below is for what is valid: it looks for borders only, and what it hands out are
// slices of the message.
func valid(data []byte) error {
	if !jsontext.Value(data).IsValid(readOptions...) {
		return errNotJSON
	}
	return nil
}

// begin returns the place of the first token at or after i. What lies between two
// tokens is of no interest: the message is valid.
func begin(data []byte, i int) int {
	for i < len(data) {
		switch data[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

// end returns the place after the value that begins at i.
func end(data []byte, i int) int {
	switch data[i] {
	case '"':
		return endString(data, i)
	case '{', '[':
		depth := 0
		for {
			switch data[i] {
			case '"':
				i = endString(data, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if i++; depth == 0 {
				return i
			}
		}
	}
	for i < len(data) {
		switch data[i] {
		case ',', ' ', '\t', '\r', '\n', ']', '}':
			return i
		}
		i++
	}
	return i
}

func endString(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++ // what is escaped
		}
	}
	return i + 1
}

func wrong(want string) error { return fmt.Errorf("cluster: a value is no %s", want) }

// members calls f with each member of an object: its name as it is quoted, and its
// value.
func members(object []byte, f func(name, value []byte) error) error {
	i := begin(object, 0)
	if i == len(object) || object[i] != '{' {
		return wrong("object")
	}
	for i++; ; {
		start := begin(object, i)
		if object[start] == '}' {
			return nil
		}
		colon := endString(object, start)
		first := begin(object, colon)
		i = end(object, first)
		if err := f(object[start:colon], object[first:i:i]); err != nil {
			return err
		}
	}
}

// elements calls f with each element of an array.
func elements(array []byte, f func(value []byte) error) error {
	i := begin(array, 0)
	if i == len(array) || array[i] != '[' {
		return wrong("array")
	}
	for i++; ; {
		first := begin(array, i)
		if array[first] == ']' {
			return nil
		}
		i = end(array, first)
		if err := f(array[first:i:i]); err != nil {
			return err
		}
	}
}

// most returns how many elements of at least this length an array can have.
func most(array []byte, length int) int {
	return min(bytes.Count(array, []byte{','})+1, len(array)/length+1) // commas may be text, too
}

// text reads a string.
func text(value []byte, dst *string) (err error) {
	if value[0] != '"' {
		return wrong("string")
	}
	*dst, err = unquote(value)
	return err
}

// unquote returns the string of a valid JSON text.
func unquote(quoted []byte) (string, error) {
	if inner := quoted[1 : len(quoted)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), nil
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	var invalid *jsontext.SyntacticError
	if errors.As(err, &invalid) && !utf8.Valid(quoted) {
		err = nil // replaced, as readOptions allow
	}
	return string(text), err
}

// texts reads an array of strings.
func texts(value []byte, dst *[]string) error {
	*dst = []string{}
	if len(value) > len(`[]`) {
		*dst = make([]string, 0, most(value, len(`"",`)))
	}
	return elements(value, func(value []byte) error {
		var s string
		err := text(value, &s)
		*dst = append(*dst, s)
		return err
	})
}

// truth reads a boolean.
func truth(value []byte, dst *bool) error {
	*dst = value[0] == 't'
	if !*dst && value[0] != 'f' {
		return wrong("boolean")
	}
	return nil
}

// whole reads a whole number from 0 to limit.
func whole[T int | uint8 | uint64](value []byte, dst *T, limit uint64) error {
	n, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil || n > limit {
		return fmt.Errorf("cluster: %.40s is not a whole number up to %d", value, limit)
	}
	*dst = T(n)
	return nil
}
