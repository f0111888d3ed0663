package siotypes

import (
	"cmp"
	"go/constant"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// known are types whose form on the wire their structure does not show.
var known = map[string]Shape{
	"time.Time":            {Kind: String, Format: "date-time"},
	"time.Duration":        {Kind: Integer},
	"math/big.Int":         {Kind: Integer},
	"encoding/json.Number": {Kind: Number},
	"github.com/siokit/siokit/sioparser.Binary": {Kind: Binary, Nullable: true},
}

// args is what a definition's type stands for: positional arguments if it is
// one of socketio's types for that, else one argument.
func (l *loader) args(t types.Type) Args {
	named, ok := types.Unalias(t).(*types.Named)
	if ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == definers {
		switch named.Obj().Name() {
		case "None":
			return Args{}
		case "Rest":
			return Args{Rest: l.shape(named.TypeArgs().At(0))}
		case "Args2", "Args3":
			var args Args
			last := named.TypeArgs().Len() - 1
			for i := range last {
				args.Fixed = append(args.Fixed, l.shape(named.TypeArgs().At(i)))
			}
			tail := l.args(named.TypeArgs().At(last))
			return Args{Fixed: append(args.Fixed, tail.Fixed...), Rest: tail.Rest}
		}
	}
	return Args{Fixed: []*Shape{l.shape(t)}}
}

// shape is what values of t look like on the wire.
func (l *loader) shape(t types.Type) *Shape {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		return l.namedShape(named)
	}
	switch t := t.(type) {
	case *types.Basic:
		return basic(t)
	case *types.Pointer:
		shape := *l.shape(t.Elem())
		shape.Nullable = true
		return &shape
	case *types.Slice:
		if isByte(t.Elem()) {
			return &Shape{Kind: Binary, Nullable: true}
		}
		return &Shape{Kind: Array, Elem: l.shape(t.Elem()), Len: -1}
	case *types.Array:
		if isByte(t.Elem()) {
			return &Shape{Kind: String} // base64
		}
		return &Shape{Kind: Array, Elem: l.shape(t.Elem()), Len: int(t.Len())}
	case *types.Map:
		return &Shape{Kind: Map, Elem: l.shape(t.Elem())}
	case *types.Struct:
		return &Shape{Kind: Object, Fields: l.fields(t)}
	case *types.TypeParam:
		l.generic = true
	}
	return &Shape{Kind: Any}
}

func basic(t *types.Basic) *Shape {
	switch info := t.Info(); {
	case info&types.IsBoolean != 0:
		return &Shape{Kind: Bool}
	case info&types.IsInteger != 0:
		return &Shape{Kind: Integer}
	case info&types.IsFloat != 0:
		return &Shape{Kind: Number}
	case info&types.IsString != 0:
		return &Shape{Kind: String}
	}
	return &Shape{Kind: Any}
}

func isByte(t types.Type) bool {
	b, ok := types.Unalias(t).(*types.Basic) // a slice of a named byte type is an array of numbers or base64, never an attachment
	return ok && b.Kind() == types.Byte
}

// namedShape is a reference to a type of its own for structs and enumerations,
// and the plain form for other named types.
func (l *loader) namedShape(t *types.Named) *Shape {
	if shape, ok := known[qualified(t)]; ok {
		return &shape
	}
	if typ, ok := l.named.At(t).(*Type); ok {
		return &Shape{Kind: Named, Type: typ}
	}
	switch {
	case has(t, "MarshalJSONTo"), has(t, "MarshalJSON"):
		return &Shape{Kind: Any}
	case has(t, "AppendText"), has(t, "MarshalText"):
		return &Shape{Kind: String}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		typ := l.declare(t)
		typ.Shape = &Shape{Kind: Object}
		typ.Shape.Fields = l.fields(u) // may refer to typ
		return &Shape{Kind: Named, Type: typ}
	case *types.Basic:
		if values := constants(t); len(values) > 0 {
			typ := l.declare(t)
			typ.Shape, typ.Values = basic(u), values
			return &Shape{Kind: Named, Type: typ}
		}
	case *types.Slice:
		if isByte(u.Elem()) {
			return &Shape{Kind: String} // base64: only []byte itself is an attachment
		}
	}
	if l.open[t] { // a list of itself has no end that could be written down
		return &Shape{Kind: Any}
	}
	l.open[t] = true
	defer delete(l.open, t)
	return l.shape(t.Underlying())
}

// qualified is the type's name behind its package's path.
func qualified(t *types.Named) string {
	if t.Obj().Pkg() == nil {
		return t.Obj().Name()
	}
	return t.Obj().Pkg().Path() + "." + t.Obj().Name()
}

// has tells whether values of t, or pointers to them, have the method.
func has(t *types.Named, method string) bool {
	return types.NewMethodSet(types.NewPointer(t)).Lookup(t.Obj().Pkg(), method) != nil
}

// constants are the values of t's package's constants of that type, if they
// make an enumeration of it: strings or integers, in the order of the source.
func constants(t *types.Named) []any {
	scope := t.Obj().Pkg().Scope()
	var all []*types.Const
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), t) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *types.Const) int { return cmp.Compare(a.Pos(), b.Pos()) })
	var values []any
	seen := map[any]bool{}
	for _, c := range all {
		var value any
		switch c.Val().Kind() {
		case constant.String:
			value = constant.StringVal(c.Val())
		case constant.Int:
			n, exact := constant.Int64Val(c.Val())
			if !exact {
				return nil
			}
			value = n
		default:
			return nil
		}
		if !seen[value] {
			seen[value] = true
			values = append(values, value)
		}
	}
	return values
}

// declare gives t a name of its own.
func (l *loader) declare(t *types.Named) *Type {
	name := typeName(t)
	for candidate, n := name, 2; ; candidate, n = name+strconv.Itoa(n), n+1 {
		if !l.taken[candidate] {
			name = candidate
			break
		}
	}
	l.taken[name] = true
	typ := &Type{Name: name, Doc: l.docs[t.Origin().Obj()]}
	l.named.Set(t, typ)
	l.api.Types = append(l.api.Types, typ)
	return typ
}

// typeName is the type's name in capital letters' style, with those of its type
// arguments behind it: PageUser for Page[User].
func typeName(t *types.Named) string {
	name := upper(t.Obj().Name())
	for i := range t.TypeArgs().Len() {
		arg := t.TypeArgs().At(i)
		for _, part := range strings.FieldsFunc(types.TypeString(arg, func(*types.Package) string { return "" }), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}) {
			name += upper(part)
		}
	}
	return name
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
