package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
	"github.com/siokit/siokit/socketio/siotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var tokens = signer{[]byte("a key")}

func serve(t *testing.T) *siotest.Server {
	t.Helper()
	io, err := newServer(tokens.key)
	if err != nil {
		t.Fatal(err)
	}
	return siotest.Serve(t, io, io)
}

// with is a client's configuration with a token for so long.
func with(name string, lifetime time.Duration) client.Config {
	token := tokens.sign(Account{name, time.Now().Add(lifetime)})
	return client.Config{Auth: client.Static(map[string]string{"token": token})}
}

func TestToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t).Connect(with("gopher", time.Hour))
		a, err := Whoami.Do(t.Context(), c, socketio.None{})
		if err != nil || a.Name != "gopher" {
			t.Error(a, err)
		}
	})
}

func TestWithoutToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, config := range []client.Config{{}, {Auth: client.Static(map[string]string{"token": "forged"})}, with("late", -time.Second)} {
			err := serve(t).Client(config).Connect(t.Context())
			var refused *client.ConnectError
			if !errors.As(err, &refused) || refused.Message != "not authorized" || string(refused.Data) != `{"code":401}` {
				t.Errorf("%#v", err)
			}
		}
	})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t).Connect(with("gopher", time.Minute))
		begin := time.Now()
		expired := make(chan time.Duration, 1)
		Expired.On(c, func(ctx context.Context, _ socketio.None) error { expired <- time.Since(begin); return nil })
		gone := make(chan *client.DisconnectError, 1)
		c.OnDisconnect(func(ctx context.Context, why *client.DisconnectError) { gone <- why })

		<-time.After(50 * time.Second)
		renewed := tokens.sign(Account{"gopher", time.Now().Add(time.Hour)})
		if _, err := Renew.Do(t.Context(), c, renewed); err != nil {
			t.Fatal(err)
		}
		if after := <-expired; after.Round(time.Minute) != time.Hour+time.Minute {
			t.Errorf("expired after %v", after)
		}
		if why := <-gone; why.Reason != "io server disconnect" {
			t.Error(why)
		}
	})
}

func TestRenewForSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t).Connect(with("gopher", time.Hour))
		other := tokens.sign(Account{"mallory", time.Now().Add(time.Hour)})
		_, err := Renew.Do(t.Context(), c, other)
		var refused *socketio.RemoteError
		if !errors.As(err, &refused) || refused.Message != "not authorized" {
			t.Error(err)
		}
	})
}

func TestCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		login := httptest.NewRecorder()
		tokens.login(login, httptest.NewRequest(http.MethodPost, "/login?name=gopher", nil))
		var config client.Config
		config.Engine.Header = http.Header{"Cookie": {login.Result().Cookies()[0].String()}}

		c := serve(t).Client(config).Of("/cookie")
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := Whoami.Do(t.Context(), c, socketio.None{})
		if err != nil || a.Name != "gopher" {
			t.Error(a, err)
		}
	})
}

func TestForgedCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := client.Config{NoReconnection: true}
		config.Engine.Header = http.Header{"Cookie": {cookieName + "=forged"}}
		err := serve(t).Client(config).Of("/cookie").Connect(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the session has expired") {
			t.Error(err)
		}
	})
}
