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

// exactDigits is how many digits an integer may have to be a float64 exactly,
// and powers of ten up to that one are, too.
const exactDigits = 15

var powers = [exactDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number returns a float64; out of its range is an error.
func number(text []byte) (any, error) {
	if f, ok := decimal(text); ok {
		return f, nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return nil, &json.SemanticError{
			JSONKind: '0', JSONValue: slices.Clone(text), GoType: reflect.TypeFor[float64](), Err: strconv.ErrRange,
		}
	}
	return f, nil
}

// decimal reads numbers of a few digits without an exponent: a quotient of two
// numbers that are exact is rounded once, as ParseFloat rounds.
func decimal(text []byte) (f float64, ok bool) {
	if len(text) > exactDigits+1 {
		return 0, false
	}
	n, point := int64(0), len(text)-1
	for i, c := range text {
		switch {
		case c-'0' <= 9:
			n = n*10 + int64(c-'0')
		case c == '.':
			point = i
		default:
			return 0, false
		}
	}
	return float64(n) / powers[len(text)-1-point], true
}
