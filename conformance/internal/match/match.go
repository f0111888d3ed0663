package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// Captures holds what the masks of an expectation stood for: strings as their
// text, numbers as written. A name that occurs twice keeps its last value.
type Captures map[string]string

// Masks of an expectation. Inside JSON a mask is a whole string: "<sid>" stands
// for any string that is not empty, "<n>" for any number, "<any>" for any
// value. Before the JSON, <n> stands for digits.
var masks = map[string]kind{
	"<sid>":    kindString,
	"<pid>":    kindString,
	"<id>":     kindString,
	"<id2>":    kindString,
	"<offset>": kindString,
	"<text>":   kindString,
	"<n>":      kindNumber,
}

// Packet compares a packet with an expectation and returns what the masks stood
// for. The error tells where they differ.
func Packet(want, got string) (Captures, error) {
	caps := Captures{}
	if want == got {
		// Masks may still need a value; a packet that spells a mask out is not expected.
		if !strings.Contains(want, "<") {
			return caps, nil
		}
	}
	if strings.HasPrefix(want, "<bin") || strings.HasPrefix(got, "<bin") {
		if want == got || want == "<bin>" && strings.HasPrefix(got, "<bin") {
			return caps, nil
		}
		return nil, fmt.Errorf("different frames")
	}
	wantHead, wantJSON := split(want)
	gotHead, gotJSON := split(got)
	if err := head(wantHead, gotHead, caps); err != nil {
		return nil, err
	}
	if wantJSON == "" && gotJSON == "" {
		return caps, nil
	}
	if wantJSON == "" || gotJSON == "" {
		return nil, fmt.Errorf("one has JSON after %q, the other has not", gotHead)
	}
	w, err := parse(wantJSON)
	if err != nil {
		if wantJSON == gotJSON {
			return caps, nil // plain text that looks like JSON
		}
		return nil, fmt.Errorf("the texts differ")
	}
	g, err := parse(gotJSON)
	if err != nil {
		return nil, err
	}
	if err := equal("$", w, g, caps); err != nil {
		return nil, err
	}
	return caps, nil
}

// JSON compares two JSON texts as [Packet] does.
func JSON(want, got string) (Captures, error) {
	caps := Captures{}
	w, err := parse(want)
	if err != nil {
		return nil, fmt.Errorf("the expectation is %w", err)
	}
	g, err := parse(got)
	if err != nil {
		return nil, err
	}
	return caps, equal("$", w, g, caps)
}

// split cuts a packet where its JSON begins.
func split(packet string) (head, json string) {
	if i := strings.IndexAny(packet, `[{"`); i >= 0 {
		return packet[:i], packet[i:]
	}
	return packet, ""
}

var headMask = regexp.MustCompile(`<[a-z0-9]+>`)

func head(want, got string, caps Captures) error {
	if want == got {
		return nil
	}
	names := headMask.FindAllString(want, -1)
	if names == nil {
		return fmt.Errorf("%q instead of %q before the JSON", got, want)
	}
	var expr strings.Builder
	expr.WriteString("^")
	rest := want
	for _, name := range names {
		i := strings.Index(rest, name)
		expr.WriteString(regexp.QuoteMeta(rest[:i]))
		if name == "<n>" {
			expr.WriteString(`(\d+)`)
		} else {
			expr.WriteString(`(.+)`)
		}
		rest = rest[i+len(name):]
	}
	expr.WriteString(regexp.QuoteMeta(rest) + "$")
	found := regexp.MustCompile(expr.String()).FindStringSubmatch(got)
	if found == nil {
		return fmt.Errorf("%q does not look like %q", got, want)
	}
	for i, name := range names {
		caps[strings.Trim(name, "<>")] = found[i+1]
	}
	return nil
}

func text(units []uint16) string { return string(utf16.Decode(units)) }

// equal compares by meaning; path tells where, in the manner of JSONPath.
func equal(path string, want, got value, caps Captures) error {
	if want.kind == kindString {
		name := text(want.str)
		if name == "<any>" {
			return nil
		}
		if kind, ok := masks[name]; ok {
			return masked(path, name, kind, got, caps)
		}
	}
	if want.kind != got.kind {
		return fmt.Errorf("%s is %s instead of %s", path, got, want)
	}
	same := true
	switch want.kind {
	case kindBool:
		same = want.boolean == got.boolean
	case kindNumber:
		same = equalNumbers(want.number, got.number)
	case kindString:
		same = slices.Equal(want.str, got.str)
	case kindArray:
		if len(want.items) != len(got.items) {
			return fmt.Errorf("%s has %d elements instead of %d", path, len(got.items), len(want.items))
		}
		for i := range want.items {
			if err := equal(fmt.Sprintf("%s[%d]", path, i), want.items[i], got.items[i], caps); err != nil {
				return err
			}
		}
	case kindObject:
		return equalObjects(path, want, got, caps)
	}
	if !same {
		return fmt.Errorf("%s is %s instead of %s", path, got, want)
	}
	return nil
}

func equalObjects(path string, want, got value, caps Captures) error {
	for _, m := range want.members {
		at := path + "." + text(m.name)
		switch found := got.find(m.name); len(found) {
		case 0:
			return fmt.Errorf("%s is missing", at)
		case 1:
			if err := equal(at, m.value, found[0], caps); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s occurs %d times", at, len(found))
		}
	}
	for _, m := range got.members {
		if want.find(m.name) == nil {
			return fmt.Errorf("%s.%s is not expected", path, text(m.name))
		}
	}
	return nil
}

func masked(path, name string, k kind, got value, caps Captures) error {
	if got.kind != k || k == kindString && len(got.str) == 0 {
		return fmt.Errorf("%s is %s where %s is expected", path, got, name)
	}
	if k == kindNumber {
		// The number in the head is the one that cases ask for.
		if _, taken := caps["n"]; !taken {
			caps["n"] = got.number
		}
	} else {
		caps[strings.Trim(name, "<>")] = text(got.str)
	}
	return nil
}

// String shows a value shortly, for messages.
func (v value) String() string {
	switch v.kind {
	case kindNull:
		return "null"
	case kindBool:
		return fmt.Sprint(v.boolean)
	case kindNumber:
		return v.number
	case kindString:
		s := fmt.Sprintf("%q", text(v.str))
		if len(s) > 80 {
			s = s[:80] + "…"
		}
		return s
	case kindArray:
		return fmt.Sprintf("an array of %d", len(v.items))
	default:
		return fmt.Sprintf("an object of %d members", len(v.members))
	}
}
