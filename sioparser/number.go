package sioparser

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// scanNumber returns the end of the number at text[i], or the offset of the
// offending byte as -offset-1.
func scanNumber(text []byte, i int) int {
	if text[i] == '-' {
		if i++; i == len(text) {
			return -i - 1
		}
	}
	switch c := text[i]; {
	case c == '0':
		i++
	case '1' <= c && c <= '9':
		i = digits(text, i+1)
	default:
		return -i - 1
	}
	if i < len(text) && text[i] == '.' {
		j := digits(text, i+1)
		if j == i+1 {
			return -j - 1
		}
		i = j
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		j := digits(text, i)
		if j == i {
			return -j - 1
		}
		i = j
	}
	return i
}

// digits returns the first position from i on that holds no digit.
func digits(text []byte, i int) int {
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	return i
}

// number returns a float64; out of its range is an error.
func number(text []byte) (any, error) {
	if len(text) <= 18 { // fits in an int64, whose conversion rounds as ParseFloat does
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
