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
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return nil, &json.SemanticError{
			JSONKind: '0', JSONValue: slices.Clone(text), GoType: reflect.TypeFor[float64](), Err: strconv.ErrRange,
		}
	}
	return f, nil
}

// decimal reads the number at text[i], which is valid, and finds its end, unless it
// has many digits or an exponent: a quotient of two numbers that are exact is
// rounded once, as ParseFloat rounds.
func decimal(text []byte, i int) (f float64, end int, ok bool) {
	negative := text[i] == '-'
	if negative {
		i++
	}
	n, first, places := int64(0), i, 0
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		n = n*10 + int64(text[i]-'0')
	}
	if i < len(text) && text[i] == '.' {
		first++ // the point is no digit
		point := i
		for i++; i < len(text) && text[i]-'0' <= 9; i++ {
			n = n*10 + int64(text[i]-'0')
		}
		places = i - point - 1
	}
	if i-first > exactDigits || i < len(text) && text[i]|0x20 == 'e' {
		return 0, 0, false
	}
	if f = float64(n); places > 0 {
		f /= powers[places]
	}
	if negative {
		f = -f
	}
	return f, i, true
}
