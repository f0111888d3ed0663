package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

type account struct {
	Name string `json:"name"`
}

type note struct {
	Text string `json:"text"`
	Blob []byte `json:"blob,omitempty"`
}

var (
	user   = socketio.NewKey[account]("user")
	secret = socketio.NewLocalKey[func() string]("secret")

	noteEvent  = socketio.DefineEvent[note]("note")
	moveEvent  = socketio.DefineEvent[socketio.Args2[string, int]]("move")
	tripleEv   = socketio.DefineEvent[socketio.Args3[string, int, bool]]("triple").ToClient()
	listEvent  = socketio.DefineEvent[socketio.Args2[string, socketio.Rest[int]]]("list")
	allEvent   = socketio.DefineEvent[socketio.Rest[string]]("all")
	pokeEvent  = socketio.DefineEvent[socketio.None]("poke")
	relayEvent = socketio.DefineEvent[sioparser.Args]("relay").ToServer()

	addCall  = socketio.DefineCall[socketio.Args2[int, int], int]("add")
	failCall = socketio.DefineCall[string, socketio.None]("fail").ToServer()
	nameCall = socketio.DefineCall[socketio.None, string]("name").ToClient()
)

func typedServer(t *testing.T) (*socketio.Server, chan error) {
	srv := newServer(t, quiet())
	errs := make(chan error, 10)
	srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { errs <- err })
	noteEvent.On(srv, func(_ context.Context, s *socketio.Socket, n note) error { return noteEvent.Emit(s, n) })
	moveEvent.On(srv, func(_ context.Context, s *socketio.Socket, v socketio.Args2[string, int]) error {
		return moveEvent.Emit(s, v)
	})
	listEvent.On(srv, func(_ context.Context, s *socketio.Socket, v socketio.Args2[string, socketio.Rest[int]]) error {
		return listEvent.Emit(s, v)
	})
	allEvent.On(srv, func(_ context.Context, s *socketio.Socket, v socketio.Rest[string]) error { return allEvent.Emit(s, v) })
	pokeEvent.On(srv, func(_ context.Context, s *socketio.Socket, v socketio.None) error {
		return errors.Join(pokeEvent.Emit(s, v), tripleEv.Emit(s, socketio.Args3[string, int, bool]{A: "a", B: 1, C: true}))
	})
	relayEvent.On(srv, func(_ context.Context, s *socketio.Socket, v sioparser.Args) error { return s.Emit("relayed", v) })
	addCall.On(srv, func(_ context.Context, _ *socketio.Socket, v socketio.Args2[int, int]) (int, error) {
		return v.A + v.B, nil
	})
	failCall.On(srv, func(_ context.Context, _ *socketio.Socket, how string) (socketio.None, error) {
		switch how {
		case "public":
			return socketio.None{}, fmt.Errorf("wrapped: %w", &socketio.PublicError{Message: "no such room", Data: 404})
		case "private":
			return socketio.None{}, errors.New("password of the database")
		}
		return socketio.None{}, nil
	})
	return srv, errs
}

func TestTypedEvents(t *testing.T) {
	srv, errs := typedServer(t)
	c := dial(t, serve(t, srv))
	c.join("/")
	for _, x := range []struct{ send, want string }{
		{`42["note",{"text":"é"}]`, `42["note",{"text":"é"}]`},
		{`42["note",{"text":"a"},"an extra argument"]`, `42["note",{"text":"a"}]`},
		{`42["note"]`, `42["note",{"text":""}]`},
		{`42["move","a",3]`, `42["move","a",3]`},
		{`42["move","a"]`, `42["move","a",0]`},
		{`42["list","a",1,2,3]`, `42["list","a",1,2,3]`},
		{`42["list","a"]`, `42["list","a"]`},
		{`42["list"]`, `42["list",""]`},
		{`42["all","a","b"]`, `42["all","a","b"]`},
		{`42["all"]`, `42["all"]`},
		{`421["add",2,3]`, `431[5]`},
		{`421["fail","public"]`, `431[{"error":{"message":"no such room","data":404}}]`},
		{`421["fail","private"]`, `431[{"error":{"message":"internal error"}}]`},
		{`421["fail",7]`, `431[{"error":{"message":"invalid arguments"}}]`},
		{`421["fail",""]`, `431[]`},
	} {
		c.send(x.send)
		c.expect(x.want)
	}
	c.send(`451-["note",{"text":"b","blob":{"_placeholder":true,"num":0}}]`, "<bin 0102>")
	c.expect(`451-["note",{"text":"b","blob":{"_placeholder":true,"num":0}}]`, "<bin 0102>")
	c.send(`42["poke"]`)
	c.expect(`42["poke"]`, `42["triple","a",1,true]`)
	c.send(`42["note",7]`, `42["poke"]`)
	c.expect(`42["poke"]`, `42["triple","a",1,true]`)

	var handler *socketio.HandlerError
	if err := receive(t, errs); !errors.As(err, &handler) || handler.Event != "fail" || !strings.Contains(err.Error(), "password") {
		t.Errorf("private error reported as %v", err)
	}
	for _, event := range []string{"fail", "note"} {
		var argument *socketio.ArgumentError
		if err := receive(t, errs); !errors.As(err, &argument) || argument.Event != event {
			t.Errorf("arguments that don't fit reported as %v", err)
		}
	}
	if len(errs) > 0 {
		t.Errorf("one more error: %v", <-errs)
	}
}

func TestDo(t *testing.T) {
	srv := newServer(t, quiet())
	sockets := make(chan *socketio.Socket, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	c := dial(t, serve(t, srv))
	c.join("/")
	s := receive(t, sockets)
	type result struct {
		name string
		err  error
	}
	ask := func(answer string) result {
		results := make(chan result, 1)
		go func() {
			name, err := nameCall.Do(t.Context(), s, socketio.None{})
			results <- result{name, err}
		}()
		id := strings.TrimSuffix(strings.TrimPrefix(c.next(), "42"), `["name"]`)
		c.send("43" + id + answer)
		return receive(t, results)
	}
	if got := ask(`["Ada"]`); got.err != nil || got.name != "Ada" {
		t.Error(got)
	}
	if got := ask(`[]`); got.err != nil || got.name != "" {
		t.Error(got)
	}
	var remote *socketio.RemoteError
	if got := ask(`[{"error":{"message":"busy","data":[1]}}]`); !errors.As(got.err, &remote) || remote.Message != "busy" || string(remote.Data) != "[1]" {
		t.Error(got)
	}
	var argument *socketio.ArgumentError
	for _, other := range []string{`[7]`, `[{"error":{"message":7}}]`, `[{"error":{"message":"a"},"more":1}]`, `[{"error":{"message":"a","more":1}}]`} {
		if got := ask(other); !errors.As(got.err, &argument) {
			t.Error(other, got)
		}
	}
}

// A reply that can't be encoded is answered all the same: somebody waits for it.
func TestReplyThatCannotBeEncoded(t *testing.T) {
	srv := newServer(t, quiet())
	errs := make(chan error, 1)
	srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { errs <- err })
	socketio.DefineCall[int, float64]("ask").On(srv, func(_ context.Context, _ *socketio.Socket, n int) (float64, error) {
		if n == 0 {
			return 0, &socketio.PublicError{Message: "no", Data: func() {}}
		}
		return math.NaN(), nil
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	for _, question := range []string{"0", "1"} {
		c.send(`421["ask",` + question + `]`)
		c.expect(`431[{"error":{"message":"internal error"}}]`)
		var argument *socketio.ArgumentError
		if err := receive(t, errs); !errors.As(err, &argument) {
			t.Error(err)
		}
	}
}

func TestDoAll(t *testing.T) {
	srv := newServer(t, quiet())
	url := serve(t, srv)
	a, b := dial(t, url), dial(t, url)
	ids := []string{a.idOf("/"), b.idOf("/")}
	for _, c := range []*wire{a, b} {
		go func() {
			id := strings.TrimSuffix(strings.TrimPrefix(<-c.frames, "42"), `["name"]`)
			if c == a {
				_ = c.write(1, []byte("43"+id+`["Ada"]`))
			} else {
				_ = c.write(1, []byte("43"+id+`[{"error":{"message":"busy"}}]`))
			}
		}()
	}
	got := map[string]string{}
	for r, err := range nameCall.DoAll(t.Context(), srv, socketio.None{}) {
		got[r.Socket] = r.Value
		if err != nil {
			got[r.Socket] = err.Error()
		}
	}
	if diff := cmp.Diff(map[string]string{ids[0]: "Ada", ids[1]: "socketio: remote: busy"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReservedNames(t *testing.T) {
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Error(what, "did not panic")
			}
		}()
		f()
	}
	srv := newServer(t, quiet())
	serve(t, srv)
	panics("DefineEvent", func() { socketio.DefineEvent[int]("connect") })
	panics("DefineCall", func() { socketio.DefineCall[int, int]("disconnect") })
	panics("On", func() { srv.On("disconnecting", messageBack) })
	if err := srv.Emit("connect_error"); !errors.Is(err, socketio.ErrReserved) {
		t.Error(err)
	}
	var argument *socketio.ArgumentError
	if err := srv.Emit("x", func() {}); !errors.As(err, &argument) {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	srv := newServer(t, quiet())
	sockets := make(chan *socketio.Socket, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	c := dial(t, serve(t, srv))
	c.join("/")
	s := receive(t, sockets)
	if _, ok := user.Get(s); ok {
		t.Error("a value before Set")
	}
	if err := user.Set(s, account{"Ada"}); err != nil {
		t.Fatal(err)
	}
	secret.Set(s, func() string { return "local" })
	if got, ok := user.Get(s); !ok || got.Name != "Ada" {
		t.Error(got, ok)
	}
	if f, ok := secret.Get(s); !ok || f() != "local" {
		t.Error("local value")
	}
	if _, ok := socketio.NewKey[int]("user").Get(s); ok {
		t.Error("a value of another type")
	}
	for r, err := range srv.FetchSockets(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := user.Get(r); !ok || got.Name != "Ada" || r.ID() != s.ID() || r.Local() != s {
			t.Error("fetched", got, ok)
		}
	}
	var text string
	for name, value := range s.Data().All() {
		text += name + "=" + string(value)
	}
	if text != `user={"name":"Ada"}` {
		t.Error(text)
	}
	user.Delete(s)
	if _, ok := user.Get(s); ok {
		t.Error("a value after Delete")
	}
}

// nested reads another key while it is decoded.
type nested struct{ N int }

var nestedOf *socketio.Socket

func (n *nested) UnmarshalJSON([]byte) error {
	if _, ok := user.Get(nestedOf); !ok {
		n.N = 1
	}
	return nil
}

// Decoding runs the application's code, under no lock.
func TestKeyDecodesUnderNoLock(t *testing.T) {
	srv := newServer(t, quiet())
	url := serve(t, srv)
	done := make(chan bool, 1)
	key := socketio.NewKey[nested]("nested")
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		nestedOf = s
		_ = s.Data().Set("nested", 5)
		v, ok := key.Get(s)
		done <- ok && v.N == 1
	})
	c := dial(t, url)
	c.join("/")
	if !receive(t, done) {
		t.Error("not read")
	}
}
