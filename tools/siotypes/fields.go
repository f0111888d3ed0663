package siotypes

import (
	"go/types"
	"reflect"
	"strings"
)

// fields are the members that json/v2 makes of a struct, those of embedded and
// inlined structs among them; of equal names the outermost counts. A nil pointer
// to an embedded struct takes its members with it.
func (l *loader) fields(t *types.Struct) []Field {
	var fields []Field
	at := map[string]int{}
	depth := map[string]int{}
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
				_, pointer := field.Type().(*types.Pointer)
				collect(inner, level+1, optional || pointer)
				continue
			}
			if tag.ignored || tag.options["inline"] || tag.options["unknown"] || !field.Exported() {
				continue
			}
			f := l.field(field, tag)
			f.Optional = f.Optional || optional
			if i, ok := at[f.Name]; !ok {
				at[f.Name], depth[f.Name] = len(fields), level
				fields = append(fields, f)
			} else if level < depth[f.Name] {
				fields[i], depth[f.Name] = f, level
			}
		}
	}
	collect(t, 0, false)
	return fields
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
	if tag.options["string"] && (f.Shape.Kind == Integer || f.Shape.Kind == Number) {
		f.Shape = &Shape{Kind: String, Nullable: f.Shape.Nullable}
	}
	return f
}

// inlined is the struct whose members belong to the struct that holds field.
func inlined(field *types.Var, tag fieldTag) (*types.Struct, bool) {
	if tag.ignored || tag.name != "" || !field.Embedded() && !tag.options["inline"] && !tag.options["embed"] {
		return nil, false
	}
	t := field.Type()
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
