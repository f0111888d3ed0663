package socketio

import (
	"github.com/siokit/siokit/sioparser"
)

// None is the argument type of an event or a call, or the reply type of a call,
// that has none.
type None struct{}

// Args2 is the argument type of an event with two positional arguments. The
// last one may be a Rest.
type Args2[A, B any] struct {
	A A
	B B
}

// Args3 is the argument type of an event with three positional arguments. The
// last one may be a Rest.
type Args3[A, B, C any] struct {
	A A
	B B
	C C
}

// Rest is the argument type of an event with any number of arguments of one
// type, alone or as the last of Args2 and Args3.
type Rest[T any] []T

// positional is implemented by the types above, which stand for any number of
// arguments but one. Any other type is one argument.
type positional interface {
	// appendTo appends the arguments as Emit takes them.
	appendTo(dst []any) []any
	// bindFrom stores arguments; missing ones bind zero values, extra ones are
	// ignored.
	bindFrom(values *sioparser.Values, args sioparser.Args) error
}

func (*None) appendTo(dst []any) []any                         { return dst }
func (*None) bindFrom(*sioparser.Values, sioparser.Args) error { return nil }

func (a *Args2[A, B]) appendTo(dst []any) []any {
	return unpack(append(dst, a.A), &a.B)
}

func (a *Args2[A, B]) bindFrom(values *sioparser.Values, args sioparser.Args) error {
	return bindTail(values, args, &a.B, &a.A)
}

func (a *Args3[A, B, C]) appendTo(dst []any) []any {
	return unpack(append(dst, a.A, a.B), &a.C)
}

func (a *Args3[A, B, C]) bindFrom(values *sioparser.Values, args sioparser.Args) error {
	return bindTail(values, args, &a.C, &a.A, &a.B)
}

func (r *Rest[T]) appendTo(dst []any) []any {
	for _, v := range *r {
		dst = append(dst, v)
	}
	return dst
}

func (r *Rest[T]) bindFrom(values *sioparser.Values, args sioparser.Args) error {
	n := args.Len()
	*r = make(Rest[T], n)
	ptrs := make([]any, n)
	for i := range ptrs {
		ptrs[i] = &(*r)[i]
	}
	return values.Bind(args, ptrs...)
}

// unpack appends what *v stands for: one argument, or those of a positional
// type.
func unpack[T any](dst []any, v *T) []any {
	if p, ok := any(v).(positional); ok {
		return p.appendTo(dst)
	}
	return append(dst, *v)
}

// pack stores arguments into what *v stands for.
func pack[T any](values *sioparser.Values, args sioparser.Args, v *T) error {
	if p, ok := any(v).(positional); ok {
		return p.bindFrom(values, args)
	}
	return values.Bind(args, v)
}

// bindTail binds the arguments in front one by one and leaves the others to
// *last.
func bindTail[T any](values *sioparser.Values, args sioparser.Args, last *T, front ...any) error {
	rest, ok := any(last).(positional)
	if !ok {
		return values.Bind(args, append(front, last)...)
	}
	if err := values.Bind(args, front...); err != nil {
		return err
	}
	n := args.Len()
	return rest.bindFrom(values, args.Slice(min(len(front), n), n))
}
