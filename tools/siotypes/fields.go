package siotypes

import (
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// candidate is a field that may be a member of an object.
type candidate struct {
	Field
	level  int // of embedding
	tagged bool
}

// fields are the members that json/v2 makes of a struct, those of embedded structs
// among them; of equal names the outermost counts, and of several at one level the
// one whose tag names it, or none. A nil pointer to an embedded struct takes its
// members with it. What an embedded map holds is not known.
func (l *loader) fields(t *types.Struct) []Field {
	var all []candidate
	open := map[*types.Struct]bool{}
	var collect func(t *types.Struct, level int, optional bool)
	collect = func(t *types.Struct, level int, optional bool) {
		if open[t] { // embedded in itself
			return
		}
		open[t] = true
		defer delete(open, t)
		for i := range t.NumFields() {
			field, tag := t.Field(i), parseTag(t.Tag(i))
			if inner, ok := inlined(field, tag); ok {
				_, pointer := types.Unalias(field.Type()).(*types.Pointer)
				collect(inner, level+1, optional || pointer)
				continue
			}
			if tag.ignored || tag.options["embed"] || !field.Exported() {
				continue
			}
			f := l.field(field, tag)
			f.Optional = f.Optional || optional
			all = append(all, candidate{f, level, tag.name != ""})
		}
	}
	collect(t, 0, false)
	var fields []Field
	for i, c := range all {
		if !slices.ContainsFunc(slices.Delete(slices.Clone(all), i, i+1), c.hiddenBy) {
			fields = append(fields, c.Field)
		}
	}
	return fields
}

// hiddenBy tells whether c is no member because there is other.
func (c candidate) hiddenBy(other candidate) bool {
	if other.Name != c.Name || other.level != c.level {
		return other.Name == c.Name && other.level < c.level
	}
	return other.tagged || !c.tagged
}

func (l *loader) field(v *types.Var, tag fieldTag) Field {
	f := Field{Name: tag.name, Doc: l.docs[v], Shape: l.shape(v.Type())}
	if f.Name == "" {
		f.Name = v.Name()
	}
	f.Optional = tag.options["omitempty"] || tag.options["omitzero"]
	if f.Optional && f.Shape.Nullable { // what would be null is left out
		shape := *f.Shape
		shape.Nullable = false
		f.Shape = &shape
	}
	if tag.options["string"] && l.isNumber(v.Type()) {
		f.Shape = &Shape{Kind: String, Nullable: f.Shape.Nullable}
	}
	return f
}

// isNumber tells whether t, or what it points to, is a number that the option
// string makes a string of: not one with a method for it, and not json.Number.
func (l *loader) isNumber(t types.Type) bool {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return l.isNumber(p.Elem())
	}
	shape := l.shape(t)
	if shape.Kind == Named {
		shape = shape.Type.Shape
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString == 0 && (shape.Kind == Integer || shape.Kind == Number)
}

// inlined is the struct whose members belong to the struct that holds field.
func inlined(field *types.Var, tag fieldTag) (*types.Struct, bool) {
	if tag.ignored || tag.name != "" || !field.Embedded() && !tag.options["embed"] {
		return nil, false
	}
	t := types.Unalias(field.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok && (has(named, "MarshalJSON") || has(named, "MarshalJSONTo") || has(named, "MarshalText")) {
		return nil, false
	}
	s, ok := t.Underlying().(*types.Struct)
	return s, ok
}

// fieldTag is what a field's json tag says.
type fieldTag struct {
	name    string // empty if the tag names none
	options map[string]bool
	ignored bool
}

func parseTag(tag string) fieldTag {
	text := reflect.StructTag(tag).Get("json")
	if text == "-" {
		return fieldTag{ignored: true}
	}
	var parsed fieldTag
	parsed.name, text, _ = strings.Cut(text, ",")
	parsed.options = map[string]bool{}
	for option := range strings.SplitSeq(text, ",") {
		parsed.options[option] = true
	}
	return parsed
}
