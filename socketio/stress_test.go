package socketio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// Sixty-four goroutines call every exported method of everything there is, with
// arguments that fit, while clients come and go and a second server listens. Nothing
// may race or hang, and nothing may be left.
func TestStress(t *testing.T) {
	h := new(hub)
	on := func(name string) *socketio.Server {
		config := quiet()
		config.AckTimeout = 2 * time.Millisecond
		config.Adapter = h.adapter(name)
		return fixture(t, config)
	}
	srv, second := on("first"), on("second")
	url := serve(t, srv)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	parent := srv.OfPattern(regexp.MustCompile(`^/dyn-`))
	called := new(calls)
	var clients, callers sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				comeAndGo(t, url)
			}
		})
	}
	for i := range 64 {
		callers.Go(func() {
			c := &caller{ctx: ctx, srv: srv, parent: parent, called: called, rand: rand.New(rand.NewPCG(1, uint64(i)))}
			defer c.stop()
			for ctx.Err() == nil {
				for range 10 {
					c.one()
				}
				<-time.After(time.Millisecond) // the clients need the machine, too
			}
		})
	}
	srv.OnServerSide("stress", func(_ context.Context, ev *socketio.ServerEvent) error {
		c := &caller{ctx: ctx, srv: srv, parent: parent, called: called, rand: rand.New(rand.NewPCG(3, rand.Uint64())), makes: 3}
		defer c.stop()
		c.call(reflect.ValueOf(ev), 2)
		_ = ev.Ack(1) // unless that was called
		return nil
	})
	callers.Go(func() {
		c := &caller{ctx: ctx, srv: srv, parent: parent, called: called, rand: rand.New(rand.NewPCG(4, 0))}
		defer c.stop()
		for ctx.Err() == nil {
			c.ask(second)
		}
	})
	<-time.After(1500 * time.Millisecond)
	enough := time.Now().Add(time.Minute) // a busy machine takes its time
	for len(called.not(stressed...)) > 0 && time.Now().Before(enough) {
		<-time.After(50 * time.Millisecond)
	}
	if left := called.not(stressed...); len(left) > 0 {
		t.Error("never called: ", left)
	}
	cancel()
	clients.Wait()
	callers.Wait()
	eventually(t, "empty registries", func() bool {
		if srv.Engine().Len() > 0 {
			return false
		}
		for n := range srv.Namespaces() {
			sockets, rooms := n.Adapter().(adapter.Index).Len()
			if n.Len() > 0 || sockets > 0 || rooms > 0 {
				return false
			}
		}
		return true
	})
	for _, srv := range []*socketio.Server{srv, second} {
		if err := srv.Shutdown(t.Context()); err != nil || srv.Running() > 0 {
			t.Errorf("%v; %d goroutines are left", err, srv.Running())
		}
	}
	if left := len(h.nodes); left > 0 {
		t.Errorf("%d adapters are left", left)
	}
}

// calls are the methods that were called, by their names with the type in front.
type calls struct {
	sync.Map
	all atomic.Bool // nothing stressed is missing
}

// not lists the methods of types that nobody has called.
func (c *calls) not(types ...reflect.Type) (names []string) {
	if c.all.Load() {
		return nil
	}
	for _, of := range types {
		for i := range of.NumMethod() {
			name := fmt.Sprint(of, ".", of.Method(i).Name)
			if _, ok := c.Load(name); !ok && !slices.Contains(left, of.Method(i).Name) {
				names = append(names, name)
			}
		}
	}
	c.all.Store(len(names) == 0 && len(types) == len(stressed))
	return names
}

// stressed are the types whose every method is called.
var stressed = []reflect.Type{
	reflect.TypeFor[*socketio.Server](), reflect.TypeFor[*socketio.Namespace](), reflect.TypeFor[*socketio.ParentNamespace](),
	reflect.TypeFor[*socketio.Socket](), reflect.TypeFor[socketio.Unicast](), reflect.TypeFor[socketio.Broadcast](),
	reflect.TypeFor[*socketio.RemoteSocket](), reflect.TypeFor[*socketio.Event](), reflect.TypeFor[*socketio.Data](),
	reflect.TypeFor[*socketio.Ack](), reflect.TypeFor[*socketio.ServerEvent](),
	reflect.TypeFor[*socketio.Handshake](), reflect.TypeFor[socketio.Key[account]](), reflect.TypeFor[socketio.LocalKey[func() string]](),
	reflect.TypeFor[socketio.EventBoth[int]](), reflect.TypeFor[socketio.CallBoth[int, int]](),
	reflect.TypeFor[socketio.EventBetweenServers[int]](), reflect.TypeFor[socketio.CallBetweenServers[int, int]](),
}

// left are methods that end everything, are for others than applications, or
// are the tests' own.
var left = []string{"Close", "Shutdown", "ServeHTTP", "Push", "Membership", "Depart", "Goodbye", "HasConnection", "PendingAcks", "Running"}

// comeAndGo is a client's short life: it goes 20 ms after the first answer, however
// long that takes on a busy machine.
func comeAndGo(t *testing.T, url string) {
	c := dial(t, url)
	c.send("40", `42["message",1]`, `421["x",{"a":[1]}]`, "40/custom,", "40/dyn-1,", `420["y"]`, "41/custom,", `451-["message",{"_placeholder":true,"num":0}]`, "<bin 01>")
	var enough <-chan time.Time
	for {
		select {
		case f, ok := <-c.frames:
			if enough == nil {
				enough = time.After(20 * time.Millisecond)
			}
			if match := asking.FindStringSubmatch(f); match != nil {
				c.send("43" + match[1] + "[1]")
			}
			if ok {
				continue
			}
		case <-enough:
		}
		c.kill()
		return
	}
}

var asking = regexp.MustCompile(`^42(\d+)\[`)

// caller calls methods at random.
type caller struct {
	ctx    context.Context
	srv    *socketio.Server
	parent *socketio.ParentNamespace
	called *calls
	rand   *rand.Rand
	stops  []func()
	makes  int // namespaces and parents so far: nobody takes them away
}

// one calls a method of something, rather of what has one that nobody has called,
// and perhaps of what it returns.
func (c *caller) one() {
	things := []any{c.srv, c.srv.Namespace, c.parent, user, secret, stressEvent, stressCall, stressEvent.BetweenServers(), stressCall.BetweenServers()}
	if s := c.socket(); s != nil {
		things = append(things, s, s, s, s, s.Data(), s.Handshake(), s.Volatile())
		for r := range c.srv.FetchSockets(c.ctx) { // of which there would be few
			things = append(things, r, r)
			break
		}
	}
	c.rand.Shuffle(len(things), func(i, j int) { things[i], things[j] = things[j], things[i] })
	some := max(0, slices.IndexFunc(things, func(v any) bool { return len(c.called.not(reflect.TypeOf(v))) > 0 }))
	c.call(reflect.ValueOf(things[some]), 3)
	if len(c.stops) > 8 {
		c.stops[0]()
		c.stops = c.stops[1:]
	}
}

// ask uses answers: of a client, and of c's server to the other one. It waits for
// them longer than those do who call at random.
func (c *caller) ask(other *socketio.Server) {
	ctx, cancel := context.WithTimeout(c.ctx, time.Second)
	defer cancel()
	if s := c.socket(); s != nil {
		if ack, err := s.EmitWithAck(ctx, "x"); err == nil {
			c.call(reflect.ValueOf(ack), 2)
		}
	}
	for r, err := range other.ServerSideEmitWithAck(ctx, "stress") {
		if err == nil {
			c.call(reflect.ValueOf(r.Value), 2)
		}
	}
	<-time.After(time.Millisecond)
}

var (
	stressEvent = socketio.DefineEvent[int]("x")
	stressCall  = socketio.DefineCall[int, int]("y")
)

func (c *caller) stop() {
	for _, stop := range c.stops {
		stop()
	}
}

// socket is any of those that there are.
func (c *caller) socket() *socketio.Socket {
	n := c.srv.Namespace
	if c.rand.IntN(3) == 0 {
		for n = range c.parent.Children() {
			break
		}
	}
	for s := range n.Sockets() {
		return s
	}
	return nil
}

func (c *caller) call(v reflect.Value, depth int) {
	if depth == 0 || !slices.Contains(stressed, v.Type()) || v.Kind() == reflect.Pointer && v.IsNil() {
		return
	}
	i := c.rand.IntN(v.NumMethod())
	for range v.NumMethod() { // rather one that nobody has called
		name := v.Type().Method(i).Name
		if _, ok := c.called.Load(fmt.Sprint(v.Type(), ".", name)); !ok && !slices.Contains(left, name) {
			break
		}
		i = (i + 1) % v.NumMethod()
	}
	name := v.Type().Method(i).Name
	if slices.Contains(left, name) {
		return
	}
	if name == "Of" || name == "OfMatch" || name == "OfPattern" {
		if c.makes++; c.makes > 3 {
			return
		}
	}
	m := v.Method(i)
	args, ok := c.arguments(m.Type(), name)
	if !ok {
		return
	}
	c.called.Store(fmt.Sprint(v.Type(), ".", name), true)
	for _, result := range m.Call(args) {
		c.use(result, depth-1)
	}
}

// use does with a result what is to be done with it.
func (c *caller) use(result reflect.Value, depth int) {
	if result.Kind() != reflect.Func {
		c.call(result, depth)
		return
	}
	if stop, ok := result.Interface().(func()); ok {
		c.stops = append(c.stops, stop)
		return
	}
	n := 0
	switch {
	case result.IsNil():
	case result.Type().CanSeq2():
		for v := range result.Seq2() {
			if c.call(v, depth); n > 3 {
				break
			}
			n++
		}
	case result.Type().CanSeq():
		for v := range result.Seq() {
			if c.call(v, depth); n > 3 {
				break
			}
			n++
		}
	}
}

func (c *caller) arguments(f reflect.Type, method string) (args []reflect.Value, ok bool) {
	for i := range f.NumIn() {
		in := f.In(i)
		if f.IsVariadic() && i == f.NumIn()-1 {
			for range c.rand.IntN(3) {
				arg, ok := c.argument(in.Elem(), method)
				if !ok {
					return nil, false
				}
				args = append(args, arg)
			}
			continue
		}
		arg, ok := c.argument(in, method)
		if !ok {
			return nil, false
		}
		args = append(args, arg)
	}
	return args, true
}

// argument makes a value of a type; false if there is none just now.
func (c *caller) argument(of reflect.Type, method string) (reflect.Value, bool) {
	switch of {
	case reflect.TypeFor[context.Context]():
		ctx, cancel := context.WithTimeout(c.ctx, time.Duration(c.rand.IntN(3))*time.Millisecond)
		context.AfterFunc(c.ctx, cancel)
		return reflect.ValueOf(ctx), true
	case reflect.TypeFor[time.Duration]():
		return reflect.ValueOf(time.Duration(1+c.rand.IntN(2)) * time.Millisecond), true
	case reflect.TypeFor[*socketio.Socket]():
		s := c.socket()
		return reflect.ValueOf(s), s != nil
	case reflect.TypeFor[*regexp.Regexp]():
		return reflect.ValueOf(regexp.MustCompile("^/none$")), true
	case reflect.TypeFor[socketio.Mode]():
		return reflect.ValueOf(socketio.Mode(c.rand.IntN(3))), true
	case reflect.TypeFor[any]():
		if method == "Bind" || method == "Auth" || c.rand.IntN(2) == 0 {
			return reflect.ValueOf(new(any)), true
		}
		return reflect.ValueOf([]byte("bytes")), true
	}
	switch of.Kind() {
	case reflect.String:
		return reflect.ValueOf([]string{"x", "y", "message", "a", "b"}[c.rand.IntN(5)]), true
	case reflect.Bool:
		return reflect.ValueOf(c.rand.IntN(2) == 0), true
	case reflect.Func:
		return c.function(of), true
	case reflect.Interface:
		return c.implementation(of)
	}
	return reflect.Zero(of), true
}

// function makes a handler or a hook that uses what it is given once.
func (c *caller) function(of reflect.Type) reflect.Value {
	var used atomic.Bool
	seed := c.rand.Uint64()
	return reflect.MakeFunc(of, func(args []reflect.Value) []reflect.Value {
		if !used.Swap(true) {
			own := &caller{ctx: c.ctx, srv: c.srv, parent: c.parent, called: c.called, rand: rand.New(rand.NewPCG(2, seed)), makes: 3}
			defer own.stop()
			for _, arg := range args {
				own.call(arg, 2)
			}
		}
		results := make([]reflect.Value, of.NumOut())
		for i := range results {
			results[i] = reflect.Zero(of.Out(i))
		}
		return results
	})
}

// implementation is something that an interface asks for.
func (c *caller) implementation(of reflect.Type) (reflect.Value, bool) {
	candidates := []any{c.srv, c.srv.Namespace, c.parent, c.srv.To("a"), c.parent.To("a")}
	if s := c.socket(); s != nil {
		candidates = append(candidates, s, s.Volatile())
	}
	c.rand.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	for _, v := range candidates {
		if reflect.TypeOf(v).Implements(of) {
			return reflect.ValueOf(v), true
		}
	}
	return reflect.Value{}, false
}
