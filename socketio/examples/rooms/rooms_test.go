package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
	"github.com/siokit/siokit/socketio/siotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T) *siotest.Server {
	t.Helper()
	io, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	return siotest.Serve(t, io, io)
}

// person is a client that has logged in, and what it has been told.
type person struct {
	*siotest.Client
	heard chan Message
}

func login(t *testing.T, io *siotest.Server, name string) person {
	t.Helper()
	p := person{io.Connect(client.Config{}), make(chan Message, 10)}
	Chat.On(p, func(ctx context.Context, m Message) error { p.heard <- m; return nil })
	if _, err := Login.Do(t.Context(), p, name); err != nil {
		t.Fatal(err)
	}
	return p
}

// quiet checks that nothing more comes: in a bubble, when everything waits.
func (p person) quiet(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case m := <-p.heard:
		t.Errorf("heard %v", m)
	default:
	}
}

func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := serve(t)
		login(t, io, "ada")
		login(t, io, "grace")
		others, err := Login.Do(t.Context(), io.Connect(client.Config{}), "alan")
		if slices.Sort(others); err != nil || !slices.Equal(others, []string{"ada", "grace"}) {
			t.Error(others, err)
		}
		var refused *socketio.RemoteError
		if _, err := Login.Do(t.Context(), io.Connect(client.Config{}), ""); !errors.As(err, &refused) || refused.Message != "a name, please" {
			t.Error(err)
		}
	})
}

func TestRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := serve(t)
		ada, grace, alan := login(t, io, "ada"), login(t, io, "grace"), login(t, io, "alan")
		for _, p := range []person{ada, grace} {
			if err := Join.Emit(t.Context(), p, "lobby"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Private.Do(t.Context(), grace, socketio.Args2[string, string]{A: "nobody", B: "?"}); err != nil {
			t.Fatal(err) // when it is answered, grace has joined
		}
		if err := Say.Emit(t.Context(), ada, socketio.Args2[string, string]{A: "lobby", B: "hello"}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Message{"ada", "hello"}, <-grace.heard); diff != "" {
			t.Error(diff)
		}
		ada.quiet(t)
		alan.quiet(t)
	})
}

func TestPrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := serve(t)
		ada, laptop, phone := login(t, io, "ada"), login(t, io, "grace"), login(t, io, "grace")
		there, err := Private.Do(t.Context(), ada, socketio.Args2[string, string]{A: "grace", B: "psst"})
		if err != nil || !there {
			t.Error(there, err)
		}
		for _, p := range []person{laptop, phone} {
			if diff := cmp.Diff(Message{"ada", "psst"}, <-p.heard); diff != "" {
				t.Error(diff)
			}
		}
		there, err = Private.Do(t.Context(), ada, socketio.Args2[string, string]{A: "nobody", B: "psst"})
		if err != nil || there {
			t.Error(there, err)
		}
		ada.quiet(t)
	})
}

func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := serve(t)
		mux := http.NewServeMux()
		mux.HandleFunc("POST /announce/{room}", announce(io.Server))
		ada := login(t, io, "ada")
		if err := Join.Emit(t.Context(), ada, "lobby"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		post := func(body string) int {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/announce/lobby", strings.NewReader(body)))
			return w.Code
		}
		if code := post(`{"from":"ops","text":"back at five"}`); code != http.StatusOK {
			t.Error(code)
		}
		if diff := cmp.Diff(Message{"ops", "back at five"}, <-ada.heard); diff != "" {
			t.Error(diff)
		}
		if code := post(`nonsense`); code != http.StatusBadRequest {
			t.Error(code)
		}
	})
}
