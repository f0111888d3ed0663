package socketio

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
)

// children are the same selection in each child of the parent namespace.
func (b Broadcast) children() []Broadcast {
	var all []Broadcast
	for child := range b.parent.Children() {
		of := b
		of.nsp, of.parent = child, nil
		all = append(all, of)
	}
	return all
}

// fanOut does something with each child. One child's error keeps no other from
// its turn.
func (b Broadcast) fanOut(do func(Broadcast) error) error {
	var errs []error
	for _, child := range b.children() {
		errs = append(errs, do(child))
	}
	return errors.Join(errs...)
}

// found is one element of a child's sequence.
type found[T any] struct {
	value T
	err   error
}

// overChildren asks all children at once and yields what any of them has, as it
// arrives. What is missing in some of them is one *PartialError at the end.
func overChildren[T any](ctx context.Context, b Broadcast, ask func(context.Context, Broadcast) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		uncorkOf(ctx)
		ctx, cancel := context.WithCancel(ctx)
		all, left := make(chan found[T]), make(chan struct{})
		defer func() { // also when the loop is left, or panics
			close(left)
			cancel()
			for range all {
			}
		}()
		var asking sync.WaitGroup
		for _, child := range b.children() { // each ends with its sequence; waited for above
			asking.Go(func() {
				for value, err := range ask(ctx, child) {
					select {
					case all <- found[T]{value, err}:
					case <-left:
						return
					}
				}
			})
		}
		go func() { // ends when they have, which is waited for above, too
			asking.Wait()
			close(all)
		}()
		missing := new(PartialError)
		for f := range all {
			var partial *PartialError
			if errors.As(f.err, &partial) {
				add(missing, partial)
				continue
			}
			if !yield(f.value, f.err) {
				return
			}
		}
		if missing.Err != nil {
			var none T
			yield(none, missing)
		}
	}
}

// add makes one error of what is missing in several namespaces: servers are the
// same in all of them, sockets are not.
func add(to, e *PartialError) {
	to.Nodes = append(to.Nodes, e.Nodes...)
	slices.Sort(to.Nodes)
	to.Nodes = slices.Compact(to.Nodes)
	to.MoreNodes = max(to.MoreNodes, e.MoreNodes)
	to.Sockets = append(to.Sockets, e.Sockets...)
	to.MoreSockets += e.MoreSockets
	if to.Err == nil {
		to.Err = e.Err
	}
}
